import type {Visibility} from '../../exposure/aggregate.ts';
import {groupBy} from '../../lib/group-by.ts';
import type {Family} from '../../lib/network.ts';
import {joinRanges, type PortRange, subtractRanges} from '../../lib/port-ranges.ts';
import {PROTOCOLS, type Protocol} from '../../policy/services.ts';
import type {NamedVantagePoint} from '../../proof/vantage-points.ts';

/** Ports that are open on one side only, and to whom. */
export type PortChange = {
	readonly protocol: Protocol;
	readonly ports: readonly PortRange[];
	readonly families: readonly Family[];
	/** `anywhere`, `anywhere on eth1`, `10.0.0.0/8` */
	readonly from: string;
};

/** What is reachable from a vantage point on the two sides. */
type SeenFrom = {
	readonly point: NamedVantagePoint;
	readonly sides: ReadonlyArray<Visibility | undefined>;
};

/** Ports by vantage point, before the families are joined. */
type Part = Omit<PortChange, 'families'> & {readonly point: NamedVantagePoint};

/** The ports that open and close from the first side to the second, and those of which it is not known. */
export function portChanges(
	views: readonly SeenFrom[],
): Readonly<Record<'opens' | 'closes' | 'unknown', readonly PortChange[]>> {
	// An address that nobody has been given stands for several where the machine has several addresses.
	const places = groupBy(views, ({point}) => `${point.family} ${point.name}`);
	const changes = {opens: [] as Part[], closes: [] as Part[], unknown: [] as Part[]};
	for (const place of places) {
		const [{point}] = place;
		for (const protocol of PROTOCOLS) {
			const reach = (side: number, what: 'open' | 'unknown') =>
				joinRanges(place.flatMap(({sides}) => sides[side]?.[what][protocol] ?? []));
			const [before, after] = [reach(0, 'open'), reach(1, 'open')];
			const unknown = joinRanges([...reach(0, 'unknown'), ...reach(1, 'unknown')]);
			const found = {
				opens: subtractRanges(subtractRanges(after, before), unknown),
				closes: subtractRanges(subtractRanges(before, after), unknown),
				unknown,
			};
			for (const kind of ['opens', 'closes', 'unknown'] as const) {
				changes[kind].push({protocol, ports: found[kind], from: point.name, point});
			}
		}
	}

	return {
		opens: summarize(changes.opens),
		closes: summarize(changes.closes),
		unknown: summarize(changes.unknown),
	};
}

/** Leaves out what holds for strangers on the same interface as well, and joins the families. */
function summarize(parts: readonly Part[]): readonly PortChange[] {
	const own = parts.map((part) => {
		const {family, inInterface, kind} = part.point;
		const implied =
			kind === 'anywhere'
				? []
				: parts
						.filter(
							({point, protocol}) =>
								point.kind === 'anywhere' &&
								point.family === family &&
								point.inInterface === inInterface &&
								protocol === part.protocol,
						)
						.flatMap(({ports}) => ports);
		return {...part, ports: subtractRanges(part.ports, implied)};
	});
	return groupBy(
		joinInterfaces(own).filter(({ports}) => ports.length > 0),
		({protocol, ports, from}) => JSON.stringify([protocol, ports, from]),
	).map((group) => {
		const [{protocol, ports, from}] = group;
		return {protocol, ports, families: group.map(({point}) => point.family), from};
	});
}

/** Strangers of whom the same is true on every interface are one. */
function joinInterfaces(parts: readonly Part[]): readonly Part[] {
	return groupBy(
		parts,
		({point, protocol}) => `${point.kind === 'anywhere'} ${point.family} ${protocol}`,
	).flatMap((group) => {
		const [first] = group;
		const agree = new Set(group.map(({ports}) => JSON.stringify(ports))).size === 1;
		return first.point.kind === 'anywhere' && agree ? [{...first, from: 'anywhere'}] : group;
	});
}
