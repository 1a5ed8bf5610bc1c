import {formatNumber} from '../../lib/format-number.ts';
import {joinWords} from '../../lib/list.ts';
import {FAMILIES} from '../../lib/network.ts';
import {subtractRanges} from '../../lib/port-ranges.ts';
import {adviseOpenings} from '../../policy/advise-openings.ts';
import {describeLeft} from '../../policy/ending.ts';
import {
	isDiscovery,
	type Opening,
	printOpening,
	shortOpening,
	shortSources,
} from '../../policy/opening.ts';
import type {Port} from '../../policy/port-openings.ts';
import {networksOf, type Sources} from '../../policy/sources.ts';
import {adviseOn} from '../../services/advice.ts';
import {describeInside} from '../../services/guest-service.ts';
import type {Listener} from '../../services/listener.ts';
import {type ProtocolUse, verbOf} from '../../services/protocol-use.ts';
import type {InsideRow} from '../state/inside-rows.ts';
import type {PortRow} from '../state/port-rows.ts';
import {type PublishedRow, portKey} from '../state/published-rows.ts';
import {boxText, screenReader, type Tone} from '../theme.ts';
import {
	containersOf,
	publishedNote,
	publishedText,
	publishers,
	publishingNote,
	publishingText,
} from './published.ts';

/** Wide enough for most ports, so that the text after them begins in one column. */
const PORT_COLUMNS = 12;
const STATE_COLUMNS = 9;

/** A line of the list: the port, whether the policy opens it, and the program that listens. */
export function rowText(row: PortRow): {readonly text: string; readonly tone: Tone} {
	switch (row.kind) {
		case 'listener': {
			const open = row.openings.length > 0;
			return {
				text: `${screenReader ? '' : `${boxText(open)} `}${columns(printPort(row.port), openingsText(row.openings, row.mayBeForwarded))}${namesOf(row.listeners)}${notesOf(row.openings)}`,
				tone: open ? 'good' : 'plain',
			};
		}

		case 'protocol': {
			const open = row.openings.length > 0;
			return {
				text: `${screenReader ? '' : `${boxText(open)} `}${columns(printOpening(row.opening), openingsText(row.openings))}${usersOf(row.uses)}`,
				tone: open ? 'good' : 'plain',
			};
		}

		case 'inside': {
			const open = row.openings.length > 0;
			return {
				text: `${screenReader ? '' : `${boxText(open)} `}${columns(shortOpening(row.opening), openingsText(row.openings))}${insideOf(row)}`,
				tone: open ? 'good' : 'plain',
			};
		}

		case 'publishing': {
			const mark = row.cluster === undefined ? boxText(row.governed) : ' ! ';
			return {
				text: `${screenReader ? '' : `${mark} `}Published ports: ${publishingText(row)}`,
				tone: row.governed ? 'plain' : 'attention',
			};
		}

		case 'published': {
			const {ports, published, openings, governed} = row;
			const port = portKey(ports);
			if (!governed) {
				const makers = publishers(published.map(({by}) => by));
				return {
					text: `${screenReader ? '' : ' !  '}${column(port, PORT_COLUMNS)}left to ${makers}: ${containersOf(row)}`,
					tone: 'attention',
				};
			}

			const open = openings.length > 0;
			return {
				text: `${screenReader ? '' : `${boxText(open)} `}${columns(port, publishedState(row))}${publishedText(row)}`,
				tone: open ? 'good' : 'plain',
			};
		}

		case 'opening':
			return {
				text: `${screenReader ? '' : `${boxText(true)} `}${column(shortOpening(row.opening), PORT_COLUMNS)}${screenReader ? 'open, ' : ''}${describeOpening(row.opening)}${row.listens === false ? '; nothing listens' : ''}${row.opening.comment === undefined ? '' : `: ${row.opening.comment}`}`,
				tone: 'plain',
			};
		case 'loopback':
			return {
				text: `${screenReader ? '' : '    '}${columns(printPort(row.port), 'loopback')}${namesOf(row.listeners)}`,
				tone: 'muted',
			};
	}
}

/** When openings end, and what the user says of them, behind the programs: `; ends in 2 h: Web`. */
function notesOf(openings: readonly Opening[]): string {
	const ends = unique(openings.flatMap(({until}) => until ?? []));
	const comments = unique(openings.flatMap(({comment}) => comment ?? []));
	return `${ends.map((until) => `; ends ${describeLeft(until)}`).join('')}${comments.length > 0 ? `: ${comments.join(', ')}` : ''}`;
}

/** The note about the focused line: the program, and what the keys do. */
export function rowNote(row: PortRow): string {
	switch (row.kind) {
		case 'listener':
			return `${describeListeners(row.listeners)}. ${row.mayBeForwarded ? 'Whether it is forwarded to a container is unknown: only root can read that. ' : ''}${chanceOf(row.listeners)}Space ${row.openings.length > 0 ? 'closes' : 'opens'} it. Tab: other ways to protect it`;
		case 'protocol':
			return `${describeUses(row.uses)}. Space ${row.openings.length > 0 ? 'closes' : 'opens'} it. Tab: other ways to protect it`;
		case 'inside':
			return `${insideOf(row)}: ${joinWords(unique(row.services.flatMap(({users}) => users)))} used it when this was read. Space ${row.openings.length > 0 ? 'closes' : 'opens'} it for that network alone`;
		case 'publishing':
			return publishingNote(row);
		case 'published':
			return publishedNote(row);
		case 'opening':
			return row.listens === false
				? 'Nothing listens there now: whatever starts to can be reached. Space or Del removes it'
				: 'Space or Del removes it';
		case 'loopback':
			return `${describeListeners(row.listeners)}: others cannot reach it, whatever the rules say`;
	}
}

