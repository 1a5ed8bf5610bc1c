import {forEachYielding} from '../host/exec/yield.ts';
import {type Interface, masterOf} from '../host/machine/interfaces.ts';
import {
	contains,
	FAMILIES,
	type Family,
	familyOf,
	type Network,
	printNetwork,
} from '../lib/network.ts';
import {isInterface} from '../policy/interface-pattern.ts';
import {isDiscovery, type PortOpening, type ProtocolOpening} from '../policy/opening.ts';
import type {Policy} from '../policy/policy.ts';
import {networksOf} from '../policy/sources.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {RemoteClient} from '../ruleset/lockout.ts';
import {planInside} from './plan-inside.ts';
import {ownAddresses, pickStranger, sampleNetwork, sourceFilter} from './sample-addresses.ts';

/** A vantage point with what it stands for. */
export type NamedVantagePoint = VantagePoint & {
	/**
	 * `anywhere`: a stranger, whom no rule names. `network`: an address in a network that a rule names.
	 * `beside`: the nearest address outside of that network. `client`: the remote client that is connected.
	 * `inside`: a container or guest of this machine, or a host that it gives an address to.
	 */
	readonly kind: 'anywhere' | 'network' | 'beside' | 'client' | 'inside';
	/** `anywhere`, `anywhere on eth1`, `10.0.0.0/8` (also beside it), `you, 198.51.100.9`, `containers of app_default` */
	readonly name: string;
};

/** `anywhere`, `10.0.0.0/8`, `just outside of 10.0.0.0/8` */
export function placeOf({kind, name}: Pick<NamedVantagePoint, 'kind' | 'name'>): string {
	return kind === 'beside' ? `just outside of ${name}` : name;
}

/** Whether a vantage point is no network of the rules. */
export function isFixed({kind}: NamedVantagePoint): boolean {
	return kind === 'anywhere' || kind === 'client';
}

/** A network that rules treat in another way than strangers, and the interface that the rule names. */
export type SourceNetwork = {readonly network: Network; readonly on?: string | undefined};

/** Whether its link exists from the beginning: nothing else comes in there. */
export function hasOwnLink(one: NamedVantagePoint): boolean {
	return isFixed(one) || one.kind === 'inside';
}

/** The networks of an opening's sources. */
export function sourceNetworks({
	from = [],
	on,
}: PortOpening | ProtocolOpening): readonly SourceNetwork[] {
	return networksOf(from).map((network) => ({network, on}));
}

/** An interface that strangers come in on. */
export type Entry = {
	readonly inInterface: string;
	/** What a stranger on it is called. */
	readonly name: string;
	/**
	 * The machine's addresses that are sent to; undefined for whichever it has there. Where a family has
	 * none, no packets reach the interface by that family.
	 */
	readonly destinations: Readonly<Record<Family, ReadonlyArray<string | undefined>>>;
};

type VantagePointRequest = {
	/** The machine's interfaces. No packet comes from one of their addresses. */
	readonly interfaces: readonly Interface[];
	readonly entries: readonly Entry[];
	/** The interface of the entries for sources that name none of them. */
	readonly main: string;
	/** An address that no rule names, for each family that has one. */
	readonly strangers: Readonly<Record<Family, string | undefined>>;
	readonly sources: readonly SourceNetwork[];
	readonly remoteClient: RemoteClient | undefined;
};

/**
 * Plans where packets are sent from: a stranger for each entry, one address in each network of the rules
 * and the nearest one outside of it, and the remote client.
 */
export async function planVantagePoints({
	interfaces,
	entries,
	main,
	strangers,
	sources,
	remoteClient,
}: VantagePointRequest): Promise<readonly NamedVantagePoint[]> {
	const isSource = sourceFilter(interfaces);
	const named = (on: string | undefined) =>
		entries.find(({inInterface}) => inInterface === on)?.inInterface ?? main;
	const points: NamedVantagePoint[] = entries.flatMap(({inInterface, name, destinations}) =>
		FAMILIES.flatMap((family) =>
			destinations[family].flatMap((destination) => {
				const source = strangers[family];
				return source === undefined
					? []
					: [
							{
								...{family, inInterface, source, kind: 'anywhere' as const, name},
								...(destination === undefined ? {} : {destination}),
							},
						];
			}),
		),
	);
	await forEachYielding(sources, ({network, on}) => {
		const {family} = network;
		const {inside, outside} = sampleNetwork(network);
		const samplesOf = {network: inside, beside: inside.length === 0 ? [] : outside};
		const name = printNetwork(network);
		for (const kind of ['network', 'beside'] as const) {
			const source = samplesOf[kind].find(isSource);
			if (source !== undefined) {
				points.push({family, inInterface: named(on), source, kind, name});
			}
		}
	});
	if (remoteClient?.client !== undefined) {
		const {client: source, inInterface} = remoteClient;
		points.push({
			...{family: familyOf(source), inInterface: named(inInterface), source},
			...{kind: 'client', name: `you, ${source}`},
		});
	}

	for (const {tunnel, peer: source} of remoteClient?.accessPorts ?? []) {
		if (tunnel !== undefined && source !== undefined) {
			const name = `the other end of ${tunnel}, ${source}`;
			points.push({family: familyOf(source), inInterface: main, source, kind: 'client', name});
		}
	}

	const isReachable = ({family, inInterface}: VantagePoint) =>
		entries.some((one) => one.inInterface === inInterface && one.destinations[family].length > 0);
	const own = ownAddresses(interfaces);
	return points.filter((point) => !own.has(point.source) && isReachable(point));
}

