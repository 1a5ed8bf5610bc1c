import {groupBy} from '../../lib/group-by.ts';
import {type Family, familyOf, normalizeAddress} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {protocolOver, UDP_LITE} from '../../policy/ip-protocols.ts';
import {isInternalInterface} from '../../services/known-programs/find.ts';
import type {ProtocolUse} from '../../services/protocol-use.ts';
import {run} from '../exec/run.ts';
import {readText} from '../files/read-text.ts';
import {isRehearsal, socketTables} from '../rehearsal/is-rehearsal.ts';
import {chiefOf, describeOwner, readUsers} from './owners.ts';
import {isLoopback} from './proc-net.ts';
import {
	parseMemberships,
	parseRawSockets,
	parseSctpEndpoints,
	parseUdpLite,
} from './proc-net-protocols.ts';
import {holdersOf} from './processes.ts';

/** Milliseconds that ip(8) is waited for. */
const TIMEOUT_MS = 2000;

/**
 * Protocols that a raw socket receives beside the rules' own: ICMP is always open, TCP and UDP are ports
 * (a raw socket only watches them), and 0 and 255 only send.
 */
const NO_USE: ReadonlySet<number> = new Set([0, 1, 6, 17, 58, 255]);

/**
 * What receives protocols without ports on this machine: raw sockets (raw(7)), the kernel's IPsec and its
 * tunnels (ip-xfrm(8), ip-link(8)), and SCTP sockets that wait for others. Without root the processes of
 * other users and IPsec are not known.
 */
export async function findProtocolUses(): Promise<readonly ProtocolUse[]> {
	const [sockets, kernel] = await Promise.all([findSockets(), isRehearsal() ? [] : findInKernel()]);
	const memberships = findMemberships(readText(`${socketTables()}/igmp`) ?? '');
	return groupBy([...sockets, ...kernel, ...memberships], ({families: _, ...use}) =>
		JSON.stringify(use),
	).map((group) => ({
		...group[0],
		families: [...new Set(group.flatMap(({families}) => families))].sort(),
	}));
}

/** Groups on one link, whose packets a switch always forwards (RFC 4541, 2.1.2), and that of `ssdp`. */
const WITHOUT_QUERIES = /^(?:224\.0\.0\.|239\.255\.255\.250$)/;

/**
 * The membership of multicast groups, from the text of /proc/net/igmp: a router asks by IGMP whether it
 * goes on, and where no answer comes their packets end after some minutes (RFC 3376). In IPv6 it asks by ICMPv6.
 */
export function findMemberships(text: string): readonly ProtocolUse[] {
	const groups = [
		...new Set(
			parseMemberships(text)
				.filter(
					({on, group}) => on !== 'lo' && !WITHOUT_QUERIES.test(group) && !isInternalInterface(on),
				)
				.map(({group}) => group),
		),
	];
	const [first] = groups;
	const more = groups.length - 1;
	return first === undefined
		? []
		: [
				{
					protocol: protocolOver(2, 4),
					families: [4],
					by: `membership of ${first}${more > 0 ? ` and ${more} more ${more === 1 ? 'group' : 'groups'}` : ''}`,
					how: 'multicast',
				},
			];
}

async function findSockets(): Promise<readonly ProtocolUse[]> {
	const folder = socketTables();
	const sockets = [
		...parseRawSockets(readText(`${folder}/raw`) ?? '', 4),
		...parseRawSockets(readText(`${folder}/raw6`) ?? '', 6),
		...parseSctpEndpoints(readText(`${folder}/sctp/eps`) ?? ''),
		...parseUdpLite(readText(`${folder}/udplite`) ?? ''),
		...parseUdpLite(readText(`${folder}/udplite6`) ?? ''),
	].filter(({number, address}) => !NO_USE.has(number) && !isLoopback(address));
	const holders = await holdersOf(new Set(sockets.map(({inode}) => inode)));
	const users = readUsers();
	const parents = new Map<number, number | undefined>();
	return sockets.flatMap(({number, families, port, inode}) =>
		families.map((family): ProtocolUse => {
			const pid = chiefOf(holders.get(inode) ?? [], parents);
			const {process, unit} = pid === undefined ? {} : describeOwner(pid, users);
			return {
				protocol: protocolOver(number, family),
				families: [family],
				by: process ?? 'a program',
				how:
					port !== undefined
						? 'SCTP socket'
						: number === UDP_LITE
							? 'UDP-Lite socket'
							: 'raw socket',
				...(port === undefined ? {} : {port}),
				...(pid === undefined ? {} : {pid}),
				...(unit === undefined ? {} : {unit}),
			};
		}),
	);
}

