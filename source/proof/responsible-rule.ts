import {programOfRule} from '../existing/rule-owner.ts';
import {hasNft} from '../host/netfilter/nftables.ts';
import {printable} from '../lib/printable.ts';
import {SWARM_BRIDGE} from '../policy/published.ts';
import type {Protocol} from '../policy/services.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import type {Testbed} from '../testbed/testbed.ts';
import {resetCounters} from './count-nft.ts';
import {type MatchedRule, type ResponsibleRule, readCounters} from './rule-counters.ts';
import {type TracedPackets, type TracedRule, tracePackets} from './trace-nft.ts';

/** `-A INPUT -j RETURN, in filter`, `rule 3 of FW-WIZARD-FORWARD: -A …`; safe to print */
export function describeRule({text, place, chain, index}: ResponsibleRule): string {
	const plain = text
		.replace(/^:(\S+) (\S+)$/, 'the policy $2 of $1')
		.replaceAll(/counter packets \d+ bytes \d+ ?/g, '')
		.trim();
	const number = index === undefined ? '' : `rule ${index} of ${printable(chain)}: `;
	return `${number}${printable(plain, 200)}, in ${printable(place, 80)}`;
}

/** What happened to a packet: it reached the programs of the machine, it did not, or it went elsewhere. */
export type Fate = 'open' | 'closed' | 'forwarded';

/** `unguarded`: it was forwarded although a rule of FW-WIZARD-FORWARD should have dropped it. */
type Search = Fate | 'unguarded';

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
	search: Search,
): Promise<ResponsibleRule | undefined> {
	const send = async () =>
		testbed.senders[vantagePoint.family].run('sweep', {
			...{protocol: packet.protocol, ...testbed.endsFor(vantagePoint)},
			ports: [{first: packet.port, last: packet.port}],
		});
	const only = `${packet.protocol} dport ${packet.port}`;
	await forgetPackets(testbed);
	const found = await observe(testbed, source, {vantagePoint, only}, send);
	const finders = {
		...{open: findAccepting, closed: findBlocking},
		...{forwarded: findForwarding, unguarded: findUnguarded},
	};
	return finders[search](found);
}

/**
 * Finds the rule that blocks an exchange of packets between the testbed's machine and a vantage point.
 * @returns undefined where no rule of another program does it
 */
export async function findBlockingRule(
	testbed: Testbed,
	source: RulesUnderTest,
	vantagePoint: VantagePoint,
	exchange: () => Promise<unknown>,
): Promise<ResponsibleRule | undefined> {
	await forgetPackets(testbed);
	const rule = findBlocking(await observe(testbed, source, {vantagePoint}, exchange));
	return rule?.own ? undefined : rule;
}

export type Observed = {
	readonly matched: readonly MatchedRule[];
	readonly traced: readonly TracedRule[];
};

/** The sets that count packets drop those that they know: without nft(8) there are none. */
async function forgetPackets({machine}: Testbed): Promise<void> {
	if (hasNft()) {
		await resetCounters(machine);
	}
}

/** The rules that packets match while they are sent, once. */
export async function observe(
	testbed: Testbed,
	source: RulesUnderTest,
	packets: TracedPackets,
	send: () => Promise<unknown>,
): Promise<Observed> {
	const {machine} = testbed;
	const programs = [...new Set(source.loads.map(({program}) => program))].filter(
		(program) =>
			program.endsWith('-restore') &&
			program.startsWith('ip6') === (packets.vantagePoint.family === 6),
	);
	const read = async () =>
		Promise.all(programs.map(async (program) => readCounters(machine, program)));
	const before = await read();
	let traced: readonly TracedRule[] = [];
	if (source.nativeTables.length > 0 && hasNft()) {
		traced = await tracePackets(testbed, new Set(source.nativeTables), packets, send);
	} else {
		await send();
	}

	const matched = (await read()).flatMap((lines, index) =>
		lines.filter((line, number) => line.packets > (before[index]?.[number]?.packets ?? 0)),
	);
	return {matched, traced};
}

/** Targets that change what the packet is to the rules behind them. */
export const CHANGING = new Set(['REDIRECT', 'DNAT', 'TPROXY', 'CT', 'NOTRACK', 'NETMAP']);

function findBlocking({matched, traced}: Observed): ResponsibleRule | undefined {
	const foreign = matched.filter(({own}) => !own);
	const terminal = foreign.filter(
		({target, text}) => ['DROP', 'REJECT'].includes(target) && !text.startsWith(':'),
	);
	const dropping = traced.findLast(({verdict}) => verdict === 'drop');
	const policy = foreign.find(({text, target}) => text.startsWith(':') && target === 'DROP');
	return (
		dropping ??
		terminal.at(-1) ??
		matched.find(({chain, target}) => chain === FORWARD && target === 'DROP') ??
		foreign.find(({target}) => ['NFQUEUE', 'TARPIT', 'CHAOS', 'DELUDE'].includes(target)) ??
		(policy && (findBypass(foreign) ?? findSending(foreign, policy) ?? policy)) ??
		foreign.find(({target}) => CHANGING.has(target)) ??
		traced.find(({text}) => /\b(?:dnat|redirect|notrack|tproxy|queue)\b/.test(text)) ??
		matched.findLast(({own, target}) => own && ['DROP', 'REJECT'].includes(target))
	);
}

function findForwarding({matched, traced}: Observed): ResponsibleRule | undefined {
	return (
		matched.find(({target}) => CHANGING.has(target)) ??
		traced.find(({text}) => /\b(?:dnat|redirect|tproxy)\b/.test(text))
	);
}

/** The rule of no known program that sends a packet on to FORWARD, whose policy drops it. */
function findSending(
	foreign: readonly MatchedRule[],
	policy: MatchedRule,
): MatchedRule | undefined {
	return policy.chain === 'FORWARD'
		? foreign.find(({target, text}) => target === 'DNAT' && programOfRule(text) === undefined)
		: undefined;
}

const FORWARD = 'FW-WIZARD-FORWARD';
/** Chains of the mangle table that a packet passes by another way than through FORWARD. */
const NO_FORWARD = /^(?:PREROUTING|INPUT|OUTPUT|POSTROUTING)$/;

/** What lets a published port through: a rule of our own or one ahead of it; or what is missing. */
function findUnguarded(observed: Observed): ResponsibleRule | undefined {
	const mangle = observed.matched.filter(({place}) => place === 'mangle');
	const jump = mangle.find(({target, own}) => own && target === FORWARD);
	const left = mangle.findLast(
		({chain, target}) => chain === FORWARD && /^(?:RETURN|ACCEPT)$/.test(target),
	);
	// That is meant: what publishes the port is asked for.
	if (left?.text.includes(` -o ${SWARM_BRIDGE} `)) {
		return findForwarding(observed);
	}

	const ahead = mangle.find(
		({own, chain, target, text}) =>
			!own &&
			!NO_FORWARD.test(chain) &&
			(target === 'ACCEPT' || (chain === 'FORWARD' && target === 'RETURN') || / -g /.test(text)),
	);
	return (
		left ??
		(jump === undefined ? ahead : undefined) ?? {
			text:
				jump === undefined
					? `no rule of FORWARD leads to ${FORWARD}`
					: `no rule of ${FORWARD} drops it`,
			...{place: 'mangle', table: 'mangle', chain: FORWARD, own: true},
		}
	);
}

function findAccepting({matched, traced}: Observed): ResponsibleRule | undefined {
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
