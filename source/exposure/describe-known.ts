import type {KnownDeviation} from '../change/record.ts';
import {joinSome} from '../lib/list.ts';
import {type PortRange, printPorts} from '../lib/port-ranges.ts';
import {PROTOCOLS} from '../policy/services.ts';

/** More ranges than these are counted. */
const MOST_RANGES = 6;

/** What of other programs' rules was known when the policy was applied, as `describeDeviation` says it. */
export function describeKnown({what, ports}: KnownDeviation): string {
	return ports === undefined ? what : `${portsAre(ports)} ${what}`;
}

/** `22/tcp is`, `80, 443/tcp and 53/udp are` */
export function portsAre(ports: NonNullable<KnownDeviation['ports']>): string {
	const lists = PROTOCOLS.flatMap((protocol) =>
		ports[protocol].length === 0 ? [] : [`${printList(ports[protocol])}/${protocol}`],
	);
	const one = lists.length === 1 && /^\d+\//.test(lists[0] ?? '');
	return `${lists.join(' and ')} ${one ? 'is' : 'are'}`;
}

function printList(ranges: readonly PortRange[]): string {
	return joinSome(
		ranges.map((range) => printPorts(range, '-')),
		MOST_RANGES,
	);
}
