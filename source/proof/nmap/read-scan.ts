import {XMLParser} from 'fast-xml-parser';
import {InputError} from '../../lib/errors.ts';
import type {Family} from '../../lib/network.ts';
import {LAST_PORT, type PortRange} from '../../lib/port-ranges.ts';
import {printable} from '../../lib/printable.ts';
import {PROTOCOLS, type Protocol, perProtocol} from '../../policy/services.ts';

/** The length of an IPv6 address as text (INET6_ADDRSTRLEN, without its end). */
const LONGEST_ADDRESS = 45;

/** The states that nmap gives a port (nmap(1), "Port scanning basics"). */
const PORT_STATES = [
	'open',
	'closed',
	'filtered',
	'unfiltered',
	'open|filtered',
	'closed|filtered',
] as const;
export type PortState = (typeof PORT_STATES)[number];

/** Ports of one protocol that share their state. Ascending ranges; port 0 may be among them. */
export type ScannedPorts = {
	readonly protocol: Protocol;
	readonly ports: readonly PortRange[];
} & (
	| {readonly state: PortState}
	/** The scan says that each has one of these states, but not which. */
	| {readonly states: readonly PortState[]}
);

/** What nmap found at one address. */
export type Scan = {
	readonly family: Family;
	readonly address: string;
	readonly results: readonly ScannedPorts[];
	/** How many ports the scan counts without a hint which ones they are. */
	readonly unnamed: number;
};

/**
 * Reads nmap's XML output (-oX). nmap lists some ports one by one in `<port>`, and leaves the most
 * frequent states to `<extraports>`, whose `<extrareasons>` name the ports since version 1.05 of the
 * format. Before that, they are the ports of `<scaninfo>` that are not listed.
 * @throws {InputError} when it is something else
 */
export function readNmap(xml: string): readonly Scan[] {
	const parser = new XMLParser({
		ignoreAttributes: false,
		attributeNamePrefix: '',
		isArray: (name) => LISTS.includes(name),
		processEntities: false,
	});
	let document: NmapDocument;
	try {
		document = parser.parse(xml, true) as NmapDocument;
	} catch {
		document = {};
	}

	if (document.nmaprun === undefined) {
		throw new InputError(
			'This is not the XML output of nmap',
			'Make it with: nmap -oX scan.xml ...',
		);
	}

	const {host: hosts = [], scaninfo = []} = document.nmaprun;
	return hosts.flatMap(({address = [], ports}) => {
		const [found] = address.filter(({addrtype}) => addrtype === 'ipv4' || addrtype === 'ipv6');
		return found === undefined
			? []
			: [
					{
						family: found.addrtype === 'ipv4' ? (4 as const) : (6 as const),
						address: printable(found.addr ?? '', LONGEST_ADDRESS),
						...readPorts(ports || {}, scaninfo),
					},
				];
	});
}

function readPorts(
	{port: listed = [], extraports = []}: Ports,
	scaninfo: readonly ScanInfo[],
): Pick<Scan, 'results' | 'unnamed'> {
	const states = perProtocol(newTable);
	for (const {state, extrareasons = []} of extraports) {
		for (const {proto, ports} of extrareasons) {
			if (isProtocol(proto) && isState(state)) {
				fill(states[proto], readPortList(ports), state);
			}
		}
	}

	// Listed ports come later, so that they win where a port is in both.
	for (const {protocol, portid, state} of listed) {
		if (isProtocol(protocol) && isState(state?.state)) {
			fill(states[protocol], readPortList(portid), state.state);
		}
	}

	const unnamed = extraports.flatMap(({state, count, extrareasons = []}) => {
		const named = extrareasons.some(({proto, ports}) => isProtocol(proto) && ports);
		return isState(state) && !named ? [{state, count: readCount(count)}] : [];
	});
	const rest = unnamed.length > 0 ? findRest(states, scaninfo) : [];
	const possible = [...new Set(unnamed.map(({state}) => state))];
	const [only] = possible;
	return {
		results: [
			...PROTOCOLS.flatMap((protocol) =>
				PORT_STATES.map((state) => ({
					...{protocol, state},
					ports: rangesWhere((port) => states[protocol][port] === state),
				})),
			),
			...rest.map(
				({protocol, ports}): ScannedPorts =>
					possible.length === 1 && only !== undefined
						? {protocol, ports, state: only}
						: {protocol, ports, states: possible},
			),
		].filter(({ports}) => ports.length > 0),
		unnamed: rest.length > 0 ? 0 : unnamed.reduce((sum, {count}) => sum + count, 0),
	};
}

