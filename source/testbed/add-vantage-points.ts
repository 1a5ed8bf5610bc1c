import type {Namespace} from '../host/netns.ts';
import {FAMILIES, stripPrefixLength} from '../lib/network.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import {ip, nodad, type VethLink} from './topology.ts';

/** Gives the outside each address that packets come from, and both sides routes to each other. */
export async function addVantagePoints(
	machine: Namespace,
	outside: Namespace,
	links: readonly VethLink[],
	vantagePoints: readonly VantagePoint[],
): Promise<void> {
	const ends = vantagePoints.flatMap((vantagePoint) => {
		const link = links.find(({name}) => name === vantagePoint.inInterface);
		return link ? [{...vantagePoint, link, width: vantagePoint.family === 4 ? 32 : 128}] : [];
	});
	const unique = [
		...new Map(ends.map((end) => [`${end.source} ${end.inInterface}`, end])).values(),
	];
	/** The link by which an address of the machine is usually reached. */
	const bearerOf = (destination: string) =>
		links.find(({addresses}) =>
			FAMILIES.some((family) => stripPrefixLength(addresses[family]) === destination),
		) ?? ends.find((end) => end.destination === destination)?.link;
	await ip(outside, [
		...unique.map(
			({family, source, width, link}) =>
				`address add ${source}/${width} dev ${link.outside}${nodad(family)}`,
		),
		...links.flatMap(({outside: far, addresses}) =>
			FAMILIES.map((family) => `route replace ${stripPrefixLength(addresses[family])} dev ${far}`),
		),
		...ends.flatMap(({destination, link}) =>
			destination === undefined || bearerOf(destination) !== link
				? []
				: `route replace ${destination} dev ${link.outside}`,
		),
	]);
	await addCrossings(
		outside,
		ends.filter(({destination, link}) => destination && bearerOf(destination) !== link),
	);
	await ip(machine, [
		...ends.flatMap(({family, destination, width, link}) =>
			destination === undefined ||
			bearerOf(destination) !== link ||
			destination === stripPrefixLength(link.addresses[family])
				? []
				: `address replace ${destination}/${width} dev ${link.name}${nodad(family)}`,
		),
		...unique.map(
			({source, width, inInterface}) => `route replace ${source}/${width} dev ${inInterface}`,
		),
	]);
}

/** Tables of routes (ip-route(8)) for single links: above those that have names. */
const FIRST_TABLE = 1000;

/**
 * Routes packets to an address that another link bears through the sender's own link: a container that sends to
 * the machine's outer address, from which a stranger is reached by the other link.
 */
async function addCrossings(
	outside: Namespace,
	ends: ReadonlyArray<VantagePoint & {readonly link: VethLink}>,
): Promise<void> {
	for (const family of FAMILIES) {
		const lines = ends
			.filter((end) => end.family === family)
			.flatMap(({source, destination, link}) => {
				const table = FIRST_TABLE + link.index;
				return [
					`rule add from ${source} to ${destination} lookup ${table}`,
					`route replace ${destination} dev ${link.outside} table ${table}`,
				];
			});
		if (lines.length > 0) {
			await ip(outside, lines, [`-${family}`]);
		}
	}
}
