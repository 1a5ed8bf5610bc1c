import {programOfRule} from '../existing/rule-owner.ts';
import {withCure} from '../proof/published.ts';
import {describeRule} from '../proof/responsible-rule.ts';
import type {ResponsibleRule} from '../proof/rule-counters.ts';
import {placeOf} from '../proof/vantage-points.ts';
import {programOfTable} from '../services/known-programs/find.ts';
import type {BlockedConnection} from './compare-connections.ts';
import {portsAre} from './describe-known.ts';
import type {Deviation} from './explain-deviations.ts';
import type {RunningFate} from './running-differences.ts';

/** `22/tcp is closed from anywhere over IPv4: -A INPUT -p tcp -m tcp --dport 22 -j DROP, in filter` */
export function describeDeviation({fate, ports, families, from, rule}: Deviation): string {
	const over = families.map((family) => `IPv${family}`).join(' and ');
	return `${portsAre(ports)} ${fate} from ${from.map(placeOf).join(' and ')} over ${over}: ${causeOf(rule, fate)}`;
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
export function causeOf(rule: ResponsibleRule | undefined, fate?: RunningFate, note = ''): string {
	if (rule === undefined) {
		return 'no rule was found that does it';
	}

	const program = programOfRule(rule.text) ?? programOfTable(rule.table);
	const other = fate === 'closed' && REDIRECTS.exec(rule.text)?.slice(1).find(Boolean);
	const cure = other ? `; to open it, open ${other} as well` : '';
	const cause = `${describeRule(rule)}${program ? ` (${program.name})` : ''}${note}${cure}`;
	return fate === 'forwarded' && SENDS_ON.test(rule.text) ? withCure(cause, program) : cause;
}

/** A rule that sends packets to another machine (iptables-extensions(8), nft(8)). */
const SENDS_ON = /-j (?:DNAT|NETMAP) |\bdnat\b/;
