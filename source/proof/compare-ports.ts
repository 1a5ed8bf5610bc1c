import {type PortRange, subtractRanges} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import type {Ports} from './count-nft.ts';
import type {PublishedPorts} from './published.ts';
import type {Fate} from './responsible-rule.ts';
import type {NamedVantagePoint} from './vantage-points.ts';

/** Ports by what became of their packets, and those that a policy opens. */
export type SeenPorts = {
	/** The packets reached this machine. */
	readonly passed: Ports;
	/** They went to a container or another machine. */
	readonly forwarded: Ports;
	readonly expected: Ports;
};

/** The same, and where the packets came from. */
type SeenFrom = SeenPorts & {
	readonly vantagePoint: Pick<NamedVantagePoint, 'kind'>;
	/** The ports that DNAT sends to a container or another machine. */
	readonly published: readonly PublishedPorts[];
};

/** The ports of one protocol that packets found other than a policy says, and how. */
type PortFault = {readonly fate: Fate; readonly ports: readonly PortRange[]};

/**
 * Compares ports with a policy. A port that the policy opens is open, whoever serves it: this machine or a
 * container. What containers and guests send to each other's published ports is not governed: Docker drops
 * it between its networks where it has no proxy.
 * @param judged whether ports that are forwarded against the policy are a fault
 */
export function comparePorts(
	{passed, forwarded, expected, published, vantagePoint}: SeenFrom,
	protocol: Protocol,
	judged: boolean,
): readonly PortFault[] {
	const left =
		vantagePoint.kind === 'inside' ? published.filter((one) => one.protocol === protocol) : [];
	const reached = [...passed[protocol], ...forwarded[protocol], ...left];
	const faults: readonly PortFault[] = [
		{fate: 'open', ports: subtractRanges(passed[protocol], expected[protocol])},
		{fate: 'closed', ports: subtractRanges(expected[protocol], reached)},
		{
			fate: 'forwarded',
			ports: judged ? subtractRanges(forwarded[protocol], expected[protocol]) : [],
		},
	];
	return faults.filter(({ports}) => ports.length > 0);
}
