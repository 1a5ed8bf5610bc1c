import {programOfRule} from '../existing/rule-owner.ts';
import {printEndpoint} from '../lib/network.ts';
import {
	type DecidingRule,
	describeReject,
	OUTCOMES,
	type PacketAnswer,
} from '../ruleset/explain.ts';
import type {Packet} from '../ruleset/packet.ts';
import {CHANGING, describeRule, type Observed} from './responsible-rule.ts';
import type {ResponsibleRule} from './rule-counters.ts';

/** Where the packet has come: `172.17.0.2 80`. */
export type PacketFate = {
	readonly arrived: boolean;
	readonly passed: string | undefined;
	readonly forwarded: string | undefined;
};

/** Targets that give a packet to a program, or answer for one. */
const PROGRAM_DECIDES = /^(?:NFQUEUE|QUEUE|TPROXY|TARPIT|CHAOS|DELUDE|SYNPROXY)$/;

/**
 * What became of a packet in a copy of this machine, by the rules that it matched.
 * @param target the address that it was sent to
 */
export function answerFrom(
	packet: Packet,
	target: string,
	{matched, traced}: Observed,
	{arrived, passed, forwarded, routed}: PacketFate & {readonly routed: boolean},
): PacketAnswer {
	const isPolicy = ({text}: ResponsibleRule) => /^:|^policy /.test(text);
	const changed = [
		...matched.filter(({target, text}) => CHANGING.has(target) && !text.includes(' --helper ')),
		...traced.filter(({text}) => /\b(?:dnat|redirect|tproxy|notrack)\b/.test(text)),
	];
	const done = (
		fate: PacketAnswer['fate'],
		outcome: string,
		...by: ReadonlyArray<ResponsibleRule | undefined>
	): PacketAnswer => {
		const rules = [...changed, ...by].flatMap((rule) => rule ?? []);
		const last = fate === 'unknown' ? undefined : rules.at(-1);
		return {
			...{packet, fate, outcome},
			rules: [...new Set(rules.map(describe))],
			...(last === undefined ? {} : {decidedBy: decidingRule(last)}),
		};
	};
	const {destinationPort: port} = packet;
	const program =
		matched.find((rule) => PROGRAM_DECIDES.test(rule.target)) ??
		traced.find(({text}) => /\b(?:queue|tproxy|synproxy)\b/.test(text));
	if (program !== undefined) {
		return done('unknown', 'unknown: another program decides', program);
	}

	if (passed !== undefined) {
		const accepting = matched.filter(
			({target, table}) => target === 'ACCEPT' && table === 'filter',
		);
		const by =
			accepting.find((rule) => !isPolicy(rule)) ??
			traced.findLast((rule) => rule.verdict === 'accept' && !isPolicy(rule)) ??
			accepting[0];
		const isSame =
			passed.startsWith(`${target} `) && (port === undefined || passed.endsWith(` ${port}`));
		return isSame
			? done('accepted', OUTCOMES.ACCEPT, by)
			: done('accepted', `${OUTCOMES.ACCEPT}, redirected to ${endOf(passed, port)}`, by);
	}

	if (forwarded !== undefined) {
		const open = matched.find(({index, target}) => index !== undefined && target === 'RETURN');
		return done('forwarded', `forwarded to ${endOf(forwarded, port)}`, open);
	}

	const drops = ['DROP', 'REJECT'];
	const by =
		traced.findLast(({verdict}) => verdict === 'drop') ??
		traced.findLast(({text}) => /\breject\b/.test(text)) ??
		matched.findLast((rule) => drops.includes(rule.target) && !isPolicy(rule)) ??
		matched.find((rule) => rule.target === 'DROP');
	if (by !== undefined) {
		const isReject = /\breject\b/.test(by.text) || / -j REJECT\b/.test(by.text);
		return isReject
			? done('rejected', `${OUTCOMES.REJECT} ${describeReject(rejectOf(by.text))}`, by)
			: done('dropped', OUTCOMES.DROP, by);
	}

	return done(
		'unknown',
		!arrived
			? 'unknown: the packet did not arrive in the copy'
			: !routed
				? 'unknown: no rule drops it, and the copy does not route as this machine does'
				: 'not delivered: no rule drops it, and no route leads on',
	);
}

/** `icmp-port-unreachable` of iptables, or `tcp reset`, `icmp port-unreachable` of nftables. */
function rejectOf(text: string): string {
	return (
		/--reject-with (\S+)/.exec(text)?.[1] ??
		/\breject with (.+)$/.exec(text)?.[1]?.replace(/^(\S+) (?:type )?/, '$1-') ??
		'port-unreachable'
	);
}

/** `172.17.0.2:80`, `[fd00::2]:80`; without a port where the packet has none. */
function endOf(text: string, port: number | undefined): string {
	const [address = '', to = ''] = text.split(' ');
	return port === undefined ? address : printEndpoint(address, to);
}

function decidingRule({table, chain, text, index}: ResponsibleRule): DecidingRule {
	return {table, chain, text, ...(index === undefined ? {} : {index})};
}

function describe(rule: ResponsibleRule): string {
	const program = programOfRule(rule.text)?.name;
	return `${describeRule(rule)}${program === undefined ? '' : ` (${program})`}`;
}
