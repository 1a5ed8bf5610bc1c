import {groupBy} from '../lib/group-by.ts';
import {FAMILIES, type Family} from '../lib/network.ts';
import {ALL_PORTS, hasPort, type PortRange} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import type {Listener} from '../services/listener.ts';
import type {Exposed, Reach} from './model.ts';

type Ranges = Readonly<Record<Protocol, readonly PortRange[]>>;

/** Ports from which packets are sent on to somebody else, or to another port of this machine. */
export type SentOn = PortRange & {
	readonly protocol: Protocol;
	/** `172.17.0.2:80` */
	readonly to: string;
	readonly here: boolean;
};

/** What is known of the ports of this machine, as seen from one place. Ascending, without overlaps. */
export type Visibility = {
	/** Let in to this machine. */
	readonly open: Ranges;
	readonly unknown: Ranges;
	/** Sent on by DNAT; 'unknown' where only rules could be read. */
	readonly forwarded: 'unknown' | readonly SentOn[];
	/** More may be sent on, by routes that no copy was made of. */
	readonly mayForwardMore?: boolean;
};

const ALL: readonly PortRange[] = [ALL_PORTS];
export const UNKNOWN_VISIBILITY: Visibility = {
	open: {tcp: [], udp: []},
	unknown: {tcp: ALL, udp: ALL},
	forwarded: 'unknown',
};

/** Somewhere outside that packets come from. */
export type Viewpoint = {
	readonly family: Family;
	/** 'anywhere on eth0', or the network that it stands for. */
	readonly name: string;
	/** Anybody who comes in on an interface, not somebody of whom some rule speaks. */
	readonly general: boolean;
	readonly inInterface: string;
	/** The address of this machine that is looked at; absent: any. */
	readonly destination?: string;
	readonly before: Visibility;
	readonly after?: Visibility;
};

export type States = Pick<Exposed, 'before' | 'after'>;
/** What one lookout sees of one thing. */
export type Seen = States & {readonly viewpoint: Viewpoint};

/** What a lookout sees of something, now and then. */
export function statesAt(
	{before, after}: Viewpoint,
	look: (visibility: Visibility) => Reach,
): States {
	return {before: look(before), ...(after === undefined ? {} : {after: look(after)})};
}

/**
 * The same said once: for anywhere where all interfaces agree, else for each; for a network only
 * where it is another; for both families where they agree.
 */
export function summarize(
	seen: readonly Seen[],
): ReadonlyArray<States & Pick<Exposed, 'families' | 'from'>> {
	const parts = FAMILIES.flatMap((family) => {
		const mine = seen.filter(({viewpoint}) => viewpoint.family === family);
		const general = mergeAddresses(mine.filter(({viewpoint}) => viewpoint.general));
		const [first] = general;
		const agree = general.every((one) => isSame(one, first));
		const special = mine.filter(
			({viewpoint, ...states}) =>
				!viewpoint.general &&
				!general.some(
					(one) => one.viewpoint.inInterface === viewpoint.inInterface && isSame(one, states),
				),
		);
		return [
			...(agree ? general.slice(0, 1) : general).map(({viewpoint, before, after}) => ({
				family,
				from: agree ? 'anywhere' : viewpoint.name,
				before,
				after,
			})),
			...mergeAddresses(special).map(({viewpoint, before, after}) => ({
				family,
				from: viewpoint.name,
				before,
				after,
			})),
		];
	});
	return groupBy(parts, ({from, before, after}) => JSON.stringify([from, before, after])).flatMap(
		(group) => {
			const [first] = group;
			if (first === undefined) {
				return [];
			}

			const {from, before, after} = first;
			const families = group.map(({family}) => family);
			return [{families, from, before, ...(after === undefined ? {} : {after})}];
		},
	);
}

/** One for each place, whatever address of this machine it looks at: the most that is open there. */
function mergeAddresses(seen: readonly Seen[]): readonly Seen[] {
	return groupBy(seen, ({viewpoint}) => viewpoint.name).flatMap((group) => {
		const [first] = group;
		if (first === undefined) {
			return [];
		}

		const after = group.flatMap(({after}) => after ?? []);
		return [
			{
				viewpoint: first.viewpoint,
				before: most(group.map(({before}) => before)),
				...(after.length === 0 ? {} : {after: most(after)}),
			},
		];
	});
}

function most(reaches: readonly Reach[]): Reach {
	return (['open', 'unknown'] as const).find((reach) => reaches.includes(reach)) ?? 'shut';
}

function isSame(a: States, b: States | undefined): boolean {
	return a.before === b?.before && a.after === b?.after;
}

/** What a sight says of a port of this machine itself. */
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

/** Who listens, as far as it is known. */
export function processOf({process, kernel, container}: Listener): Pick<Exposed, 'process' | 'by'> {
	const name = process ?? (kernel ? 'the kernel' : undefined);
	return {
		...(name === undefined ? {} : {process: name}),
		...(container === undefined ? {} : {by: container}),
	};
}
