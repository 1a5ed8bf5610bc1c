import {firstLine} from '../host/exec/run.ts';
import type {Interface} from '../host/machine/interfaces.ts';
import type {Namespace} from '../host/netns.ts';
import {scopeOf} from '../lib/address-scope.ts';
import {HostError} from '../lib/errors.ts';
import {FAMILIES, type Family, findGlobal, stripPrefixLength} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';

/** Addresses for a machine that has none of a family: for benchmarks, and unique local (RFC 2544, RFC 4193). */
const SPARE = {
	4: (index: number) => `198.18.${index}.1/24`,
	6: (index: number) => `fdf7:${index + 1}::1/64`,
};

/** A veth pair between the machine and the outside. */
export type VethLink = {
	/** The name of the machine's end: that of the interface it stands for. */
	readonly name: string;
	readonly index: number;
	/** The name of the end outside. */
	readonly outside: string;
	/** The machine's addresses, as CIDR. */
	readonly addresses: Readonly<Record<Family, string>>;
	/** Link-layer addresses of both ends. */
	readonly ethernet: {readonly machine: string; readonly outside: string};
};

/** Link-local addresses that the ends of every link have beside their own. */
export const MACHINE_LINK_LOCAL = 'fe80::f1';
export const OUTSIDE_LINK_LOCAL = 'fe80::f2';

/** The addresses of the machine beyond the outside. */
export const BEYOND = {4: '198.18.254.1', 6: 'fdf7:ff::1'} as const;
/** The addresses of the outside as a router: towards the machine, and towards the machine beyond. */
const GATEWAY = '198.18.253.1';
const ROUTER = {4: '198.18.254.2', 6: 'fdf7:ff::2'} as const;
/** The smallest MTU that IPv6 allows, in bytes (RFC 8200, 5). */
const MINIMUM_MTU = 1280;

/** The namespaces of a testbed. */
export type Namespaces = Readonly<Record<'machine' | 'outside', Namespace>> & {
	readonly beyond?: Namespace;
};

