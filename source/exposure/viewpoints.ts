import {forEachYielding, yieldToEventLoop} from '../host/exec/yield.ts';
import type {Interface} from '../host/machine/interfaces.ts';
import {FAMILIES, type Family, printNetwork} from '../lib/network.ts';
import type {Policy} from '../policy/policy.ts';
import {neighboursOf} from '../proof/vantage-points.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {RemoteClient} from '../ruleset/lockout.ts';
import {isInternalInterface} from '../services/known-programs/find.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import type {Viewpoint} from './aggregate.ts';
import {
	pickUnreferencedAddress,
	referencesIn,
	type SourceInRules,
	sourcesInRules,
} from './sources-in-rules.ts';

/** Where packets come from, with what that is called. */
export type Place = VantagePoint & Pick<Viewpoint, 'name' | 'general'>;

export type ViewpointPlan = {
	readonly places: readonly Place[];
	/** From where was not looked, one sentence each. */
	readonly gaps: readonly string[];
};

/** From so many networks that rules let in is looked, at most. */
const MOST_NETWORKS = 16;

/**
 * From where this machine is looked at: anybody on each interface, for each address there that makes a
 * difference; somebody in each network that some rule or opening lets in; and who is connected now.
 * @param spoken addresses that something listens on or is published on
 */
export async function planViewpoints(
	interfaces: readonly Interface[],
	families: readonly Family[],
	policy: Policy | undefined,
	running: RulesUnderTest | undefined,
	remoteClient: RemoteClient | undefined,
	spoken: ReadonlySet<string>,
): Promise<ViewpointPlan> {
	const outer = interfaces.filter(({name}) => !isInternalInterface(name));
	const main = outer.find(({name}) => name === remoteClient?.inInterface) ?? outer[0];
	if (main === undefined) {
		return {places: [], gaps: ['No interface was found through which others reach this machine.']};
	}

	const texts = (running?.loads ?? []).map(({text}) => text);
	const opened = (policy?.openings ?? []).flatMap((opening): readonly SourceInRules[] =>
		opening.kind === 'port' && opening.from ? [{network: opening.from, on: opening.on}] : [],
	);
	// Each of these takes its time with thousands of rules.
	await yieldToEventLoop();
	const ruleSources = [...opened, ...sourcesInRules(texts)];
	await yieldToEventLoop();
	const isReferenced = referencesIn([...texts, ...opened.map(({network}) => network.cidr)]);
	const anybody = {
		4: pickUnreferencedAddress(4, isReferenced),
		6: pickUnreferencedAddress(6, isReferenced),
	};
	const own = new Set(
		interfaces.flatMap(({addresses}) => addresses.map((cidr) => cidr.split('/')[0])),
	);
	const isNamed = (address: string) =>
		spoken.has(address) || texts.some((text) => text.includes(address));
	const general = outer.flatMap(({name, addresses}) =>
		families.flatMap((family) =>
			targetsOf(addresses, family, isNamed).map(
				(target): Place => ({
					family,
					inInterface: name,
					source: anybody[family] ?? '',
					...target,
					name: `anywhere on ${name}`,
					general: true,
				}),
			),
		),
	);
	const reachable = ({family, inInterface}: Place) =>
		general.some((one) => one.family === family && one.inInterface === inInterface);
	const special: Place[] = [];
	await forEachYielding(uniqueOrigins(ruleSources), ({network, on}) => {
		const inInterface = outer.find(({name}) => name === on)?.name ?? main.name;
		const inside = neighboursOf(network, inInterface, own).find(({name}) => name.startsWith('in '));
		if (inside) {
			special.push({...inside, name: printNetwork(network), general: false});
		}
	});
	const you: readonly Place[] =
		remoteClient?.client === undefined || own.has(remoteClient.client)
			? []
			: [
					{
						family: remoteClient.client.includes(':') ? 6 : 4,
						inInterface: main.name,
						source: remoteClient.client,
						name: `you, ${remoteClient.client}`,
						general: false,
					},
				];
	const there = special.filter(reachable);
	return {
		places: [
			...general.filter(({family}) => anybody[family] !== undefined),
			...there.slice(0, MOST_NETWORKS),
			...you.filter(reachable),
		],
		gaps: [
			...(there.length > MOST_NETWORKS
				? [
						`Rules let in ${there.length} networks: it was looked from ${MOST_NETWORKS} of them, and from anywhere else.`,
					]
				: []),
			...FAMILIES.filter(
				(family) => families.includes(family) && anybody[family] === undefined,
			).map(
				(family) =>
					`Rules speak of so many IPv${family} addresses that nobody was found of whom they do not: over IPv${family} it was not looked from anywhere.`,
			),
		],
	};
}

/**
 * The addresses by which others reach an interface, less those that are as another one for all rules and
 * listeners; one without a name where it has only a link-local one.
 */
function targetsOf(
	addresses: readonly string[],
	family: Family,
	isNamed: (address: string) => boolean,
): ReadonlyArray<Pick<VantagePoint, 'destination'>> {
	const own = addresses
		.filter((cidr) => cidr.includes(':') === (family === 6))
		.map((cidr) => cidr.split('/')[0] ?? '');
	const global = own.filter((address) => !address.startsWith('fe80'));
	const [usual, ...others] = [
		...global.filter((address) => !isNamed(address)),
		...global.filter(isNamed),
	];
	return usual === undefined
		? own.slice(0, 1).map(() => ({}))
		: [usual, ...others.filter(isNamed)].map((destination) => ({destination}));
}

function uniqueOrigins(ruleSources: readonly SourceInRules[]): readonly SourceInRules[] {
	return [...new Map(ruleSources.map((one) => [`${one.network.cidr} ${one.on}`, one])).values()];
}