/** The ports that were scanned and have no state so far. */
function findRest(
	states: Readonly<Record<Protocol, StateTable>>,
	scaninfo: readonly ScanInfo[],
): ReadonlyArray<{readonly protocol: Protocol; readonly ports: readonly PortRange[]}> {
	const scanned = perProtocol(newTable);
	for (const {protocol, services} of scaninfo) {
		if (isProtocol(protocol)) {
			fill(scanned[protocol], readPortList(services), 'open');
		}
	}

	return PROTOCOLS.map((protocol) => ({
		protocol,
		ports: rangesWhere(
			(port) => scanned[protocol][port] !== undefined && states[protocol][port] === undefined,
		),
	})).filter(({ports}) => ports.length > 0);
}

/**
 * The state of each port. A table takes the same time whatever a file lists; to subtract one list of
 * ranges from another takes the product of their lengths.
 */
type StateTable = Array<PortState | undefined>;

function newTable(): StateTable {
	return Array.from({length: LAST_PORT + 1});
}

function fill(table: StateTable, ranges: readonly PortRange[], state: PortState): void {
	for (const {first, last} of ranges) {
		table.fill(state, first, last + 1);
	}
}

function rangesWhere(holds: (port: number) => boolean): readonly PortRange[] {
	const ranges: PortRange[] = [];
	for (let port = 0; port <= LAST_PORT; port += 1) {
		const first = port;
		while (port <= LAST_PORT && holds(port)) {
			port += 1;
		}

		if (port > first) {
			ranges.push({first, last: port - 1});
		}
	}

	return ranges;
}

/** `1-21,23,80-443`; words that are no ports are left out. */
function readPortList(text: string | undefined): readonly PortRange[] {
	return (text ?? '').split(',').flatMap((word) => {
		const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(word) ?? [];
		const range = {first: Number(first), last: Number(last)};
		return first !== undefined && range.first <= range.last && range.last <= LAST_PORT
			? [range]
			: [];
	});
}

function readCount(text: string | undefined): number {
	return /^\d{1,6}$/.test(text ?? '') ? Number(text) : 0;
}

function isProtocol(word: string | undefined): word is Protocol {
	return PROTOCOLS.some((protocol) => protocol === word);
}

function isState(word: string | undefined): word is PortState {
	return PORT_STATES.some((state) => state === word);
}

/** Elements that may occur more than once. */
const LISTS = ['host', 'address', 'port', 'extraports', 'extrareasons', 'scaninfo'];

/** The attributes and elements that are read. The file may lack any of them. */
type NmapDocument = {
	readonly nmaprun?: {
		readonly scaninfo?: readonly ScanInfo[];
		readonly host?: ReadonlyArray<{
			readonly address?: ReadonlyArray<{readonly addr?: string; readonly addrtype?: string}>;
			/** An element without attributes and children is an empty text. */
			readonly ports?: Ports | '';
		}>;
	};
};

type ScanInfo = {readonly protocol?: string; readonly services?: string};

type Ports = {
	readonly port?: ReadonlyArray<{
		readonly protocol?: string;
		readonly portid?: string;
		readonly state?: {readonly state?: string};
	}>;
	readonly extraports?: ReadonlyArray<{
		readonly state?: string;
		readonly count?: string;
		readonly extrareasons?: ReadonlyArray<{readonly proto?: string; readonly ports?: string}>;
	}>;
};
