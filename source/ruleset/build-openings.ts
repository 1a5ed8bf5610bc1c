import {groupBy} from '../lib/group-by.ts';
import type {Family} from '../lib/network.ts';
import {onePort, type PortRange, printPorts} from '../lib/port-ranges.ts';
import {
	type DiscoveryOpening,
	isDiscovery,
	type Opening,
	type OpeningNotes,
	type PortOpening,
	type PortProtocol,
	type ProtocolOpening,
	printOpened,
} from '../policy/opening.ts';
import {networksOf, sourceBits} from '../policy/sources.ts';
import {type Match, ourRule, type Rule} from './model.ts';
import {protocolOfNumber} from './protocol-names.ts';

/** How many new connections a source may begin under `limit`, and how many of them at once. */
const LIMIT = {rate: '6/min', burst: 6} as const;
/** `-m multiport` takes at most 15 ports, and a range counts as two (iptables-extensions(8)). */
const MULTIPORT = 15;

/** An opening of one protocol, in a family. */
type PartOpening =
	| (PortOpening & {readonly protocol: PortProtocol})
	| ProtocolOpening
	| DiscoveryOpening;
type PortPart = Extract<PartOpening, {kind: 'port'}>;

type OpeningOptions = {
	/** Each rule is to have one port or range, without `-m multiport`. */
	readonly plain: boolean;
	/** Whom the rules are for, behind the ports in their reasons: ` from 22 sources`. */
	readonly whom?: string;
};

/** The rules that accept packets to open ports, in the order of the openings. */
export function openingRules(
	openings: readonly Opening[],
	family: Family,
	{plain, whom = ''}: OpeningOptions,
): readonly Rule[] {
	const parts = openings.flatMap((opening) => partsOf(opening, family));
	const rules = groupBy(parts, kindOf).flatMap((group) => {
		const ports = group.filter((part) => part.kind === 'port');
		const [first] = ports;
		if (first === undefined) {
			return group.flatMap((part) =>
				isDiscovery(part)
					? discovery(part, family)
					: part.kind === 'protocol'
						? [wholeProtocol(part, whom)]
						: [],
			);
		}

		return first.limit
			? ports.map((part) => limited(part, family, whom))
			: (plain ? ports.map((part) => [part]) : chunk(ports)).map((some) =>
					opened(first, some, whom),
				);
	});
	// mdns and ssdp both need IGMP.
	const known = new Set<string>();
	return rules.filter(({match, reason}) => {
		const text = reason?.part === 'discovery' ? JSON.stringify(match) : '';
		const isNew = text === '' || !known.has(text);
		known.add(text);
		return isNew;
	});
}

/** An opening for each of its protocols and sources, as far as a family has them. */
function partsOf(opening: Opening, family: Family): readonly PartOpening[] {
	if (isDiscovery(opening)) {
		return [opening];
	}

	if (opening.kind === 'protocol') {
		return opening.protocol.families.includes(family) ? bySource(opening, family) : [];
	}

	const protocols: readonly PortProtocol[] =
		opening.protocol === 'both' ? ['tcp', 'udp'] : [opening.protocol];
	return protocols.flatMap((protocol) => bySource({...opening, protocol}, family));
}

/** An opening for each of its networks of a family; the opening itself where it is for all sources. */
function bySource<T extends PortPart | ProtocolOpening>(opening: T, family: Family): readonly T[] {
	const {from} = opening;
	return from === undefined
		? [opening]
		: networksOf(from)
				.filter((network) => network.family === family)
				.map((network) => ({...opening, from: [network]}));
}

/** What openings have in common that can share a rule. */
function kindOf(part: PartOpening): string {
	return part.kind === 'port'
		? `${part.protocol} ${sourceBits(part.from?.[0])} ${part.on} ${part.limit} ${part.until} ${part.comment}`
		: isDiscovery(part)
			? part.kind
			: printOpened(part);
}

function wholeProtocol(part: ProtocolOpening, whom: string): Rule {
	const reason = `You opened ${printOpened(part)}${whom}: ${part.protocol.purpose}`;
	const match = {...where(part), protocol: protocolOfNumber(part.protocol.number)};
	return noted(part, ourRule('opening', reason, match));
}

function opened(scope: PortPart, parts: readonly PortPart[], whom: string): Rule {
	const match = {
		...where(scope),
		protocol: scope.protocol,
		destinationPorts: parts.map(({first, last}) => ({first, last})),
	};
	const reason = `You opened ${parts.map(printOpened).join(', ')}${whom}`;
	return noted(scope, ourRule('opening', reason, match));
}

