import {readAppliedPolicy} from '../../change/applied.ts';
import {run} from '../../host/exec/run.ts';
import {familiesHere, servicesHere} from '../../host/machine/host-facts.ts';
import {followKernelLog, type KernelLine, readKernelLog} from '../../host/machine/kernel-log.ts';
import {hasIptables} from '../../host/netfilter/backend.ts';
import {programOf} from '../../host/netfilter/iptables.ts';
import {findListeners} from '../../host/sockets/listeners.ts';
import {groupBy} from '../../lib/group-by.ts';
import type {Family} from '../../lib/network.ts';
import {readCounters} from '../../proof/rule-counters.ts';
import {buildRuleSet} from '../../ruleset/build.ts';
import {LOG_PREFIX, type Part, type RuleSet} from '../../ruleset/model.ts';
import {type LoggedPacket, parseLogLine} from '../../ruleset/parse-log.ts';
import {describePrograms, type Listener} from '../../services/listener.ts';
import {reasonOf} from './why.ts';

/** How many packets a rule of fw-wizard has blocked since it was loaded: exactly. */
type BlockedCount = {
	readonly family: Family;
	readonly packets: number;
	/** `verdict`: to ports that are not open; `blocked`: from a blocked address; absent where it is not in the policy. */
	readonly part?: Part;
	/** Why the rule is there. */
	readonly reason?: string;
};

/** The lines of the log about one port. */
export type LoggedPort = {
	readonly protocol: string;
	/** Absent for protocols without ports. */
	readonly port?: number;
	readonly lines: number;
	/** How many addresses they came from. */
	readonly sources: number;
	/** They were to be forwarded to a container or guest. */
	readonly forwarded: boolean;
	/** The programs that listen on it, for other machines; safe to print. */
	readonly programs: readonly string[];
	/** UTC, ISO 8601. */
	readonly last: string;
};

/** The lines of the log about one source. */
export type LoggedSource = {
	readonly address: string;
	readonly lines: number;
	/** How many ports they went to. */
	readonly ports: number;
	/** It tried many ports. */
	readonly scan: boolean;
	readonly last: string;
};

export type BlockedLog = {
	/** Whether the policy has blocked packets logged; null where no policy is applied. */
	readonly logging: boolean | null;
	/** UTC, ISO 8601. */
	readonly since: string;
	/** Since the rules were loaded, whatever `since` says. */
	readonly counted: {readonly packets: number; readonly rules: readonly BlockedCount[]};
	/** Lines of the log since then: fewer than packets, as the log is rate limited. Null where it cannot be read. */
	readonly lines: number | null;
	/** Lines that begin as those of fw-wizard and are none. */
	readonly unreadable: number;
	/** The most lines first. */
	readonly ports: readonly LoggedPort[];
	readonly sources: readonly LoggedSource[];
};

/** One logged packet. */
export type LoggedLine = LoggedPacket & {
	/** UTC, ISO 8601. */
	readonly time: string;
	readonly programs: readonly string[];
};

/** From so many ports on, a source has tried ports. */
const SCAN_PORTS = 10;

/** Reads what fw-wizard has blocked. Needs root. @throws {InputError} where the applied policy is damaged */
export async function readBlocked(since: Date): Promise<BlockedLog> {
	const families = familiesHere();
	const policy = readAppliedPolicy(servicesHere());
	const ruleSet = policy && buildRuleSet(policy, {families});
	const [lines, listeners, rules] = await Promise.all([
		readKernelLog(since),
		findListeners({brief: true}),
		hasIptables() ? Promise.all(families.map(async (family) => countBlocked(family, ruleSet))) : [],
	]);
	const counts = rules.flat();
	return {
		logging: policy?.log ?? null,
		since: since.toISOString(),
		counted: {packets: counts.reduce((sum, one) => sum + one.packets, 0), rules: counts},
		...summarizeLog(lines, listeners),
	};
}

/** What the lines of the kernel say of packets that fw-wizard has logged. @param lines undefined where they cannot be read */
export function summarizeLog(
	lines: readonly KernelLine[] | undefined,
	listeners: readonly Listener[],
): Pick<BlockedLog, 'lines' | 'unreadable' | 'ports' | 'sources'> {
	const own = lines?.filter(({message}) => message.startsWith(LOG_PREFIX)) ?? [];
	const packets = own.flatMap((line) => packetOf(line, listeners) ?? []);
	return {
		lines: lines === undefined ? null : packets.length,
		unreadable: own.length - packets.length,
		ports: byPort(packets),
		sources: bySource(packets),
	};
}

/** Calls back for each packet that is logged from now on. @returns where the kernel's log cannot be read */
export async function followBlocked(
	tell: (line: LoggedLine) => void,
): Promise<'unreadable' | undefined> {
	const listeners = await findListeners({brief: true});
	return followKernelLog((line) => {
		const packet = packetOf(line, listeners);
		if (packet !== undefined) {
			tell(packet);
		}
	});
}

function packetOf(
	{message, time}: KernelLine,
	listeners: readonly Listener[],
): LoggedLine | undefined {
	const packet = parseLogLine(message);
	return packet && {...packet, time: time.toISOString(), programs: programsOn(packet, listeners)};
}

function programsOn(
	{protocol, port, family, forwarded}: LoggedPacket,
	listeners: readonly Listener[],
): readonly string[] {
	// What is forwarded goes to a container or guest, whoever listens on that port here.
	return forwarded
		? []
		: describePrograms(
				listeners.filter(
					(one) =>
						one.protocol === protocol &&
						one.port === port &&
						one.reach === 'outside' &&
						one.families.includes(family),
				),
			);
}

/** The counters of the rules of fw-wizard that block. */
async function countBlocked(
	family: Family,
	ruleSet: RuleSet | undefined,
): Promise<readonly BlockedCount[]> {
	const rules = await readCounters({run}, programOf(family, '-restore'));
	return rules
		.filter(({own, target}) => own && (target === 'DROP' || target === 'REJECT'))
		.map((rule) => {
			const {part, text} = reasonOf(rule, family, ruleSet) ?? {};
			return {
				...{family, packets: rule.packets},
				...(part === undefined ? {} : {part}),
				...(text === undefined ? {} : {reason: text}),
			};
		});
}

function byPort(packets: readonly LoggedLine[]): readonly LoggedPort[] {
	return groupBy(packets, ({protocol, port, forwarded}) => `${protocol} ${port} ${forwarded}`)
		.map((group): LoggedPort => {
			const [{protocol, port, forwarded}] = group;
			return {
				protocol,
				...(port === undefined ? {} : {port}),
				forwarded,
				lines: group.length,
				sources: new Set(group.map(({source}) => source)).size,
				programs: [...new Set(group.flatMap(({programs}) => programs))],
				last: lastOf(group),
			};
		})
		.sort((a, b) => b.lines - a.lines);
}

function bySource(packets: readonly LoggedLine[]): readonly LoggedSource[] {
	return groupBy(packets, ({source}) => source)
		.map((group) => {
			const ports = new Set(group.map(({protocol, port}) => `${protocol} ${port}`)).size;
			return {
				...{address: group[0].source, lines: group.length, ports},
				...{scan: ports >= SCAN_PORTS, last: lastOf(group)},
			};
		})
		.sort((a, b) => b.lines - a.lines);
}

function lastOf(group: readonly LoggedLine[]): string {
	return group.reduce((last, {time}) => (time > last ? time : last), '');
}
