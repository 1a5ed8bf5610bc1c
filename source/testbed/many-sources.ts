import type {Namespace} from '../host/netns.ts';
import {FAMILIES} from '../lib/network.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import {ip, nodad, OUTSIDE_LINK_LOCAL, type VethLink} from './topology.ts';

/** The router towards many sources: a link-local address, and the outside itself. */
const TO_SOURCES = {4: '169.254.77.1', 6: OUTSIDE_LINK_LOCAL} as const;

/**
 * Gives the outside the addresses of many sources, all behind one router: a neighbour for each would fill
 * the kernel's table, which all namespaces share (arp(7), gc_thresh3).
 */
export async function addManySources(
	machine: Namespace,
	outside: Namespace,
	linkTo: (vantagePoint: VantagePoint) => VethLink,
	vantagePoints: readonly VantagePoint[],
): Promise<void> {
	const ends = vantagePoints.map((vantagePoint) => {
		const {family, source} = vantagePoint;
		return {
			...vantagePoint,
			link: linkTo(vantagePoint),
			cidr: `${source}/${family === 4 ? 32 : 128}`,
		};
	});
	const links = new Set(ends.map(({link}) => link));
	await ip(
		outside,
		ends.map(
			({family, cidr, link}) => `address replace ${cidr} dev ${link.outside}${nodad(family)}`,
		),
	);
	await ip(machine, [
		...[...links].flatMap(({name, ethernet}) =>
			FAMILIES.map(
				(family) =>
					`neigh replace ${TO_SOURCES[family]} lladdr ${ethernet.outside} dev ${name} nud permanent`,
			),
		),
		...ends.map(
			({family, cidr, inInterface}) =>
				`route replace ${cidr} via ${TO_SOURCES[family]} dev ${inInterface}${family === 4 ? ' onlink' : ''}`,
		),
	]);
}
