import {InputError} from '../lib/errors.ts';
import {LAST_PORT, printPorts} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import {
	IP_PROTOCOLS,
	type IpProtocol,
	PROTOCOL_NUMBERS,
	protocolNamed,
	protocolNumbered,
	WITH_OWN_RULES,
} from './ip-protocols.ts';
import {mergeOpenings} from './merge-openings.ts';
import type {DiscoveryOpening, Opening, PortOpening, ProtocolOpening} from './opening.ts';
import {parsePorts} from './parse-ports.ts';
import {FORMS, parseQualifiers, type Qualifiers} from './parse-qualifiers.ts';
import type {Services} from './services.ts';

/** What is open, without the qualifiers: `Omit` alone would lose the union. */
type Subject =
	| Pick<PortOpening, 'kind' | 'protocol' | 'first' | 'last'>
	| Pick<ProtocolOpening, 'kind' | 'protocol'>
	| Pick<DiscoveryOpening, 'kind'>;

/**
 * Reads openings: `SUBJECT [SUBJECT …] [from NETWORK[, NETWORK …]] [on INTERFACE] [limit]`. A subject is
 * `PORTS[/PROTOCOL]`, where PORTS is a number, a range or a service name; the name of a protocol without
 * ports, or `protocol N`; or `mdns`. A number alone opens TCP and UDP, a name opens what its entry
 * says. The result has more than one opening where there are several subjects, and for a name whose
 * TCP and UDP ports differ.
 * @throws {InputError}
 */
export function parseOpening(text: string, services: Services): readonly Opening[] {
	const words = text
		.replaceAll(/\s*,\s*/g, ', ')
		.replace(/[\s,]+$/, '')
		.trim()
		.split(/\s+/);
	if (words[0] === '') {
		throw new InputError('An opening is empty', FORMS);
	}

	const subjects = takeSubjects(words, services);
	const where = parseQualifiers(words, text);
	return subjects.map((subject) => qualify(subject, where));
}

/**
 * Reads several openings, separated by commas. Commas separate the sources of one opening as well: what
 * follows a source and looks like an address is one more.
 * @throws {InputError} for the first one that cannot be read. A comma with nothing beside it is ignored.
 */
export function parseOpenings(text: string, services: Services): readonly Opening[] {
	return mergeOpenings(
		splitOpenings(text, services).flatMap((part) => parseOpening(part, services)),
	);
}

function splitOpenings(text: string, services: Services): readonly string[] {
	const openings: string[] = [];
	for (const part of text.split(',').flatMap((part) => part.trim() || [])) {
		const before = openings.at(-1) ?? '';
		if (/\sfrom\s+\S+(?:, \S+)*$/i.test(before) && isSource(part, services)) {
			openings[openings.length - 1] = `${before}, ${part}`;
		} else {
			openings.push(part);
		}
	}

	return openings;
}

/** Whether a part of a list begins with an address, be it a wrong one, or a host name. No range and no service has two colons or a dot. */
function isSource(part: string, services: Services): boolean {
	const words = part.split(/\s+/);
	return /\.|:.*:/.test(words[0] ?? '') && !isSubject(words, services);
}

/** Takes the subjects from the front of the words. After the first, a word that names nothing ends them. */
function takeSubjects(words: string[], services: Services): readonly Subject[] {
	if (words[0]?.toLowerCase() === 'protocol') {
		const [, number = ''] = words.splice(0, 2);
		return [{kind: 'protocol', protocol: parseProtocolNumber(number)}];
	}

	const subjects: Subject[] = [];
	while (words[0] !== undefined && (subjects.length === 0 || isSubject(words, services))) {
		const length = nameLength(words, services);
		const subject = words.splice(0, length).join(' ');
		subjects.push(
			...(length > 1 ? portSubjects(subject, services) : parseSubject(subject, services)),
		);
	}

	return subjects;
}