/** Plans a link for each interface of the vantage points, with the machine's addresses where it has some. */
export function planLinks(
	interfaces: readonly Interface[],
	vantagePoints: readonly VantagePoint[],
): readonly VethLink[] {
	const names = [...new Set(vantagePoints.map(({inInterface}) => inInterface))];
	return names.map((name, index) => {
		const own = interfaces.find((candidate) => candidate.name === name)?.addresses ?? [];
		const pick = (family: Family) => findGlobal(own, family) ?? SPARE[family](index);
		// Locally administered, so that no real network card has it.
		const ethernet = (end: number) =>
			`02:66:77:${end}0:${[index >> 8, index & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
		return {
			name,
			index,
			outside: `out${index}`,
			addresses: {4: pick(4), 6: pick(6)},
			ethernet: {machine: ethernet(1), outside: ethernet(2)},
		};
	});
}

/** Makes both ends of each link. */
export async function createLinks(
	machine: Namespace,
	outside: Namespace,
	links: readonly VethLink[],
): Promise<void> {
	await ip(machine, [
		'link set lo up',
		...links.flatMap(({name, outside: far, addresses, ethernet}) => [
			`link add ${name} address ${ethernet.machine} type veth peer name ${far} address ${ethernet.outside} netns ${outside.pid}`,
			// With a broadcast address, as DHCP clients and network managers set one.
			`address add ${addresses[4]} brd + dev ${name}`,
			`address add ${addresses[6]} dev ${name} nodad`,
			`address add ${MACHINE_LINK_LOCAL}/64 dev ${name} nodad`,
			`link set ${name} up`,
		]),
	]);
	await ip(outside, [
		'link set lo up',
		...links.flatMap(({outside: far}) => [
			`address add ${OUTSIDE_LINK_LOCAL}/64 dev ${far} nodad`,
			`link set ${far} up`,
		]),
	]);
}

/** Adds a machine behind a link of the smallest MTU, reached through the first link and the outside. */
export async function addBeyond(
	{machine, outside, beyond}: Required<Namespaces>,
	[link]: readonly VethLink[],
): Promise<void> {
	if (!link) {
		return;
	}

	await ip(outside, [
		`address add ${GATEWAY}/32 dev ${link.outside}`,
		`link add narrow mtu ${MINIMUM_MTU} type veth peer name narrow mtu ${MINIMUM_MTU} netns ${beyond.pid}`,
		...FAMILIES.map((family) => `address add ${ROUTER[family]} dev narrow${nodad(family)}`),
		'link set narrow up',
		...FAMILIES.map((family) => `route add ${BEYOND[family]} dev narrow`),
	]);
	await ip(beyond, [
		'link set lo up',
		...FAMILIES.map((family) => `address add ${BEYOND[family]} dev narrow${nodad(family)}`),
		'link set narrow up',
		...FAMILIES.map((family) => `route add ${ROUTER[family]} dev narrow`),
		// The default MSS fits the narrow link: then the machine would send only small packets.
		`route add default via ${ROUTER[4]} dev narrow advmss 1460`,
		`route add default via ${ROUTER[6]} dev narrow advmss 1440`,
	]);
	await ip(machine, [
		`route add ${GATEWAY} dev ${link.name}`,
		`route add ${BEYOND[4]} via ${GATEWAY} dev ${link.name}`,
		`route add ${BEYOND[6]} via ${OUTSIDE_LINK_LOCAL} dev ${link.name}`,
	]);
}

/** Enters the link-layer addresses of both ends into each other's neighbour tables. */
export async function seedNeighbours(
	machine: Namespace,
	outside: Namespace,
	linkTo: (vantagePoint: VantagePoint) => VethLink,
	vantagePoints: readonly VantagePoint[],
): Promise<void> {
	const pairs = vantagePoints.map((vantagePoint) => ({
		...vantagePoint,
		link: linkTo(vantagePoint),
	}));
	await ip(
		machine,
		pairs.map(
			({source, link}) =>
				`neigh replace ${source} lladdr ${link.ethernet.outside} dev ${link.name} nud permanent`,
		),
	);
	await ip(
		outside,
		pairs.map(
			({link, ...vantagePoint}) =>
				`neigh replace ${targetOf(vantagePoint, link)} lladdr ${link.ethernet.machine} dev ${link.outside} nud permanent`,
		),
	);
}

/**
 * The machine's address that packets from a vantage point are sent to. From a link-local address that is
 * another one: both ends of such a connection are on the same link.
 */
export function targetOf(
	{family, source, destination}: VantagePoint,
	{addresses}: VethLink,
): string {
	return (
		destination ?? (isLinkLocal(source) ? MACHINE_LINK_LOCAL : stripPrefixLength(addresses[family]))
	);
}

/** An address as a socket of the outside takes it: a link-local one needs its interface (RFC 4007, 11). */
export function onLink(address: string, {outside}: VethLink): string {
	return isLinkLocal(address) ? `${address}%${outside}` : address;
}

function isLinkLocal(address: string): boolean {
	return scopeOf(address) === 'link-local' && address.includes(':');
}

/** Runs lines of ip(8) in a namespace. @throws {HostError} where one fails */
export async function ip(
	namespace: Namespace,
	lines: readonly string[],
	options: readonly string[] = [],
): Promise<void> {
	const {status, stderr} = await namespace.run('ip', [...options, '-batch', '-'], {
		input: `${lines.join('\n')}\n`,
	});
	if (status !== 0) {
		throw new HostError(
			`A copy of this machine's network could not be built: ${printable(firstLine(stderr), 160)}`,
			'The proof needs iproute2 and veth devices in network namespaces',
		);
	}
}

/** No other host of the testbed can have the address, so duplicate detection would only take time. */
export function nodad(family: Family): string {
	return family === 6 ? ' nodad' : '';
}
