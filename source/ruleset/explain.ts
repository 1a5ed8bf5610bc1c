import {printable} from '../lib/printable.ts';
import type {Verdict} from '../policy/policy.ts';
import type {Decision} from './evaluate.ts';
import {printRule} from './format-iptables.ts';
import type {Packet} from './packet.ts';

/** What a verdict does, to whom: one line each. */
export const VERDICT_EFFECTS: Readonly<
	Record<Verdict, {readonly client: string; readonly scan: string; readonly you: string}>
> = {
	reject: {
		client: 'told at once: "Connection refused"',
		scan: 'slow; sees filtered ports',
		you: 'trouble is easy to find: mistakes fail at once',
	},
	reset: {
		client: 'told at once: "Connection refused", as by a closed port',
		scan: 'fast; sees closed TCP ports and no firewall',
		you: 'trouble is easy to find, also over IPv6',
	},
	drop: {
		client: 'waits until it gives up, often over a minute',
		scan: 'slow; but sees that a firewall is there',
		you: 'trouble is hard to find: it looks like a dead network',
	},
};

/** What becomes of a packet. */
export const OUTCOMES = {
	ACCEPT: 'accepted',
	DROP: 'dropped: the sender hears nothing',
	REJECT: 'rejected: the sender is told',
} as const;

/** The rule that decides on a packet, or the policy of a chain. */
export type DecidingRule = {
	/** `filter`; of nftables `inet ban` */
	readonly table: string;
	readonly chain: string;
	/** As iptables-save or nft(8) prints it; of a policy `:INPUT DROP`. */
	readonly text: string;
	/** Counts from 1; absent where it is not known. */
	readonly index?: number;
};

/** What becomes of a packet, and by which rules. */
export type PacketAnswer = {
	readonly packet: Packet;
	readonly fate: 'accepted' | 'rejected' | 'dropped' | 'forwarded' | 'unknown';
	/** `accepted`, `forwarded to 172.17.0.2:80`, `unknown: only root can read the rules that stay`; safe to print. */
	readonly outcome: string;
	/** The rules that change the packet, then the one that decides; safe to print. */
	readonly rules: readonly string[];
	/** The one of them that decides; absent where it is not known. Not safe to print. */
	readonly decidedBy?: DecidingRule;
};

/** What rules of the filter table decide on a packet. */
export function explainDecision({by, verdict}: Decision, packet: Packet): PacketAnswer {
	const rules = [
		by === undefined
			? 'No rule decides; the policy of INPUT does'
			: `Rule ${by.index} of ${printable(by.chain)}: ${printable(printRule(by.rule, packet.family), 200)}`,
	];
	const decidedBy: DecidingRule = {
		...{table: 'filter', chain: by?.chain ?? 'INPUT'},
		text: by ? `-A ${by.chain} ${printRule(by.rule, packet.family)}` : `:INPUT ${verdict}`,
		...(by === undefined ? {} : {index: by.index}),
	};
	switch (verdict) {
		case 'ACCEPT':
			return {packet, fate: 'accepted', outcome: OUTCOMES.ACCEPT, rules, decidedBy};
		case 'DROP':
			return {packet, fate: 'dropped', outcome: OUTCOMES.DROP, rules, decidedBy};
		case 'REJECT': {
			const {target} = by.rule;
			const type = target.kind === 'REJECT' ? target.with : '';
			return {
				packet,
				fate: 'rejected',
				outcome: `${OUTCOMES.REJECT} ${describeReject(type)}`,
				...{rules, decidedBy},
			};
		}

		case 'unknown':
			return {
				...{packet, fate: 'unknown', rules},
				outcome: 'unknown: a rule may decide that cannot be judged from here',
			};
	}
}

/** What a REJECT of a type tells the sender (iptables-extensions(8)). */
export function describeReject(type: string): string {
	if (type === 'tcp-reset') {
		return '"closed" (tcp-reset)';
	}

	return type.endsWith('port-unreachable') ? '"port unreachable"' : `"${printable(type)}"`;
}

/** An answer as lines: `IPv4 from 192.0.2.1 on eth0: accepted`, then the rules. */
export function answerLines({packet, outcome, rules}: PacketAnswer): readonly string[] {
	const {family, source, inInterface} = packet;
	return [`IPv${family} from ${source} on ${printable(inInterface)}: ${outcome}`, ...rules];
}