/** How many words the subject at the front has: application profiles of ufw have names as `WWW Full`. */
function nameLength(words: readonly string[], services: Services): number {
	const lengths = [4, 3, 2].filter((length) => length <= words.length);
	return (
		lengths.find((length) => services.has(words.slice(0, length).join(' ').toLowerCase())) ?? 1
	);
}

/** Whether words behind another subject begin with one as well: a port, or a name that is known. */
function isSubject(words: readonly string[], services: Services): boolean {
	const [word = ''] = words;
	const name = word.toLowerCase();
	return (
		nameLength(words, services) > 1 ||
		/^\d+(?:[-:]\d+)?(?:\/|$)/.test(word) ||
		DISCOVERY_WORDS.has(name) ||
		protocolNamed(name) !== undefined ||
		(!QUALIFIERS.includes(name) && services.has(name.split('/')[0] ?? ''))
	);
}

const QUALIFIERS: readonly string[] = ['from', 'on', 'limit'];

/** UPnP finds devices by SSDP. */
const DISCOVERY_WORDS: ReadonlyMap<string, DiscoveryOpening['kind']> = new Map([
	['mdns', 'mdns'],
	['ssdp', 'ssdp'],
	['upnp', 'ssdp'],
]);

function parseSubject(subject: string, services: Services): readonly Subject[] {
	const name = subject.toLowerCase();
	const kind = DISCOVERY_WORDS.get(name);
	if (kind !== undefined) {
		return [{kind}];
	}

	const protocol = protocolNamed(name);
	return protocol === undefined ? portSubjects(subject, services) : [{kind: 'protocol', protocol}];
}

function portSubjects(subject: string, services: Services): readonly Subject[] {
	return parsePorts(subject, services).map((ports) => ({kind: 'port', ...ports}));
}

/** @throws {InputError} where the subject does not take one of the qualifiers */
function qualify(subject: Subject, {limit, ...where}: Qualifiers): Opening {
	switch (subject.kind) {
		case 'mdns':
		case 'ssdp':
			if (where.from !== undefined || limit) {
				throw new InputError(
					`${subject.kind} takes neither "from" nor "limit"`,
					`Write ${subject.kind}, or "${subject.kind} on eth0"`,
				);
			}

			return {...subject, ...where};
		case 'protocol': {
			const {name, families} = subject.protocol;
			if (limit) {
				throw new InputError(
					`${name} takes no "limit", which counts connections`,
					`Write "${name} from 198.51.100.0/24", or "${name} on eth0"`,
				);
			}

			const other = where.from?.find(({family}) => !families.includes(family));
			if (other !== undefined) {
				throw new InputError(
					`${name} is opened over IPv4 only, and ${other.cidr} is a network of IPv6`,
					`Write "${name} from 198.51.100.0/24"`,
				);
			}

			return {...subject, ...where};
		}

		case 'port':
			if (limit && subject.protocol === 'sctp') {
				throw new InputError(
					'"limit" counts connections of TCP and UDP, not of SCTP',
					`Write ${printPorts(subject, '-')}/sctp, or limit its sources by "from"`,
				);
			}

			return {...subject, ...where, limit};
	}
}

/** @throws {InputError} */
function parseProtocolNumber(text: string): IpProtocol {
	const number = Number(text);
	const {first, last} = PROTOCOL_NUMBERS;
	if (!/^\d{1,3}$/.test(text) || number < first || number > last) {
		throw new InputError(
			`${text === '' ? 'Without a number, "protocol"' : `"protocol ${printable(text)}"`} names no protocol`,
			`Write a number from ${first} to ${last}, as in "protocol 103", or ${IP_PROTOCOLS.map(({name}) => name).join(', ')}`,
		);
	}

	const own = WITH_OWN_RULES.get(number);
	if (own !== undefined) {
		throw new InputError(
			own === 'ICMPv6'
				? `Protocol ${number} is ICMPv6, which is always open`
				: `Protocol ${number} is ${own}, which has ports`,
			own === 'ICMPv6' ? 'Leave it out' : `Write 1-${LAST_PORT}/${own.toLowerCase()}`,
		);
	}

	return protocolNumbered(number);
}
