import {setTimeout as delay} from 'node:timers/promises';
import {converse} from '../host/exec/background.ts';
import {hasNft} from '../host/netfilter/nftables.ts';
import {enterArguments, type Namespace} from '../host/netns.ts';
import {printable} from '../lib/printable.ts';
import type {Protocol} from '../policy/services.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import {OWN_PREFIX} from '../ruleset/model.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import type {Testbed} from '../testbed/testbed.ts';
import {resetCounters} from './count-nft.ts';

/** The rule that decides on a packet. */
export type ResponsibleRule = {
	/** As iptables-save or nft(8) prints it; for a policy `:INPUT DROP`. */
	readonly text: string;
	/** `filter`, `filter, legacy backend`, `inet filter, chain input` */
	readonly place: string;
	/** The table, as nft(8) names it where it is a table of nftables: `inet filter`. */
	readonly table: string;
	/** The rule is in a chain of fw-wizard, in the backend that is in use. */
	readonly own: boolean;
};

/** `-A INPUT -j RETURN, in filter`, safe to print */
export function describeRule({text, place}: ResponsibleRule): string {
	const plain = text
		.replace(/^:(\S+) (\S+)$/, 'the policy $2 of $1')
		.replaceAll(/counter packets \d+ bytes \d+ ?/g, '')
		.trim();
	return `${printable(plain, 200)}, in ${printable(place, 80)}`;
}

/** A rule of iptables that a packet matched. */
type MatchedRule = ResponsibleRule & {readonly chain: string; readonly target: string};

/** A rule of nftables that decided on a packet: `drop`, `accept`, `reject`, … */
type TracedRule = ResponsibleRule & {readonly verdict: string};

/** What happened to a packet: it reached the programs of the machine, or it did not. */
export type Fate = 'open' | 'closed';

/**
 * Finds the rule that lets packets to a port pass, or that blocks them: sends such packets again, and
 * reads from the kernel which rules they match. Rules of iptables have counters, and tables of nftables
 * are traced (nft(8), "monitor trace").
 * @param source the rules that are loaded in the testbed
 * @returns undefined where no rule does it
 */
export async function findResponsibleRule(
	testbed: Testbed,
	source: RulesUnderTest,
	vantagePoint: VantagePoint,
	packet: {readonly protocol: Protocol; readonly port: number},
	fate: Fate,
): Promise<ResponsibleRule | undefined> {
	const send = async () =>
		testbed.senders[vantagePoint.family].run('sweep', {
			...{protocol: packet.protocol, source: vantagePoint.source},
			...{
				target: testbed.targetFor(vantagePoint),
				ports: [{first: packet.port, last: packet.port}],
			},
		});
	const {matched, traced} = await observe(
		testbed.machine,
		source,
		{...vantagePoint, ...packet},
		send,
	);
	return fate === 'closed' ? findBlocking(matched, traced) : findAccepting(matched, traced);
}

type Probe = VantagePoint & {readonly protocol: Protocol; readonly port: number};

/** The rules that packets match while they are sent. */
async function observe(
	machine: Namespace,
	source: RulesUnderTest,
	probe: Probe,
	send: () => Promise<unknown>,
): Promise<{readonly matched: readonly MatchedRule[]; readonly traced: readonly TracedRule[]}> {
	const programs = source.loads
		.map(({program}) => program)
		.filter((program) => program.endsWith('-restore') && isOfFamily(program, probe));
	const before = await Promise.all(programs.map(async (program) => readCounters(machine, program)));
	const traced =
		source.nativeTables.length > 0 && hasNft()
			? await trace(machine, new Set(source.nativeTables), probe, send)
			: [];
	if (traced.length === 0) {
		await send();
	}

	const after = await Promise.all(programs.map(async (program) => readCounters(machine, program)));
	const matched = after.flatMap((lines, index) =>
		lines.filter((line, number) => line.packets > (before[index]?.[number]?.packets ?? 0)),
	);
	return {matched, traced};
}

function isOfFamily(program: string, {family}: VantagePoint): boolean {
	return program.startsWith('ip6') === (family === 6);
}

/** Targets that change what the packet is to the rules behind them. */
const CHANGING = new Set(['REDIRECT', 'DNAT', 'TPROXY', 'CT', 'NOTRACK', 'NETMAP']);

function findBlocking(
	matched: readonly MatchedRule[],
	traced: readonly TracedRule[],
): ResponsibleRule | undefined {
	const foreign = matched.filter(({own}) => !own);
	const terminal = foreign.filter(
		({target, text}) => ['DROP', 'REJECT'].includes(target) && !text.startsWith(':'),
	);
	const dropping = traced.findLast(({verdict}) => verdict === 'drop');
	const policy = foreign.find(({text, target}) => text.startsWith(':') && target === 'DROP');
	return (
		dropping ??
		terminal.at(-1) ??
		foreign.find(({target}) => ['NFQUEUE', 'TARPIT', 'CHAOS', 'DELUDE'].includes(target)) ??
		(policy && (findBypass(foreign) ?? policy)) ??
		foreign.find(({target}) => CHANGING.has(target)) ??
		traced.find(({text}) => /\b(?:dnat|redirect|notrack|tproxy|queue)\b/.test(text)) ??
		matched.findLast(({own, target}) => own && ['DROP', 'REJECT'].includes(target))
	);
}

