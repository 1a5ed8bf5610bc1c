import {groupBy} from '../lib/group-by.ts';
import {joinWords} from '../lib/list.ts';
import {FAMILIES} from '../lib/network.ts';
import {ALL_PORTS, hasPort, type PortRange} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import type {NamedVantagePoint} from '../proof/vantage-points.ts';
import {type Listener, programOf} from '../services/listener.ts';
import type {Exposed, Reach} from './model.ts';

type Ranges = Readonly<Record<Protocol, readonly PortRange[]>>;

/** Ports whose packets DNAT sends to a container, to another machine, or to another port of this one. */
export type SentOn = PortRange & {
	readonly protocol: Protocol;
	/** `172.17.0.2:80` */
	readonly to: string;
	/** `to` is an address of this machine. */
	readonly here: boolean;
};

/** What is known of this machine's ports, seen from one vantage point. Ascending ranges without overlaps. */
export type Visibility = {
	/** Packets reach this machine. */
	readonly open: Ranges;
	readonly unknown: Ranges;
	/** Packets are forwarded by DNAT; 'unknown' where no packets were sent. */
	readonly forwarded: 'unknown' | readonly SentOn[];
	/** The protocols without ports that pass, by their numbers; absent where no packets were sent. */
	readonly protocols?: ReadonlySet<number> | undefined;
	/** More may be forwarded: the copy does not route as this machine does. */
	readonly mayForwardMore?: boolean;
};

const ALL: readonly PortRange[] = [ALL_PORTS];
/** Nothing is known of any port. */
export const UNKNOWN_VISIBILITY: Visibility = {
	open: {tcp: [], udp: []},
	unknown: {tcp: ALL, udp: ALL},
	forwarded: 'unknown',
};

/** A vantage point with what is reachable from it now, and after a planned change. */
export type VisibilityFrom = NamedVantagePoint & {
	readonly before: Visibility;
	/** Absent without a planned change. */
	readonly after?: Visibility;
};

type States = Pick<Exposed, 'before' | 'after'>;
/** Whether one port is reachable from one vantage point. */
type StatesFrom = States & {readonly vantagePoint: NamedVantagePoint};

/** Asks the same of what is reachable from a vantage point now, and after the change. */
export function statesFrom(
	from: VisibilityFrom,
	reachability: (visibility: Visibility) => Reach,
): StatesFrom {
	const {before, after} = from;
	return {
		vantagePoint: from,
		before: reachability(before),
		...(after === undefined ? {} : {after: reachability(after)}),
	};
}

/**
 * Joins the states of one port. Strangers are `anywhere` where their states on all interfaces are the
 * same, otherwise there is one row for each interface; a network or the remote client has a row only where
 * its state differs from that of strangers; families with the same states share a row. So do containers
 * and guests of the same states: they have one where more is open to them, and where they lose what they use.
 * @param used whether a program listens on the port
 */
export function summarize(
	states: readonly StatesFrom[],
	used = true,
): ReadonlyArray<States & Pick<Exposed, 'families' | 'from'>> {
	const parts = FAMILIES.flatMap((family) => {
		const mine = states.filter(({vantagePoint}) => vantagePoint.family === family);
		const isStranger = ({vantagePoint}: StatesFrom) => vantagePoint.kind === 'anywhere';
		const isInside = ({vantagePoint}: StatesFrom) => vantagePoint.kind === 'inside';
		const strangers = mergeAddresses(mine.filter(isStranger));
		const [first] = strangers;
		const agree = strangers.every((one) => isSame(one, first));
		const isLikeStrangers = (one: StatesFrom) =>
			strangers.some(
				(stranger) =>
					stranger.vantagePoint.inInterface === one.vantagePoint.inInterface &&
					isSame(stranger, one),
			);
		const others = mine.filter(
			(one) => !isStranger(one) && !isInside(one) && !isLikeStrangers(one),
		);
		const inside = mergeAddresses(mine.filter(isInside)).filter(
			(one) =>
				(!(agree && isSame(one, first)) && [one.before, one.after].includes('open')) ||
				(used && one.before === 'open' && one.after !== undefined && one.after !== 'open'),
		);
		return [
			...(agree ? strangers.slice(0, 1) : strangers).map(({vantagePoint, before, after}) => ({
				...{family, from: agree ? 'anywhere' : vantagePoint.name, before, after},
			})),
			...mergeAddresses(others).map(({vantagePoint, before, after}) => ({
				...{family, from: vantagePoint.name, before, after},
			})),
			...groupBy(inside, ({before, after}) => `${before} ${after}`).map((group) => {
				const [{before, after}] = group;
				return {family, from: joinNames(group), before, after};
			}),
		];
	});
	return groupBy(parts, ({from, before, after}) => JSON.stringify([from, before, after])).map(
		(group) => {
			const [{from, before, after}] = group;
			const families = group.map(({family}) => family);
			return {families, from, before, ...(after === undefined ? {} : {after})};
		},
	);
}

/** More networks than these are counted. */
const MOST_NAMES = 3;

/** `containers of app_default, guests on virbr0 and 2 more` */
function joinNames(states: readonly StatesFrom[]): string {
	const names = states.map(({vantagePoint}) => vantagePoint.name);
	const more = names.length - MOST_NAMES;
	return more > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more` : joinWords(names);
}

/**
 * Joins the vantage points that differ only in the address of this machine that they send to. A port is
 * open where it is open at one of the addresses.
 */
function mergeAddresses(states: readonly StatesFrom[]): readonly StatesFrom[] {
	return groupBy(states, ({vantagePoint}) => vantagePoint.name).map((group) => {
		const after = group.flatMap(({after}) => after ?? []);
		return {
			vantagePoint: group[0].vantagePoint,
			before: mostOpen(group.map(({before}) => before)),
			...(after.length === 0 ? {} : {after: mostOpen(after)}),
		};
	});
}

function mostOpen(reaches: readonly Reach[]): Reach {
	return (['open', 'unknown'] as const).find((reach) => reaches.includes(reach)) ?? 'shut';
}

function isSame(a: States, b: States | undefined): boolean {
	return a.before === b?.before && a.after === b?.after;
}

/** Whether packets to a port reach this machine itself. */
export function reachabilityOf(
	{open, unknown}: Visibility,
	protocol: Protocol,
	port: number,
): Reach {
	return hasPort(open[protocol], port)
		? 'open'
		: hasPort(unknown[protocol], port)
			? 'unknown'
			: 'shut';
}

/** The name of the program that listens, and the container that it listens for, as far as they are known. */
export function processOf(listener: Listener): Pick<Exposed, 'process' | 'by'> {
	const name = programOf(listener);
	const {container} = listener;
	return {
		...(name === undefined ? {} : {process: name}),
		...(container === undefined ? {} : {by: container}),
	};
}
