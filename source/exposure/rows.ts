import type {Published} from '../existing/nat/published-ports.ts';
import {groupBy} from '../lib/group-by.ts';
import {cutPorts, hasPort, joinRanges, onePort, type PortRange} from '../lib/port-ranges.ts';
import {PROTOCOLS, type Protocol} from '../policy/services.ts';
import type {Listener} from '../services/listener.ts';
import {
	processOf,
	reachabilityOf,
	statesFrom,
	summarize,
	type VisibilityFrom,
} from './aggregate.ts';
import {containerRows, redirectedRows} from './forwarded-rows.ts';
import type {Exposed} from './model.ts';

/**
 * The rows of an exposure: each listener and each published port with its state, then the ports that are
 * open although nothing listens on them.
 */
export function exposedRows(
	visibilities: readonly VisibilityFrom[],
	listeners: readonly Listener[],
	published: readonly Published[],
): readonly Exposed[] {
	const containers = containerRows(visibilities, published, listeners);
	const listening = joinFamilies([
		...containers,
		...redirectedRows(visibilities, listeners),
		...listeners
			.map((listener) => behindProxy(listener, containers))
			.flatMap((listener) => listenerRows(visibilities, listener)),
	]).sort(byReach);
	const known = PROTOCOLS.map((protocol) => ({
		protocol,
		ports: joinRanges(
			listening
				.filter((row) => row.protocol === protocol && row.through !== 'loopback')
				.flatMap(({ports}) => ports)
				// A range that is forwarded as a whole says little about each of its ports.
				.filter(({first, last}) => last - first < WIDE),
		),
	}));
	return [
		...listening,
		...known.flatMap(({protocol, ports}) => silentRows(visibilities, protocol, ports)),
	];
}

/** Ports of a range. */
const WIDE = 1024;

/** Joins the sockets of one program on one port that differ only by their family or address. */
function joinFamilies(rows: readonly Exposed[]): Exposed[] {
	return groupBy(rows, ({families: _, ...others}) =>
		JSON.stringify(Object.entries(others).sort()),
	).map((group) => {
		const families = new Set(group.flatMap((row) => row.families));
		return {...group[0], families: [...families].sort()};
	});
}

/** Without the families whose packets are forwarded to the container before they reach its proxy. */
function behindProxy(listener: Listener, containers: readonly Exposed[]): Listener {
	const {container, protocol, port, families} = listener;
	const forwarded = containers
		.filter((row) => row.protocol === protocol && hasPort(row.ports, port))
		.flatMap((row) => row.families);
	return container === undefined
		? listener
		: {...listener, families: families.filter((family) => !forwarded.includes(family))};
}

/** Sorts reachable ports first, then unknown ones, then closed ones, then loopback; each by number. */
function byReach(a: Exposed, b: Exposed): number {
	const rank = ({through, before, after}: Exposed) =>
		through === 'loopback'
			? 3
			: before === 'open' || after === 'open'
				? 0
				: before === 'unknown' || after === 'unknown'
					? 1
					: 2;
	return rank(a) - rank(b) || (a.ports[0]?.first ?? 0) - (b.ports[0]?.first ?? 0);
}

function listenerRows(
	visibilities: readonly VisibilityFrom[],
	listener: Listener,
): readonly Exposed[] {
	const {protocol, port, address, on, families, reach} = listener;
	const row = {
		protocol,
		ports: [onePort(port)],
		listens: true,
		...processOf(listener),
	};
	if (reach === 'loopback') {
		const shut = {
			before: 'shut' as const,
			...(visibilities.some(({after}) => after) ? {after: 'shut' as const} : {}),
		};
		return [{...row, ...shut, families, from: 'this machine only', through: 'loopback'}];
	}

	const all = address === '0.0.0.0' || address === '::';
	const possible = visibilities.filter(
		({family, inInterface}) =>
			families.includes(family) && (on === undefined || on === inInterface),
	);
	// Of an interface from which packets went to this very address, these tell.
	const exact = new Set(
		possible.flatMap(({destination, inInterface}) =>
			destination === address ? [inInterface] : [],
		),
	);
	const states = possible
		.filter(
			({destination, inInterface}) => all || !exact.has(inInterface) || destination === address,
		)
		.map((one) => statesFrom(one, (visibility) => reachabilityOf(visibility, protocol, port)));
	return summarize(states).map((summary) => ({...row, ...summary, through: 'INPUT'}));
}

/** The ports that nothing listens on, without the ports that are known to be closed. */
function silentRows(
	visibilities: readonly VisibilityFrom[],
	protocol: Protocol,
	known: readonly PortRange[],
): readonly Exposed[] {
	const edges = visibilities
		.flatMap(({before, after}) => [before, ...(after === undefined ? [] : [after])])
		.flatMap(({open, unknown}) => [...open[protocol], ...unknown[protocol]])
		.concat(known)
		.flatMap(({first, last}) => [first, last + 1]);
	const rows = cutPorts(edges)
		.filter(({first}) => !hasPort(known, first))
		.flatMap((range) =>
			summarize(
				visibilities.map((one) =>
					statesFrom(one, (visibility) => reachabilityOf(visibility, protocol, range.first)),
				),
				false,
			).map((states) => ({...states, range})),
		)
		.filter(({before, after}) => before !== 'shut' || (after ?? 'shut') !== 'shut');
	return groupBy(rows, ({from, families, before, after}) =>
		JSON.stringify([from, families, before, after]),
	).map((group) => {
		const [{range: _, ...states}] = group;
		const ports = joinRanges(group.map(({range}) => range));
		return {...states, protocol, ports, through: 'INPUT' as const, listens: false};
	});
}
