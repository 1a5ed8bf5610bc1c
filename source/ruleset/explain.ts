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

/** What happens to a packet, and by which rule, in two lines of plain words. */
export function explainDecision(decision: Decision, packet: Packet): readonly [string, string] {
	const {by, verdict} = decision;
	const outcome = {
		ACCEPT: 'let in',
		DROP: 'dropped: the sender hears nothing',
		REJECT: `refused: the sender is told ${describeReject(decision)}`,
		unknown: 'unknown: a rule may decide that cannot be judged from here',
	}[verdict];
	return [
		`IPv${packet.family} from ${packet.source}: ${outcome}`,
		by === undefined
			? 'No rule decides; the policy of INPUT does'
			: `Rule ${by.index} of ${printable(by.chain)}: ${printable(printRule(by.rule, packet.family), 200)}`,
	];
}

function describeReject({by}: Decision): string {
	const target = by?.rule.target;
	const type = target?.kind === 'REJECT' ? target.with : '';
	if (type === 'tcp-reset') {
		return '"closed" (tcp-reset)';
	}

	return type.endsWith('port-unreachable') ? '"port unreachable"' : `"${printable(type)}"`;
}