export type PolicyVantagePoints = {
	readonly vantagePoints: readonly NamedVantagePoint[];
	/** Both ends of each network of the policy, and its neighbours, as far as they are not among those. */
	readonly edges: readonly NamedVantagePoint[];
	/** Networks of the policy that no packet from outside can come from. */
	readonly untried: readonly string[];
};

/**
 * Plans where packets are sent from to prove a policy. Strangers come in on each interface that the policy
 * names and on one that it does not name; its networks are tried inside and just outside.
 */
export async function planForPolicy(
	policy: Policy,
	interfaces: readonly Interface[],
	remoteClient: RemoteClient | undefined,
): Promise<PolicyVantagePoints> {
	const openings = policy.openings.filter((opening) => !isDiscovery(opening));
	const outer = interfaces.filter(({inside}) => inside === undefined);
	const within = planInside(interfaces);
	const patterns = [...new Set(openings.flatMap(({on}) => on ?? []))];
	const named = patterns
		.flatMap((on) => interfacesNamed(on, interfaces))
		// No packet comes in there.
		.filter((name) => masterOf(name) === undefined);
	const usual = remoteClient?.inInterface ?? outer[0]?.name ?? 'eth0';
	// A port that is open on the named interfaces only has to be closed on another one.
	const main = named.includes(usual)
		? (outer.find(({name}) => !named.includes(name))?.name ?? 'fww-other')
		: usual;
	const sources = openings.flatMap((opening) =>
		sourceNetworks(opening).flatMap(({network, on}): readonly SourceNetwork[] =>
			on === undefined
				? [{network}]
				: interfacesNamed(on, interfaces).map((name) => ({network, on: name})),
		),
	);
	const own = ownAddresses(interfaces);
	const isReferenced = (address: string) =>
		own.has(address) ||
		sources.some(({network: {cidr}}) => !cidr.endsWith('/0') && contains(cidr, address));
	const stranger = (family: Family) =>
		pickStranger(family, isReferenced) ?? pickStranger(family, (address) => own.has(address));
	const planned = await planVantagePoints({
		...{interfaces, main, sources, remoteClient},
		strangers: {4: stranger(4), 6: stranger(6)},
		entries: [main, ...named].map((inInterface) => ({
			inInterface,
			name: inInterface === main ? 'anywhere' : `anywhere on ${inInterface}`,
			destinations: {4: [undefined], 6: [undefined]},
		})),
	});
	// On a bridge without addresses of a family guests may have some later.
	const onBridge = (one: NamedVantagePoint): readonly NamedVantagePoint[] => {
		const {inside} = interfaces.find(({name}) => name === one.inInterface) ?? {};
		return one.kind !== 'anywhere' || inside === undefined
			? [one]
			: within.some(
						({family, inInterface}) => family === one.family && inInterface === one.inInterface,
					)
				? []
				: [{...one, kind: 'inside', name: inside}];
	};
	// Of several that would send the same packets, the last one says most.
	const unique = new Map(
		[...planned.flatMap(onBridge), ...within].map((point) => [
			`${point.source} ${point.inInterface}` as string,
			point,
		]),
	);
	const isSource = sourceFilter(interfaces);
	const edges = new Map<string, NamedVantagePoint>();
	const unusable = new Set<string>();
	await forEachYielding(sources, ({network, on}) => {
		const {inside, first, last, outside} = sampleNetwork(network);
		const name = printNetwork(network);
		if (inside.length === 0) {
			unusable.add(name);
			return;
		}

		const ends = [first, last].flatMap((addresses) => addresses.find(isSource) ?? []);
		for (const source of [...ends, ...outside.filter(isSource)]) {
			const inInterface = on ?? main;
			const kind = outside.includes(source) ? 'beside' : 'network';
			const key = `${source} ${inInterface}`;
			if (!unique.has(key)) {
				edges.set(key, {family: network.family, inInterface, source, kind, name});
			}
		}
	});
	return {
		vantagePoints: [...unique.values()],
		edges: [...edges.values()],
		untried: [...unusable],
	};
}

/**
 * The vantage points of one address under a policy. Its packets arrive on the interface whose network it
 * belongs to. For another address that interface is not known, and each one that the policy tells apart
 * is a vantage point.
 */
export async function vantagePointsOf(
	source: string,
	policy: Policy,
	interfaces: readonly Interface[],
): Promise<readonly NamedVantagePoint[]> {
	const near = interfaces.find(({addresses}) => addresses.some((cidr) => contains(cidr, source)));
	const {vantagePoints} = await planForPolicy(policy, interfaces, undefined);
	const names = near ? [near.name] : vantagePoints.map(({inInterface}) => inInterface);
	return [...new Set(names)].map((inInterface) => ({
		...{family: familyOf(source), inInterface, source},
		...{kind: 'client', name: source},
	}));
}

/** The interfaces that an opening names: of those that are here, or one that could be. */
function interfacesNamed(on: string, interfaces: readonly Interface[]): readonly string[] {
	const here = interfaces.map(({name}) => name).filter((name) => isInterface(on, name));
	return here.length > 0 ? here : [on.replace(/\+$/, '0')];
}
