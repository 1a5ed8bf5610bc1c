import {InputError} from '../lib/errors.ts';
import {type Network, parseNetwork} from '../lib/network.ts';
import {isPort, LAST_PORT, onePort, type PortRange} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import {joinProtocols, mergeOpenings} from './merge-openings.ts';
import type {Opening, PortOpening} from './opening.ts';
import {type Services, suggestService} from './services.ts';

const FORMS =
	'Write 22/tcp, 53, ssh, 8000-8010/tcp, "22/tcp from 198.51.100.0/24", "5432/tcp on wg0", "22/tcp limit" or mdns';

/**
 * Reads one opening: `PORTS[/PROTOCOL] [from NETWORK] [on INTERFACE] [limit]`, where PORTS is a
 * number, a range or a service name; or `mdns [on INTERFACE]`. A number alone opens TCP and UDP, a
 * name opens what its entry says. The result has more than one opening only for a name whose TCP and
 * UDP ports differ.
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
 * @throws {InputError} for the first one that cannot be read. A comma with nothing beside it is ignored.
 */
export function parseOpenings(text: string, services: Services): readonly Opening[] {
	return mergeOpenings(
		text
			.split(',')
			.filter((part) => part.trim() !== '')
			.flatMap((part) => parseOpening(part, services)),
	);
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

	return joinProtocols(found.map(({port, protocol}) => ({protocol, ...onePort(port)})));
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

/** Reads an interface name as the kernel allows it (dev_valid_name), without what iptables reads as a wildcard, option or negation. */
function parseInterface(text: string): string {
	if (!/^[\w.@-]{1,15}$/.test(text) || /^[.-]+$/.test(text) || text.startsWith('-')) {
		throw new InputError(
			`"${printable(text)}" is not an interface name`,
			'Names have at most 15 letters, digits, dots or dashes, as in eth0 or wg0',
		);
	}

	return text;
}
