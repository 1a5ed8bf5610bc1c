import {InputError} from '../lib/errors.ts';
import type {Network} from '../lib/network.ts';
import {LAST_PORT, printPorts} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import {printComment, splitAtCommas, takeComment} from './comment.ts';
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
import {isNamed, type SourceGroup} from './sources.ts';

/** What is open, without the qualifiers: `Omit` alone would lose the union. */
type Subject =
	| Pick<PortOpening, 'kind' | 'protocol' | 'first' | 'last'>
	| Pick<ProtocolOpening, 'kind' | 'protocol'>
	| Pick<DiscoveryOpening, 'kind'>;

/**
 * Reads openings: `SUBJECT [SUBJECT …] [from SOURCE[, SOURCE …]] [on INTERFACE] [limit]
 * [until INSTANT] [comment "TEXT"]`. A subject is
 * `PORTS[/PROTOCOL]`, where PORTS is a number, a range or a service name; the name of a protocol without
 * ports, or `protocol N`; or `mdns`. A number alone opens TCP and UDP, a name opens what its entry
 * says. The result has more than one opening where there are several subjects, and for a name whose
 * TCP and UDP ports differ. A SOURCE is an address, a network, or `@NAME`.
 * @param groups what `@NAME` can be
 * @throws {InputError}
 */
export function parseOpening(
	text: string,
	services: Services,
	groups: readonly SourceGroup[] = [],
): readonly Opening[] {
	const {rest, ...notes} = takeComment(text);
	const words = rest
		.replaceAll(/\s*,\s*/g, ', ')
		.replace(/[\s,]+$/, '')
		.trim()
		.split(/\s+/);
	if (words[0] === '') {
		throw new InputError('An opening is empty', FORMS);
	}

	const subjects = takeSubjects(words, services);
	const where = parseQualifiers(words, text, groups);
	return subjects.map((subject) => ({...qualify(subject, where), ...notes}));
}

/**
 * Reads several openings, separated by commas. Commas separate the sources of one opening as well: what
 * follows a source and looks like an address is one more.
 * @throws {InputError} for the first one that cannot be read. A comma with nothing beside it is ignored.
 */
export function parseOpenings(
	text: string,
	services: Services,
	groups: readonly SourceGroup[] = [],
): readonly Opening[] {
	return mergeOpenings(
		splitOpenings(text, services).flatMap((part) => parseOpening(part, services, groups)),
	);
}

/** The words behind which another word belongs to the same opening, and before which one has begun. */
const JOINING = new Set(['from', 'on', 'until', 'comment']);

/**
 * Reads openings from the words of a command line, quoted or not: `8080/tcp`, `443 from 10.0.0.0/8`,
 * `"22/tcp limit" 53`.
 * @throws {InputError}
 */
export function parseOpeningWords(
	words: readonly string[],
	services: Services,
	groups: readonly SourceGroup[] = [],
): readonly Opening[] {
	const texts: string[] = [];
	for (const word of words) {
		const before = texts.at(-1);
		const last = before?.split(/\s+/).at(-1)?.toLowerCase() ?? '';
		const isQualifier = QUALIFIERS.includes(word.split(/\s+/)[0]?.toLowerCase() ?? '');
		if (before === undefined || !(JOINING.has(last) || isQualifier || last.endsWith(','))) {
			texts.push(word);
		} else {
			// The shell has taken the quotation marks away.
			texts[texts.length - 1] =
				last === 'comment' && !word.startsWith('"')
					? `${before.slice(0, -last.length)}${printComment(word)}`
					: `${before} ${word}`;
		}
	}

	return mergeOpenings(texts.flatMap((text) => parseOpenings(text, services, groups)));
}

function splitOpenings(text: string, services: Services): readonly string[] {
	const openings: string[] = [];
	for (const part of splitAtCommas(text).flatMap((part) => part.trim() || [])) {
		const before = openings.at(-1) ?? '';
		if (/\sfrom\s+\S+(?:, \S+)*$/i.test(before) && isSource(part, services)) {
			openings[openings.length - 1] = `${before}, ${part}`;
		} else {
			openings.push(part);
		}
	}

	return openings;
}

/** Whether a part of a list begins with an address, be it a wrong one, a group, or a host name. No range and no service has two colons or a dot. */
function isSource(part: string, services: Services): boolean {
	const words = part.split(/\s+/);
	return /^@|\.|:.*:/.test(words[0] ?? '') && !isSubject(words, services);
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

const QUALIFIERS: readonly string[] = ['from', 'on', 'limit', 'until', 'comment'];

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
			if (where.from !== undefined || limit || where.until !== undefined) {
				throw new InputError(
					`${subject.kind} takes neither "from" nor "limit" nor "until"`,
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

			// Of a group, the networks of the other family are passed over.
			const other = where.from?.find(
				(source): source is Network => !isNamed(source) && !families.includes(source.family),
			);
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