async function findInKernel(): Promise<readonly ProtocolUse[]> {
	const [states, policies, links] = await Promise.all(
		[
			['xfrm', 'state'],
			['xfrm', 'policy'],
			['-j', '-d', 'link', 'show'],
		].map(async (args) => {
			const {status, stdout} = await run('ip', args, {timeout: TIMEOUT_MS});
			return status === 0 ? stdout : '';
		}),
	);
	return [...parseXfrm(states ?? '', policies ?? ''), ...parseTunnels(links ?? '')];
}

/** The numbers of the protocols of IPsec, by the words of ip-xfrm(8). */
const IPSEC: Readonly<Record<string, number>> = {esp: 50, ah: 51, comp: 108};

/**
 * Reads what `ip xfrm state` and `ip xfrm policy` print. Whoever negotiates keys makes states and policies
 * for both directions, so the peers are the ends of those that lead in. IPsec behind NAT comes in UDP
 * (`encap type espinudp`), and is not meant here.
 */
export function parseXfrm(states: string, policies: string): readonly ProtocolUse[] {
	const inUdp = new Set<string>();
	const found: Array<readonly [peer: string, word: string]> = [];
	for (const block of states.split(/^(?=src )/m)) {
		const [, source = '', target = '', word = ''] =
			/^src (\S+) dst (\S+)\n\s+proto (\w+)/.exec(block) ?? [];
		if (/\bencap type espin/.test(block)) {
			inUdp.add(source).add(target);
		} else if (word !== '') {
			found.push([source, word]);
		}
	}

	for (const block of policies.split(/^(?=src )/m).filter((text) => /^\s+dir in\b/m.test(text))) {
		for (const [, source = '', word = ''] of block.matchAll(
			/\btmpl src (\S+) dst \S+\n\s+proto (\w+)/g,
		)) {
			found.push([source, word]);
		}
	}

	return found
		.filter(([peer]) => !inUdp.has(peer))
		.flatMap(([source, word]) => {
			const number = IPSEC[word];
			const peer = normalizeAddress(source);
			if (number === undefined || peer === undefined) {
				return [];
			}

			const family = familyOf(peer);
			const protocol = protocolOver(number, family);
			// Rules over IPv6 see what comes after the AH.
			return protocol.families.includes(family)
				? [{protocol, families: [family], by: 'IPsec', how: 'IPsec' as const}]
				: [];
		});
}

/** The protocol that carries each kind of tunnel, and its family (ip-link(8)). */
const TUNNELS: Readonly<Record<string, readonly [numbers: readonly number[], family: Family]>> = {
	gre: [[47], 4],
	gretap: [[47], 4],
	erspan: [[47], 4],
	ip6gre: [[47], 6],
	ip6gretap: [[47], 6],
	ip6erspan: [[47], 6],
	ipip: [[4], 4],
	sit: [[41], 4],
	ip6tnl: [[4, 41], 6],
};

type Link = {
	readonly ifname?: string;
	readonly flags?: readonly string[];
	readonly linkinfo?: {
		readonly info_kind?: string;
		readonly info_data?: {readonly remote?: string; readonly proto?: string};
	};
};

/** Reads what `ip -j -d link show` prints: the tunnels that are up. */
export function parseTunnels(text: string): readonly ProtocolUse[] {
	let links: readonly Link[];
	try {
		links = JSON.parse(text) as readonly Link[];
	} catch {
		return [];
	}

	return (Array.isArray(links) ? (links as readonly Link[]) : []).flatMap(
		({ifname = '', flags = [], linkinfo}) => {
			const [numbers, family] = TUNNELS[linkinfo?.info_kind ?? ''] ?? [[], 4 as const];
			const {remote = '', proto = ''} = linkinfo?.info_data ?? {};
			const peer = normalizeAddress(remote);
			const carried = numbers.filter(
				(number) => !(number === 4 && proto === 'ip6ip6') && !(number === 41 && proto === 'ipip6'),
			);
			return (flags.includes('UP') ? carried : []).map((number): ProtocolUse => {
				return {
					protocol: protocolOver(number, family),
					families: [family],
					by: `the tunnel ${printable(ifname)}`,
					how: 'tunnel',
					...(peer === undefined || /^[0:.]+$/.test(peer) ? {} : {peer}),
				};
			});
		},
	);
}