/** `postgres, for containers of app_default` */
function insideOf({services}: InsideRow): string {
	const programs = unique(services.map(({program}) => program));
	return `${programs.join(', ')}, for ${joinWords(unique(services.map(({network}) => describeInside(network))))}`;
}

/** `22/tcp` */
export function printPort({protocol, port}: Port): string {
	return `${port}/${protocol}`;
}

/** The protocols and the clients that an opening allows, in words. */
function describeOpening(opening: Opening): string {
	if (isDiscovery(opening)) {
		return opening.kind === 'mdns'
			? 'local discovery, by multicast only'
			: 'UPnP discovery, and answers of the local network';
	}

	const [only, other] = opening.kind === 'protocol' ? opening.protocol.families : FAMILIES;
	const protocol =
		opening.kind === 'protocol'
			? opening.protocol.purpose
			: {tcp: 'TCP', udp: 'UDP', sctp: 'SCTP', both: 'TCP and UDP'}[opening.protocol];
	const from =
		opening.from !== undefined
			? describeSources(opening.from)
			: other === undefined
				? `anywhere, IPv${only} only`
				: 'anywhere';
	return `${protocol}, from ${from}${opening.on === undefined ? '' : ', on one interface'}`;
}

/** `one network, IPv4 only` or `22 networks, IPv4 and IPv6` */
function describeSources(from: Sources): string {
	const networks = networksOf(from);
	const families = FAMILIES.filter((family) => networks.some((one) => one.family === family));
	return `${networks.length === 1 ? 'one network' : `${formatNumber(networks.length)} networks`}, ${families.map((family) => `IPv${family}`).join(' and ')}${families.length === 1 ? ' only' : ''}`;
}

function columns(port: string, state: string): string {
	return `${column(port, PORT_COLUMNS)}${column(state, STATE_COLUMNS)}`;
}

/** A cell of the list. For a screen reader, commas separate the cells. */
function column(text: string, width: number): string {
	return screenReader ? `${text}, ` : `${text.padEnd(width)} `;
}

/** What the openings of a port allow together. */
function openingsText(openings: readonly Opening[], mayBeForwarded = false): string {
	const wide = openings.some(
		(opening) => !isDiscovery(opening) && opening.from === undefined && opening.on === undefined,
	);
	const [first] = openings;
	const limit = openings.every((opening) => opening.kind === 'port' && opening.limit)
		? ' limit'
		: '';
	if (wide || first === undefined) {
		return wide ? `open${limit}` : mayBeForwarded ? 'unknown' : 'closed';
	}

	return isDiscovery(first)
		? 'open to multicast'
		: `open${first.from === undefined ? '' : ` from ${shortSources(first.from)}`}${first.on === undefined ? '' : ` on ${first.on}`}${limit}${openings.length > 1 ? ' and others' : ''}`;
}

/** Whether published ports are open; of a range perhaps some. */
function publishedState({ports, openings}: PublishedRow): string {
	const ranges = openings.flatMap((one) => (one.kind === 'port' ? [one] : []));
	return openings.length > 0 && subtractRanges([ports], ranges).length > 0
		? 'open in part'
		: openingsText(openings);
}

/** That the port changes at each start of its program; empty where it does not. */
function chanceOf(listeners: readonly Listener[]): string {
	return unique(listeners.flatMap((listener) => adviseOn(listener).portByChance ?? []))
		.map((text) => `${text}. `)
		.join('');
}

/** The program that listens, its addresses, its unit, its user and its container. */
export function describeListeners(listeners: readonly Listener[]): string {
	const [first] = listeners;
	const everywhere = listeners.some(({address}) => address === '0.0.0.0' || address === '::');
	const addresses = everywhere
		? 'on all addresses'
		: `on ${unique(listeners.map(({address, on}) => `${address}${on === undefined ? '' : ` (${on})`}`)).join(', ')}`;
	const owner = [
		...(first?.unit === undefined ? [] : [first.unit]),
		...(first?.user === undefined ? [] : [`user ${first.user}`]),
		...(first?.container === undefined ? [] : [`in a container of ${first.container}`]),
	];
	return `${namesOf(listeners)} listens ${addresses}${owner.length > 0 ? ` (${owner.join(', ')})` : ''}`;
}

/** Who receives a protocol: `keepalived, the tunnel gre1`. */
function usersOf(uses: readonly ProtocolUse[]): string {
	return unique(uses.map(({by}) => by)).join(', ');
}

/** What receives a protocol, over which family, by what and from where. */
export function describeUses(uses: readonly ProtocolUse[]): string {
	const [first] = uses;
	const families = [...new Set(uses.flatMap(({families}) => families))].sort();
	const more = [
		...families.map((family) => `IPv${family}`),
		...unique(uses.flatMap(({unit}) => unit ?? [])),
		...unique(uses.flatMap(({peer}) => (peer === undefined ? [] : [`from ${peer}`]))),
	];
	return `${usersOf(uses)} ${verbOf(uses)} ${first?.port === undefined ? (first?.protocol.purpose ?? '') : `${first.port}/sctp`} (${more.join(', ')})`;
}

/** What opening it alone would not do. */
export function advicesOf(opening: Opening): readonly string[] {
	return adviseOpenings([opening], undefined);
}

/** The names of programs that listen, each once. */
export function namesOf(listeners: readonly Listener[]): string {
	return unique(listeners.map((listener) => adviseOn(listener).name)).join(', ');
}

export function unique(texts: readonly string[]): readonly string[] {
	return [...new Set(texts)];
}
