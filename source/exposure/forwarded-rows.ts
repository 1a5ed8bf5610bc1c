import type {Published} from '../existing/nat/published-ports.ts';
import {groupBy} from '../lib/group-by.ts';
import {cutPorts, joinRanges, type PortRange, rangesOverlap} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import type {Listener} from '../services/listener.ts';
import {
	processOf,
	reachabilityOf,
	type SentOn,
	statesFrom,
	summarize,
	type Visibility,
	type VisibilityFrom,
} from './aggregate.ts';
import type {Exposed, Reach} from './model.ts';

/** A row for each port of this machine that packets to other ports are redirected to. */
export function redirectedRows(
	visibilities: readonly VisibilityFrom[],
	listeners: readonly Listener[],
): readonly Exposed[] {
	const sent = sentOn(visibilities).filter(({here}) => here);
	// Redirected packets keep the address that they were sent to: of several the first one stands for all.
	const keyOf = ({protocol, to}: SentOn) => `${protocol} ${to[0] === '['} ${/\d+$/.exec(to)}`;
	return groupBy(sent, keyOf).flatMap((group) => {
		const [{protocol, to}] = group;
		const family = to.startsWith('[') ? 6 : 4;
		const port = Number(/\d+$/.exec(to)?.[0]);
		const behind = listeners.find(
			(one) => one.protocol === protocol && one.port === port && one.families.includes(family),
		);
		const ofFamily = visibilities.filter((one) => one.family === family);
		return joinRanges(group).flatMap((range) =>
			summarize(
				ofFamily.map((one) =>
					statesFrom(one, (visibility) => reachabilityOf(visibility, protocol, range.first)),
				),
			).map((found) => ({
				...found,
				protocol,
				ports: [range],
				to,
				by: 'a DNAT rule',
				listens: behind !== undefined,
				...(behind === undefined ? {} : processOf(behind)),
				through: 'INPUT' as const,
			})),
		);
	});
}

function sentOn(visibilities: readonly VisibilityFrom[]): readonly SentOn[] {
	return visibilities
		.flatMap(({before, after}) => [before.forwarded, after?.forwarded ?? []])
		.flatMap((forwarded) => (forwarded === 'unknown' ? [] : forwarded));
}

/** A row for each port that is forwarded to a container or another machine, as rules say or packets show. */
export function containerRows(
	visibilities: readonly VisibilityFrom[],
	published: readonly Published[],
	listeners: readonly Listener[],
): readonly Exposed[] {
	const found = sentOn(visibilities).filter(({here}) => !here);
	const known = published.map((port) => ({
		...port,
		first: port.port,
		last: port.last ?? port.port,
	}));
	const isKnown = (protocol: Protocol, {first, last}: PortRange) =>
		known.some((port) => port.protocol === protocol && port.first <= first && last <= port.last);
	const nameless = groupBy(
		found.filter((one) => !isKnown(one.protocol, one)),
		({protocol, to}) => `${protocol} ${to}`,
	).flatMap((group) => {
		const [{protocol, to}] = group;
		return joinRanges(group).map((range) => ({
			...{...range, protocol, to, by: 'a DNAT rule'},
			families: [to.startsWith('[') ? (6 as const) : (4 as const)],
		}));
	});
	return groupBy([...known, ...nameless], (port) =>
		JSON.stringify([port.protocol, port.first, port.last, port.by]),
	).flatMap((group) => {
		const [{protocol, first, last, by}] = group;
		const families = new Set(group.flatMap(({families}) => families));
		const proxied = listeners.some(
			(one) => one.container !== undefined && one.protocol === protocol && one.port === first,
		);
		const containers = new Set(
			group.flatMap((one) => ('container' in one ? (one.container ?? []) : [])),
		);
		const row = {
			protocol,
			listens: true,
			to: [...new Set(group.map(({to}) => to))].join(', '),
			by,
			...(containers.size === 0 ? {} : {container: [...containers].join(', ')}),
			through: 'a container' as const,
		};
		const mine = visibilities.filter(({family}) => families.has(family));
		const summariesOf = (range: PortRange) =>
			summarize(
				mine.map((one) =>
					statesFrom(one, (visibility) => {
						const forwarded = forwardOf(visibility, protocol, range);
						// DNAT leaves out the container's own network: its packets reach the proxy through INPUT.
						return one.kind === 'inside' && forwarded === 'shut' && proxied
							? reachabilityOf(visibility, protocol, range.first)
							: forwarded;
					}),
				),
			);
		// A policy may open some ports of a range alone.
		const parts = partsOf({first, last}, protocol, mine).map((range) => ({
			range,
			summaries: summariesOf(range),
		}));
		return groupBy(parts, ({summaries}) => JSON.stringify(summaries)).flatMap((alike) =>
			alike[0].summaries.map((summary) => ({
				...row,
				ports: joinRanges(alike.map(({range}) => range)),
				...summary,
			})),
		);
	});
}

/** A range of ports, cut where ports begin or end that some packets were forwarded to. */
function partsOf(
	{first, last}: PortRange,
	protocol: Protocol,
	visibilities: readonly VisibilityFrom[],
): readonly PortRange[] {
	const edges = visibilities
		.flatMap(({before, after}) => [before, after ?? before])
		.flatMap(({forwarded}) => (forwarded === 'unknown' ? [] : forwarded))
		.filter((one) => !one.here && one.protocol === protocol)
		.flatMap((one) => [one.first, one.last + 1]);
	return cutPorts([first, last + 1, ...edges]).filter(
		(range) => first <= range.first && range.last <= last,
	);
}

/** Whether packets to some port of the range are forwarded. */
function forwardOf(visibility: Visibility, protocol: Protocol, range: PortRange): Reach {
	const {forwarded, mayForwardMore} = visibility;
	return forwarded === 'unknown'
		? 'unknown'
		: forwarded.some((one) => !one.here && one.protocol === protocol && rangesOverlap(one, range))
			? 'open'
			: mayForwardMore
				? 'unknown'
				: 'shut';
}