function findAccepting(
	matched: readonly MatchedRule[],
	traced: readonly TracedRule[],
): ResponsibleRule | undefined {
	const foreign = matched.filter(({own}) => !own);
	const accepting = foreign.filter(
		({target, table, text}) => target === 'ACCEPT' && table === 'filter' && !text.startsWith(':'),
	);
	return (
		accepting[0] ??
		findBypass(foreign) ??
		foreign.find(({target}) => CHANGING.has(target)) ??
		traced.find(({text}) => /\b(?:dnat|redirect|tproxy)\b/.test(text)) ??
		matched.findLast(({own, target}) => own && target === 'ACCEPT') ??
		foreign.find(({text}) => text.startsWith(':'))
	);
}

/** The rule after which a packet leaves INPUT of the filter table before our rules: -g, or RETURN. */
function findBypass(foreign: readonly MatchedRule[]): MatchedRule | undefined {
	const rules = foreign.filter(({table, text}) => table === 'filter' && text.startsWith('-A'));
	return (
		rules.find(({text}) => / -g \S+$/.test(text)) ??
		rules.find(({chain, target}) => chain === 'INPUT' && target === 'RETURN')
	);
}

type Counted = MatchedRule & {readonly packets: number};

/** All rules and policies of a program's tables, with how many packets they have matched. */
async function readCounters(machine: Namespace, restore: string): Promise<readonly Counted[]> {
	const {stdout} = await machine.run(restore.replace(/restore$/, 'save'), ['-c'], {
		timeout: 30_000,
	});
	const backend = /-(nft|legacy)-restore$/.exec(restore)?.[1];
	let table = '';
	return stdout.split('\n').flatMap((line): readonly Counted[] => {
		if (line.startsWith('*')) {
			table = line.slice(1);
		}

		const [, chain = '', policy, count] = /^:(\S+) (ACCEPT|DROP) \[(\d+):/.exec(line) ?? [];
		const [, packets, text] = /^\[(\d+):\d+\] (-A .*)$/.exec(line) ?? [];
		const place = backend === undefined ? table : `${table}, ${backend} backend`;
		if (policy !== undefined) {
			const found = {text: `:${chain} ${policy}`, chain, target: policy, own: false};
			return chain === 'INPUT' ? [{...found, place, table, packets: Number(count)}] : [];
		}

		if (text === undefined) {
			return [];
		}

		const [, name = ''] = text.split(' ');
		const target = / -[jg] (\S+)(?: .*)?$/.exec(withoutQuotes(text))?.[1] ?? '';
		return [
			{
				...{text, place, table, chain: name, target, packets: Number(packets)},
				own:
					backend === undefined && (name.startsWith(OWN_PREFIX) || target.startsWith(OWN_PREFIX)),
			},
		];
	});
}

/** A comment or a log prefix may hold the words of a target. */
function withoutQuotes(text: string): string {
	return text.replaceAll(/"(?:\\.|[^"\\])*"/g, '""');
}

const TABLE = 'fw_wizard_trace';
/** The priority of the chains that begin the trace: before all others. */
const FIRST = -2_147_483_648;
/** The packets are sent again until the trace of one is complete: nft does not say when it listens. */
const TRIES = 20;
const TRY_MS = 50;

/** Follows packets through tables of nftables. @returns what decided on the first of them, in order */
async function trace(
	machine: Namespace,
	tables: ReadonlySet<string>,
	{family, inInterface, protocol, port}: Probe,
	send: () => Promise<unknown>,
): Promise<readonly TracedRule[]> {
	const match = `meta nfproto ipv${family} ${protocol} dport ${port} meta nftrace set 1;`;
	const begin = (kind: string, hook: string, rule: string) =>
		`table ${kind} ${TABLE} {\nchain begin { type filter hook ${hook} priority ${FIRST}; ${rule} }\n}\n`;
	const prerouting = begin('inet', 'prerouting', `iifname "${inInterface}" ${match}`);
	const ethernet = match.replace(/^meta nfproto \S+/, `meta protocol ip${family === 6 ? '6' : ''}`);
	const ingress = begin('netdev', `ingress device "${inInterface}"`, ethernet);
	// nft reads all sets before it listens, and a sweep fills them.
	await resetCounters(machine);
	const events = new Map<string, string[]>();
	const {end} = converse(
		'nsenter',
		// nft does not end by itself. The shell ends it when its own input does, and so with this process.
		[...enterArguments(machine.pid), 'sh', '-c', 'nft monitor trace & read -r _; kill $!; wait'],
		(line) => {
			const [, id, event] = /^trace id (\w+) (.*)$/.exec(line) ?? [];
			if (id !== undefined && event !== undefined) {
				events.set(id, [...(events.get(id) ?? []), event]);
			}
		},
		() => {},
	);
	try {
		// A kernel without a hook at ingress has no rules there either.
		await machine.run('nft', ['-f', '-'], {input: ingress});
		await machine.run('nft', ['-f', '-'], {input: prerouting});
		for (let tries = 0; tries < TRIES && events.size === 0; tries += 1) {
			await send();
			await delay(TRY_MS);
		}
	} finally {
		for (const kind of ['netdev', 'inet']) {
			await machine.run('nft', ['delete', 'table', kind, TABLE]);
		}

		await end();
	}

	const [lines = []] = events.values();
	return lines.flatMap((line) => readEvent(line, tables));
}

/** `inet filter input rule tcp dport 22 drop (verdict drop)`, or `inet filter input policy drop` */
function readEvent(line: string, tables: ReadonlySet<string>): readonly TracedRule[] {
	const [, table = '', chain = '', rule, verdict, policy] =
		/^(\S+ \S+) (\S+) (?:rule (.*) \(verdict (\w+).*\)|policy (\w+) ?)$/.exec(line) ?? [];
	if (!tables.has(table)) {
		return [];
	}

	return [
		{
			text: rule ?? `policy ${policy}`,
			verdict: verdict ?? policy ?? '',
			...{place: `${table}, chain ${chain}`, table, own: false},
		},
	];
}
