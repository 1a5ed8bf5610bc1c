import type {Published} from '../existing/nat/published-ports.ts';
import {groupBy} from '../lib/group-by.ts';
import {cutPorts, hasPort, joinRanges, onePort, type PortRange} from '../lib/port-ranges.ts';
import {PROTOCOLS, type Protocol} from '../policy/services.ts';
import type {Listener} from '../services/listener.ts';
import {processOf, reachabilityOf, statesAt, summarize, type Viewpoint} from './aggregate.ts';
import {containerRows, redirectedRows} from './forwarded-rows.ts';
import type {Exposed} from './model.ts';

/**
 * What the outside can reach: each listener and each published port with its state, then the ports
 * that are open and nothing listens on.
 */
export function exposedRows(
	viewpoints: readonly Viewpoint[],
	listeners: readonly Listener[],
	published: readonly Published[],
): readonly Exposed[] {
	const containers = containerRows(viewpoints, published);
	const listening = joinFamilies([
		...containers,
		...redirectedRows(viewpoints, listeners),
		...listeners
			.map((listener) => behindProxy(listener, containers))
			.flatMap((listener) => listenerRows(viewpoints, listener)),
	]).sort(byReach);
	const known = PROTOCOLS.map((protocol) => ({
		protocol,
		ports: joinRanges(
			listening
				.filter((row) => row.protocol === protocol && row.through !== 'loopback')
				.flatMap(({ports}) => ports)
				// What is forwarded as a whole says little of each port.
				.filter(({first, last}) => last - first < WIDE),
		),
	}));
	return [
		...listening,
		...known.flatMap(({protocol, ports}) => silentRows(viewpoints, protocol, ports)),
	];
}

const WIDE = 1024;

/** Sockets of one program on one port are one row, where they differ by their family or address alone. */
function joinFamilies(rows: readonly Exposed[]): Exposed[] {
	return groupBy(rows, ({families: _, ...others}) =>
		JSON.stringify(Object.entries(others).sort()),
	).flatMap((group) => {
		const families = new Set(group.flatMap((row) => row.families));
		return group.slice(0, 1).map((row) => ({...row, families: [...families].sort()}));
	});
}

/** A proxy of a container listens in vain for the families whose packets are forwarded before it. */
function behindProxy(listener: Listener, containers: readonly Exposed[]): Listener {
	const {container, protocol, port, families} = listener;
	const forwarded = containers
		.filter((row) => row.protocol === protocol && hasPort(row.ports, port))
		.flatMap((row) => row.families);
	return container === undefined
		? listener
		: {...listener, families: families.filter((family) => !forwarded.includes(family))};
}

/** What can be reached first, then what is not known, then the rest; each by port. */
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

function listenerRows(viewpoints: readonly Viewpoint[], listener: Listener): readonly Exposed[] {
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
			...(viewpoints.some(({after}) => after) ? {after: 'shut' as const} : {}),
		};
		return [{...row, ...shut, families, from: 'this machine only', through: 'loopback'}];
	}

	const all = address === '0.0.0.0' || address === '::';
	const there = viewpoints.filter(
		({family, inInterface}) =>
			families.includes(family) && (on === undefined || on === inInterface),
	);
	const exact = there.filter(({destination}) => destination === address);
	const seen = (all || exact.length === 0 ? there : exact).map((viewpoint) => ({
		viewpoint,
		...statesAt(viewpoint, (visibility) => reachabilityOf(visibility, protocol, port)),
	}));
	return summarize(seen).map((found) => ({...row, ...found, through: 'INPUT'}));
}

/** Ports that nothing listens on, as far as they are open or not known to be shut. */
function silentRows(
	viewpoints: readonly Viewpoint[],
	protocol: Protocol,
	known: readonly PortRange[],
): readonly Exposed[] {
	const edges = viewpoints
		.flatMap(({before, after}) => [before, ...(after === undefined ? [] : [after])])
		.flatMap(({open, unknown}) => [...open[protocol], ...unknown[protocol]])
		.concat(known)
		.flatMap(({first, last}) => [first, last + 1]);
	const rows = cutPorts(edges)
		.filter(({first}) => !hasPort(known, first))
		.flatMap((range) =>
			summarize(
				viewpoints.map((viewpoint) => ({
					viewpoint,
					...statesAt(viewpoint, (visibility) => reachabilityOf(visibility, protocol, range.first)),
				})),
			).map((states) => ({...states, range})),
		)
		.filter(({before, after}) => before !== 'shut' || (after ?? 'shut') !== 'shut');
	return groupBy(rows, ({from, families, before, after}) =>
		JSON.stringify([from, families, before, after]),
	).flatMap((group) => {
		const [first] = group;
		if (first === undefined) {
			return [];
		}

		const {range: _, ...states} = first;
		const ports = joinRanges(group.map(({range}) => range));
		return [{...states, protocol, ports, through: 'INPUT' as const, listens: false}];
	});
}
