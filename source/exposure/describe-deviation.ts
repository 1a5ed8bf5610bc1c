import {programOfRule} from '../existing/rule-owner.ts';
import {type PortRange, printPorts} from '../lib/port-ranges.ts';
import {describeRule, type Fate} from '../proof/responsible-rule.ts';
import type {ResponsibleRule} from '../proof/rule-counters.ts';
import {programOfTable} from '../services/known-programs/find.ts';
import type {BlockedConnection} from './compare-connections.ts';
import type {Deviation} from './explain-deviations.ts';

/** More ranges than these are counted. */
const MOST_RANGES = 6;

/** `22/tcp is closed from anywhere over IPv4: -A INPUT -p tcp -m tcp --dport 22 -j DROP, in filter` */
export function describeDeviation({fate, ports, families, from, rule}: Deviation): string {
	const lists = (['tcp', 'udp'] as const).flatMap((protocol) =>
		ports[protocol].length === 0 ? [] : [`${printList(ports[protocol])}/${protocol}`],
	);
	const one = lists.length === 1 && /^\d+\//.test(lists[0] ?? '');
	const where = `from ${from.map(({kind, name}) => `${kind === 'beside' ? 'just outside of ' : ''}${name}`).join(' and ')}`;
	const over = families.map((family) => `IPv${family}`).join(' and ');
	return `${lists.join(' and ')} ${one ? 'is' : 'are'} ${fate} ${where} over ${over}: ${causeOf(rule, fate)}`;
}

/** The port that packets have when they come to INPUT (iptables-extensions(8), REDIRECT; nft(8)). */
const REDIRECTS = /-j REDIRECT --to-ports (\d+(?:-\d+)?)|\bredirect to :(\d+(?:-\d+)?)/;

/** `no longer so over IPv4: it answers ping: -A INPUT -p icmp -j DROP, in filter` */
export function describeBlocked({names, families, rule}: BlockedConnection): string {
	const over = families.map((family) => `IPv${family}`).join(' and ');
	return `no longer so over ${over}: ${names.join(', ')}: ${causeOf(rule)}`;
}

/**
 * `-A INPUT -p tcp -m tcp --dport 22 -j DROP, in filter (fail2ban)`: the rule and its program, where it is
 * known, and what to open where a rule redirects to another port
 * @param note what stands between the two
 */
export function causeOf(rule: ResponsibleRule | undefined, fate?: Fate, note = ''): string {
	if (rule === undefined) {
		return 'no rule was found that does it';
	}

	const program = programOfRule(rule.text) ?? programOfTable(rule.table);
	const other = fate === 'closed' && REDIRECTS.exec(rule.text)?.slice(1).find(Boolean);
	const cure = other ? `; to open it, open ${other} as well` : '';
	return `${describeRule(rule)}${program ? ` (${program.name})` : ''}${note}${cure}`;
}

function printList(ranges: readonly PortRange[]): string {
	const first = ranges.slice(0, MOST_RANGES).map((range) => printPorts(range, '-'));
	const more = ranges.length - first.length;
	return `${first.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
