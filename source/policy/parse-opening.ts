import {InputError} from '../lib/errors.ts';
import {type Network, parseNetwork} from '../lib/network.ts';
import {isPort, LAST_PORT, onePort, type PortRange, printPorts} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import {collapse, mergeOpenings} from './merge-openings.ts';
import {type Protocol, type Services, suggestService} from './services.ts';

/** A port or a range that is let in, optionally only from a network or on an interface. */
export type PortOpening = {
	readonly kind: 'port';
	readonly protocol: Protocol | 'both';
	/** First and last port, 1 to 65535, both included. */
	readonly first: number;
	readonly last: number;
	readonly from?: Network;
	readonly on?: string;
	/** New connections of one source are held to a rate. */
	readonly limit: boolean;
};

/** Local discovery: multicast DNS (RFC 6762) and IGMP, multicast destinations only. */
export type MdnsOpening = {
	readonly kind: 'mdns';
	readonly on?: string;
};

export type Opening = PortOpening | MdnsOpening;

const FORMS =
	'Write 22/tcp, 53, ssh, 8000-8010/tcp, "22/tcp from 198.51.100.0/24", "5432/tcp on wg0", "22/tcp limit" or mdns';

/**
 * Reads one opening: `PORTS[/PROTOCOL] [from NETWORK] [on INTERFACE] [limit]`, where PORTS is a
 * number, a range or a service name; or `mdns [on INTERFACE]`. A bare number opens TCP and UDP, a
 * name what its entry says. Gives more than one opening only for a name whose TCP and UDP ports differ.
 * @throws {InputError}
 */
export function parseOpening(text: string, services: Services): readonly Opening[] {
	const words = text.trim().split(/\s+/);
	const subject = words.shift() ?? '';
	if (subject === '') {
		throw new InputError('An opening is empty', FORMS);
	}

	const where = parseQualifiers(words, text);
	if (subject.toLowerCase() === 'mdns') {
		if (where.from !== undefined || where.limit) {
			throw new InputError(
				'mdns takes neither "from" nor "limit"',
				'Write mdns, or "mdns on eth0"',
			);
		}

		return [{kind: 'mdns', ...(where.on === undefined ? {} : {on: where.on})}];
	}

	return parsePorts(subject, services).map((ports) => ({kind: 'port', ...ports, ...where}));
}

/**
 * Reads several openings, separated by commas.
 * @throws {InputError} for the first that cannot be read; a comma with nothing beside it is passed over.
 */
export function parseOpenings(text: string, services: Services): readonly Opening[] {
	return mergeOpenings(
		text
			.split(',')
			.filter((part) => part.trim() !== '')
			.flatMap((part) => parseOpening(part, services)),
	);
}

/** The canonical text of an opening; `parseOpening` reads it back to the same value. */
export function printOpening(opening: Opening): string {
	const on = opening.on === undefined ? '' : ` on ${opening.on}`;
	if (opening.kind === 'mdns') {
		return `mdns${on}`;
	}

	const from = opening.from === undefined ? '' : ` from ${printNetwork(opening.from)}`;
	return `${printPorts(opening, '-')}${printProtocol(opening)}${from}${on}${opening.limit ? ' limit' : ''}`;
}

/** A network as a person writes it: without the prefix where it is a single address. */
export function printNetwork(network: Network): string {
	return network.cidr.replace(network.family === 4 ? /\/32$/ : /\/128$/, '');
}

function parsePorts(
	subject: string,
	services: Services,
): ReadonlyArray<Pick<PortOpening, 'protocol' | 'first' | 'last'>> {
	const [name = '', protocolText, ...rest] = subject.split('/');
	const protocol = protocolText?.toLowerCase();
	if (rest.length > 0 || (protocol !== undefined && protocol !== 'tcp' && protocol !== 'udp')) {
		throw new InputError(
			`"${printable(subject)}": the protocol is tcp or udp`,
			'Write 22/tcp or 53/udp; 53 alone opens both',
		);
	}

	if (/^[\d-]+$/.test(name)) {
		return [{...parseRange(name), protocol: protocol ?? 'both'}];
	}

	const found = services
		.get(name.toLowerCase())
		?.filter((port) => protocol === undefined || port.protocol === protocol);
	if (found === undefined) {
		const near = suggestService(name, services);
		throw new InputError(
			`"${printable(name)}" is not a known service`,
			near === undefined
				? 'Write its port number, as in 8080/tcp'
				: `Did you mean ${printable(near)}?`,
		);
	}

	if (found.length === 0) {
		throw new InputError(
			`"${printable(name)}" is not a ${protocol} service`,
			`Write its port number, as in 8080/${protocol}`,
		);
	}

	return collapse(found.map(({port, protocol}) => ({protocol, ...onePort(port)})));
}

function parseRange(text: string): PortRange {
	const match = /^(\d+)(?:-(\d+))?$/.exec(text);
	if (!match) {
		throw new InputError(
			`"${printable(text)}" is not a port or a range`,
			'Write 8080 or 8000-8010',
		);
	}

	const first = Number(match[1]);
	const last = Number(match[2] ?? match[1]);
	for (const port of [first, last]) {
		if (!isPort(port)) {
			throw new InputError(
				`Port ${printable(String(port))} does not exist`,
				`Ports go from 1 to ${LAST_PORT}`,
			);
		}
	}

	if (last < first) {
		throw new InputError(
			`"${printable(text)}" runs backwards`,
			`Write the lower port first: ${last}-${first}`,
		);
	}

	return {first, last};
}

function parseQualifiers(
	words: string[],
	text: string,
): Pick<PortOpening, 'from' | 'on' | 'limit'> {
	let from: Network | undefined;
	let on: string | undefined;
	let limit = false;
	for (
		let word = words.shift()?.toLowerCase();
		word !== undefined;
		word = words.shift()?.toLowerCase()
	) {
		const twice = (word === 'from' && from) || (word === 'on' && on) || (word === 'limit' && limit);
		if (twice) {
			throw new InputError(`"${printable(text)}" says "${word}" twice`, FORMS);
		}

		if (word === 'limit') {
			limit = true;
		} else if (word === 'from') {
			from = parseNetwork(nextWord(words, word, 'an address or a network'));
		} else if (word === 'on') {
			on = parseInterface(nextWord(words, word, 'an interface'));
		} else {
			throw new InputError(
				`"${printable(text)}": "${printable(word)}" is not understood here`,
				FORMS,
			);
		}
	}

	return {...(from ? {from} : {}), ...(on ? {on} : {}), limit};
}

function nextWord(words: string[], before: string, what: string): string {
	const word = words.shift();
	if (word === undefined) {
		throw new InputError(`After "${before}" comes ${what}`, FORMS);
	}

	return word;
}

/** Interface names as the kernel takes them (dev_valid_name), less what iptables reads as a wildcard, option or negation. */
function parseInterface(text: string): string {
	if (!/^[\w.@-]{1,15}$/.test(text) || /^[.-]+$/.test(text) || text.startsWith('-')) {
		throw new InputError(
			`"${printable(text)}" is not an interface name`,
			'Names have at most 15 letters, digits, dots or dashes, as in eth0 or wg0',
		);
	}

	return text;
}

function printProtocol(opening: PortOpening): string {
	return opening.protocol === 'both' ? '' : `/${opening.protocol}`;
}
