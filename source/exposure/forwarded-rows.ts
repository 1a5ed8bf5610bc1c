import type {Published} from '../existing/nat/published-ports.ts';
import {groupBy} from '../lib/group-by.ts';
import {joinRanges, type PortRange, rangesOverlap} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import type {Listener} from '../services/listener.ts';
import {
	processOf,
	reachabilityOf,
	type SentOn,
	statesAt,
	summarize,
	type Viewpoint,
	type Visibility,
} from './aggregate.ts';
import type {Exposed, Reach} from './model.ts';

/** Ports from which packets are sent to another port of this machine. */
export function redirectedRows(
	viewpoints: readonly Viewpoint[],
	listeners: readonly Listener[],
): readonly Exposed[] {
	const sent = sentOn(viewpoints).filter(({here}) => here);
	return groupBy(sent, ({protocol, to}) => `${protocol} ${to}`).flatMap((group) => {
		const [{protocol, to} = {protocol: 'tcp' as const, to: ''}] = group;
		const family = to.startsWith('[') ? 6 : 4;
		const port = Number(/\d+$/.exec(to)?.[0]);
		const behind = listeners.find(
			(one) => one.protocol === protocol && one.port === port && one.families.includes(family),
		);
		const there = viewpoints.filter((viewpoint) => viewpoint.family === family);
		return joinRanges(group).flatMap((range) =>
			summarize(
				there.map((viewpoint) => ({
					viewpoint,
					...statesAt(viewpoint, (visibility) => reachabilityOf(visibility, protocol, range.first)),
				})),
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

function sentOn(viewpoints: readonly Viewpoint[]): readonly SentOn[] {
	return viewpoints
		.flatMap(({before, after}) => [before.forwarded, after?.forwarded ?? []])
		.flatMap((forwarded) => (forwarded === 'unknown' ? [] : forwarded));
}

/** What is forwarded to containers and other machines, by rules that are known or by packets that were seen. */
export function containerRows(
	viewpoints: readonly Viewpoint[],
	published: readonly Published[],
): readonly Exposed[] {
	const found = sentOn(viewpoints).filter(({here}) => !here);
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
		const [first] = group;
		return first === undefined
			? []
			: joinRanges(group).map((range) => ({
					...range,
					protocol: first.protocol,
					to: first.to,
					by: 'a DNAT rule',
					families: [first.to.startsWith('[') ? (6 as const) : (4 as const)],
				}));
	});
	return groupBy([...known, ...nameless], (port) =>
		JSON.stringify([port.protocol, port.first, port.last, port.by]),
	).flatMap((group) => {
		const [port] = group;
		if (port === undefined) {
			return [];
		}

		const {protocol, first, last, by} = port;
		const families = new Set(group.flatMap(({families}) => families));
		const row = {
			protocol,
			ports: [{first, last}],
			listens: true,
			to: [...new Set(group.map(({to}) => to))].join(', '),
			by,
			through: 'a container' as const,
		};
		const seen = viewpoints
			.filter(({family}) => families.has(family))
			.map((viewpoint) => ({
				viewpoint,
				...statesAt(viewpoint, (visibility) => forwardOf(visibility, protocol, {first, last})),
			}));
		return summarize(seen).map((states) => ({...row, ...states}));
	});
}

/** Open when some port of the range is. */
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