function limited(part: PortPart, family: Family, whom: string): Rule {
	const reason = `You opened ${printOpened(part)}${whom}: six new connections a minute from one source`;
	return noted(
		part,
		ourRule('opening', reason, {
			...where(part),
			protocol: part.protocol,
			destinationPorts: [{first: part.first, last: part.last}],
			hashlimit: {
				...LIMIT,
				// At most 15 characters: older kernels keep no more (struct xt_hashlimit_info, IFNAMSIZ).
				name: `fw${part.protocol.slice(0, 1)}${printPorts(part, '-')}`,
				// One IPv6 subscriber has a /64, and can use each of its addresses.
				...(family === 6 ? {sourceMask: 64} : {}),
			},
		}),
	);
}

/** The same rule with the end and the comment of its opening, in its reason as well. */
function noted({comment, until}: OpeningNotes, rule: Rule): Rule {
	const {reason, match} = rule;
	const end = until?.replace('T', ' ').replace('Z', ' UTC');
	const notes = [...(end === undefined ? [] : [`until ${end}`]), ...(comment ? [comment] : [])];
	return reason === undefined || notes.length === 0
		? rule
		: {
				...rule,
				match: {...match, ...(until === undefined ? {} : {until})},
				reason: {...reason, text: `${reason.text} (${notes.join('; ')})`},
				...(comment === undefined ? {} : {comment}),
			};
}

function where(part: PortPart | ProtocolOpening): Match {
	const [source] = networksOf(part.from ?? []);
	return {
		...(source === undefined || source.cidr.endsWith('/0') ? {} : {source: source.cidr}),
		...(part.on === undefined ? {} : {inInterface: part.on}),
	};
}

/** The groups and the port of each way of local discovery, and what it finds. */
const DISCOVERY = {
	mdns: {
		groups: {4: ['224.0.0.251/32'], 6: ['ff02::fb/128']},
		port: 5353,
		finds: 'finding printers and casting devices',
	},
	// UPnP Device Architecture 2.0, 1.2.2 and A.2: link-local and site-local scope in IPv6.
	ssdp: {
		groups: {4: ['239.255.255.250/32'], 6: ['ff02::c/128', 'ff05::c/128']},
		port: 1900,
		finds: 'finding media servers, televisions and routers',
	},
} as const;

/** Networks that are not routed on the internet (RFC 1918, RFC 3927, RFC 4193, RFC 4291). */
const LOCAL_NETWORKS = {
	4: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'],
	6: ['fe80::/10', 'fc00::/7'],
} as const;

/** The ports that Linux gives to sockets which ask for any (ip_local_port_range): whoever searches has one. */
const SEARCHERS: PortRange = {first: 32_768, last: 60_999};

function discovery(opening: DiscoveryOpening, family: Family): readonly Rule[] {
	const on: Match = opening.on === undefined ? {} : {inInterface: opening.on};
	const {groups, port, finds} = DISCOVERY[opening.kind];
	const asked = groups[family].map((destination) =>
		ourRule('discovery', `You opened ${opening.kind}: ${finds}`, {
			...on,
			destination,
			protocol: 'udp',
			destinationPorts: [onePort(port)],
		}),
	);
	const answers = LOCAL_NETWORKS[family].map((source) =>
		ourRule('discovery', 'You opened ssdp: answers to searches, from local networks', {
			...on,
			source,
			protocol: 'udp',
			sourcePorts: [onePort(port)],
			destinationPorts: [SEARCHERS],
		}),
	);
	const igmp = ourRule('discovery', `You opened ${opening.kind}: IGMP keeps its multicast coming`, {
		...on,
		destination: '224.0.0.0/4',
		protocol: 'igmp',
	});
	const rules = [...asked, ...(opening.kind === 'ssdp' ? answers : [])];
	return [...rules.map((rule) => noted(opening, rule)), ...(family === 4 ? [igmp] : [])];
}

/** Cuts a list of openings into pieces that each fit one multiport match. */
function chunk(parts: readonly PortPart[]): readonly (readonly PortPart[])[] {
	const chunks: PortPart[][] = [];
	let room = 0;
	for (const part of parts) {
		const weight = part.first === part.last ? 1 : 2;
		if (weight > room) {
			chunks.push([]);
			room = MULTIPORT;
		}

		chunks.at(-1)?.push(part);
		room -= weight;
	}

	return chunks;
}
