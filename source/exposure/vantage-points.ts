import {yieldToEventLoop} from '../host/exec/yield.ts';
import type {Interface} from '../host/machine/interfaces.ts';
import {FAMILIES, type Family, familyOf, stripPrefixLength} from '../lib/network.ts';
import {isDiscovery} from '../policy/opening.ts';
import type {Policy} from '../policy/policy.ts';
import {planInside} from '../proof/plan-inside.ts';
import {ownAddresses, pickStranger} from '../proof/sample-addresses.ts';
import {
	type Entry,
	type NamedVantagePoint,
	type PolicyVantagePoints,
	planForPolicy,
	planVantagePoints,
	type SourceNetwork,
	sourceNetworks,
} from '../proof/vantage-points.ts';
import type {RemoteClient} from '../ruleset/lockout.ts';
import {isInternalInterface} from '../services/known-programs/find.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import {broadNetworks, referencesIn, sourcesInRules} from './sources-in-rules.ts';

type ExposureVantagePoints = {
	readonly vantagePoints: readonly NamedVantagePoint[];
	/** Where no packets are sent from although the rules may treat them in another way. One sentence each. */
	readonly gaps: readonly string[];
};

/** Packets are sent from this many of the networks that rules name, at most. */
const MOST_NETWORKS = 16;
/** The same of containers and guests: addresses that they send to, on all their bridges together. */
const MOST_INSIDE = 48;

/**
 * Plans where packets are sent from to measure what the outside can reach: a stranger on each interface,
 * towards each of its addresses that makes a difference; an address in each network that some rule or
 * opening allows; and the remote client that is connected.
 * @param running absent where the running rules could not be read
 * @param served addresses that something listens on or is published on
 */
export async function planForExposure(
	interfaces: readonly Interface[],
	families: readonly Family[],
	policy: Policy | undefined,
	running: RulesUnderTest | undefined,
	remoteClient: RemoteClient | undefined,
	served: ReadonlySet<string>,
): Promise<ExposureVantagePoints> {
	const unowned = interfaces.filter(({name}) => !isInternalInterface(name));
	const outside = unowned.filter(({inside}) => inside === undefined);
	// Where there is no other one, a bridge that no known program has made is what others reach this machine by.
	const outer = outside.length > 0 ? outside : unowned;
	const main = outer.find(({name}) => name === remoteClient?.inInterface) ?? outer[0];
	if (main === undefined) {
		return {
			vantagePoints: [],
			gaps: ['No interface was found through which others reach this machine.'],
		};
	}

	const texts = (running?.loads ?? []).map(({text}) => text);
	const opened = (policy?.openings ?? []).flatMap((opening): readonly SourceNetwork[] =>
		isDiscovery(opening) ? [] : sourceNetworks(opening),
	);
	// With thousands of rules, each of the two searches takes so long that keys would have to wait.
	await yieldToEventLoop();
	const sources = withoutRepetitions([...opened, ...sourcesInRules(texts)]);
	await yieldToEventLoop();
	const isInRules = referencesIn([...texts, ...opened.map(({network}) => network.cidr)]);
	const own = ownAddresses(interfaces);
	const isReferenced = (address: string) => own.has(address) || isInRules(address);
	const strangers = {4: pickStranger(4, isReferenced), 6: pickStranger(6, isReferenced)};
	const isNamed = (address: string) =>
		served.has(address) || texts.some((text) => text.includes(address));
	const destinations = (addresses: readonly string[], family: Family) =>
		families.includes(family) ? destinationsOf(addresses, family, isNamed) : [];
	const planned = await planVantagePoints({
		...{interfaces, main: main.name, strangers, sources, remoteClient},
		entries: outer.map(
			({name, addresses}): Entry => ({
				inInterface: name,
				name: `anywhere on ${name}`,
				destinations: {4: destinations(addresses, 4), 6: destinations(addresses, 6)},
			}),
		),
	});
	const ofKind = (kind: NamedVantagePoint['kind']) => planned.filter((one) => one.kind === kind);
	const networks = ofKind('network');
	const inside = planInside(interfaces, ({name, addresses}, family) => [
		...destinations(addresses, family),
		// Containers reach what is bound to other addresses of this machine through their own bridge, too.
		...outer
			.filter((one) => one.name !== name)
			.flatMap((one) => one.addresses.map(stripPrefixLength))
			.filter((address) => familyOf(address) === family && served.has(address)),
	]);
	return {
		vantagePoints: [
			...ofKind('anywhere'),
			...inside.slice(0, MOST_INSIDE),
			...networks.slice(0, MOST_NETWORKS),
			...ofKind('client'),
		],
		gaps: [
			...(networks.length > MOST_NETWORKS
				? [
						`Rules allow ${networks.length} networks: ${MOST_NETWORKS} of them were tried, and anywhere else.`,
					]
				: []),
			...(inside.length > MOST_INSIDE
				? ['There are so many bridges of containers and guests that some of them were not tried.']
				: []),
			...FAMILIES.filter(
				(family) => families.includes(family) && strangers[family] === undefined,
			).map(
				(family) =>
					`Rules speak of so many IPv${family} addresses that nobody was found of whom they do not: over IPv${family} it was not looked from anywhere.`,
			),
		],
	};
}

/**
 * Plans where packets are sent from to compare the running rules with the policy: where a proof of the
 * policy sends from, a stranger on each other interface, and an address in each network that the rules
 * allow. Both families are tried, also where the machine has no address of one now.
 */
export async function planForRunning(
	policy: Policy,
	interfaces: readonly Interface[],
	running: RulesUnderTest,
	remoteClient: RemoteClient | undefined,
): Promise<Pick<PolicyVantagePoints, 'vantagePoints' | 'edges'>> {
	const {vantagePoints: planned, edges} = await planForPolicy(policy, interfaces, remoteClient);
	const usual = planned.filter(({kind}) => kind === 'anywhere');
	const names = new Set([
		...usual.map(({inInterface}) => inInterface),
		...interfaces.flatMap(({name, inside}) =>
			inside === undefined && !isInternalInterface(name) ? [name] : [],
		),
	]);
	const texts = running.loads.map(({text}) => text);
	const inPolicy = planned.filter(({kind}) => kind !== 'anywhere');
	const own = ownAddresses(interfaces);
	const isInRules = referencesIn([...texts, ...inPolicy.map(({source}) => source)]);
	const stranger = (family: Family) =>
		pickStranger(family, (address) => own.has(address) || isInRules(address)) ??
		pickStranger(family, (address) => own.has(address));
	const isNamed = (address: string) => texts.some((text) => text.includes(address));
	const here = await planVantagePoints({
		...{interfaces, remoteClient: undefined},
		sources: withoutRepetitions([...broadNetworks(texts), ...sourcesInRules(texts)]),
		main: usual[0]?.inInterface ?? '',
		strangers: {4: stranger(4), 6: stranger(6)},
		entries: [...names].map((inInterface): Entry => {
			const {addresses = []} = interfaces.find(({name}) => name === inInterface) ?? {};
			const destinations = (family: Family) => {
				const found = destinationsOf(addresses, family, isNamed);
				return found.length === 0 ? [undefined] : found;
			};
			const name = names.size === 1 ? 'anywhere' : `anywhere on ${inInterface}`;
			return {inInterface, name, destinations: {4: destinations(4), 6: destinations(6)}};
		}),
	});
	const all = [
		...here.filter(({kind}) => kind === 'anywhere'),
		...inPolicy,
		...here.filter(({kind}) => kind === 'network').slice(0, MOST_NETWORKS),
	];
	// Of several that would send the same packets, the first one says most.
	const unique = new Map(
		[...all]
			.reverse()
			.map((point) => [`${point.source} ${point.inInterface} ${point.destination}`, point]),
	);
	return {vantagePoints: [...unique.values()].reverse(), edges};
}

/**
 * The addresses of an interface that packets are sent to: all that rules or listeners name, and one that
 * they do not name, which stands for the others. Where the interface has only a link-local address it is
 * undefined: the copy has an address of its own there.
 */
function destinationsOf(
	addresses: readonly string[],
	family: Family,
	isNamed: (address: string) => boolean,
): ReadonlyArray<string | undefined> {
	const own = addresses.filter((cidr) => familyOf(cidr) === family).map(stripPrefixLength);
	const global = own.filter((address) => !address.startsWith('fe80'));
	const [usual, ...others] = [
		...global.filter((address) => !isNamed(address)),
		...global.filter(isNamed),
	];
	return usual === undefined
		? own.slice(0, 1).map(() => undefined)
		: [usual, ...others.filter(isNamed)];
}

function withoutRepetitions(sources: readonly SourceNetwork[]): readonly SourceNetwork[] {
	return [...new Map(sources.map((one) => [`${one.network.cidr} ${one.on}`, one])).values()];
}
