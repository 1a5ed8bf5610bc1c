import {FAMILIES, type Family} from '../../lib/network.ts';
import {ALL_PORTS, isPort, type PortRange} from '../../lib/port-ranges.ts';
import {printable} from '../../lib/printable.ts';
import {PROTOCOLS, type Protocol} from '../../policy/services.ts';
import {type Element, printElement} from './firewalld-xml.ts';
import {regionsOf, type Scope} from './iptables-line.ts';
import type {Untranslatable} from './result.ts';
import type {ForeignRule} from './to-openings.ts';

/** Who gets into a zone; without a source and an interface everybody does. */
export type Place = Pick<Scope, 'source' | 'on' | 'inexact'> & {
	readonly families: readonly Family[];
};

/** What an element of a zone does, and what of it is lost in any case. */
export type Judged = {
	readonly rules: readonly ForeignRule[];
	readonly losses: readonly Untranslatable[];
};

/** A service of firewalld by its name; undefined where there is no such file. */
export type FindService = (name: string) => Element | undefined;

/** What lets in, or is let in by, a part of a rule. */
type Part = {
	readonly protocols: readonly Protocol[];
	readonly ports: readonly PortRange[];
	readonly families: readonly Family[];
	readonly destination: Readonly<Partial<Record<Family, string>>>;
	readonly inexact?: string;
};

/** What openings cannot say. */
type Lost = {
	readonly why: string;
	/** It may be about TCP or UDP, of any port. */
	readonly unknown: boolean;
};

const ANYTHING: Part = {
	protocols: PROTOCOLS,
	ports: [ALL_PORTS],
	families: FAMILIES,
	destination: {},
};

/** Answers to a DHCPv6 client are always let in here. */
const ALWAYS_IN = 'dhcpv6-client';
/** A service may include others, which may include it. */
const DEEPEST = 10;

/** What a port, a service or a protocol is about. */
function partsOf(
	{name, attributes}: Element,
	find: FindService,
	depth = 0,
): ReadonlyArray<Part | Lost> {
	switch (name) {
		case 'port':
			return [portPart(attributes)];
		case 'source-port': {
			const part = portPart(attributes);
			return [
				'why' in part
					? part
					: {...part, ports: [ALL_PORTS], inexact: 'openings know no source port'},
			];
		}
		case 'protocol':
			return [protocolPart(attributes.value ?? '')];
		case 'service':
		case 'include': {
			const service = attributes.name ?? attributes.service ?? '';
			return service === ALWAYS_IN ? [] : serviceParts(find(service), find, depth);
		}
		default:
			return [{why: 'openings cannot say it', unknown: true}];
	}
}

function serviceParts(
	service: Element | undefined,
	find: FindService,
	depth: number,
): ReadonlyArray<Part | Lost> {
	if (service === undefined || depth > DEEPEST) {
		return [{why: 'what this service is was not found', unknown: true}];
	}

	const [goal] = service.children.filter(({name}) => name === 'destination');
	const destination = {
		...(goal?.attributes.ipv4 ? {4: goal.attributes.ipv4} : {}),
		...(goal?.attributes.ipv6 ? {6: goal.attributes.ipv6} : {}),
	};
	const families = FAMILIES.filter((family) => goal === undefined || destination[family]);
	return service.children.flatMap((child): ReadonlyArray<Part | Lost> => {
		switch (child.name) {
			case 'destination':
				return [];
			case 'helper':
			case 'module':
				return [{why: 'its conntrack helper is not taken over', unknown: false}];
			case 'include':
				return partsOf(child, find, depth + 1);
			default:
				return partsOf(child, find, depth + 1).map((part) =>
					'why' in part ? part : {...part, families, destination},
				);
		}
	});
}

function protocolPart(protocol: string): Part | Lost {
	const name = protocol.toLowerCase();
	const known = PROTOCOLS.filter((one) => [one, NUMBERS[one]].includes(name));
	return known.length > 0
		? {...ANYTHING, protocols: known}
		: {
				why: `openings are of TCP and UDP, not of ${printable(protocol, 20)}`,
				unknown: !OTHERS.includes(name),
			};
}

/** Protocol numbers (IANA), as firewalld takes them too. */
const NUMBERS: Readonly<Record<Protocol, string>> = {tcp: '6', udp: '17'};
const OTHERS = ['sctp', 'dccp', 'esp', 'ah', 'gre', 'igmp', 'icmp', 'ipv6-icmp', 'ospf', 'vrrp'];

/** Some old services have a protocol without a port. */
function portPart({protocol = '', port = ''}: Element['attributes']): Part | Lost {
	const part = protocolPart(protocol);
	if ('why' in part || port === '') {
		return part;
	}

	const [, from, to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(port) ?? [];
	const [first, last] = [Number(from), Number(to ?? from)];
	return isPort(first) && isPort(last) && first <= last
		? {...part, ports: [{first, last}]}
		: {why: 'its port is not understood', unknown: true};
}

/** What an element of a zone lets in. */
export function judgeAllowed(
	element: Element,
	place: Place,
	text: string,
	find: FindService,
): Judged {
	return judgeParts(partsOf(element, find), place, text, 'allow');
}

/** What an action does to parts, for who comes from a place. */
function judgeParts(
	parts: ReadonlyArray<Part | Lost>,
	place: Place,
	text: string,
	action: 'allow' | 'deny',
): Judged {
	const matters = (part: Lost) => action === 'allow' || part.unknown;
	return {
		losses: parts.flatMap((part) => ('why' in part && matters(part) ? {text, why: part.why} : [])),
		rules: parts
			.flatMap((part): readonly Scope[] => {
				if (!('why' in part)) {
					return place.families
						.filter((family) => part.families.includes(family))
						.map((family) => scoped(part, place, family));
				}

				// What is not understood may shut out anything.
				return action === 'deny' && part.unknown
					? place.families.map((family) => scoped({...ANYTHING, inexact: part.why}, place, family))
					: [];
			})
			.map((scope): ForeignRule => ({text, action, ...regionsOf(scope)})),
	};
}

function scoped(part: Part, {source, on, inexact}: Place, family: Family): Scope {
	const destination = part.destination[family];
	const why = inexact ?? part.inexact;
	return {
		...{family, protocols: part.protocols, ports: part.ports},
		...(source === undefined ? {} : {source}),
		...(on === undefined ? {} : {on}),
		...(destination === undefined ? {} : {destination}),
		...(why === undefined ? {} : {inexact: why}),
	};
}

/** Elements of a rich rule that decide nothing. */
const SILENT = ['log', 'nflog', 'audit', 'mark'];
const ACTIONS = {accept: 'allow', reject: 'deny', drop: 'deny'} as const;
type Action = keyof typeof ACTIONS;

function isAction(name: string): name is Action {
	return name in ACTIONS;
}

/** Whether a rich rule turns something away (firewalld.richlanguage(5)). */
export function isDenial(rule: Element): boolean {
	return rule.children.some(({name}) => isAction(name) && ACTIONS[name] === 'deny');
}

/** What a rich rule does to who comes from a place. */
export function judgeRichRule(
	rule: Element,
	place: Place,
	text: string,
	find: FindService,
): Judged {
	const action = rule.children.find(({name}) => isAction(name));
	const subjects = rule.children.filter(
		({name}) => !isAction(name) && !SILENT.includes(name) && !/^(source|destination)$/.test(name),
	);
	const [subject] = subjects;
	const isIcmp = subjects.some(({name}) => name.startsWith('icmp-'));
	if (action === undefined || isIcmp) {
		return {
			rules: [],
			losses:
				subject === undefined
					? []
					: [{text, why: isIcmp ? ICMP : 'only what comes in to this machine is filtered'}],
		};
	}

	const source = rule.children.find(({name}) => name === 'source')?.attributes;
	const inexact =
		place.inexact ??
		(action.children.length > 0 ? 'it has a limit of its own' : undefined) ??
		(rule.children.some(({name}) => name === 'destination')
			? 'openings know no destination address'
			: undefined) ??
		(source !== undefined && (source.address === undefined || source.invert !== undefined)
			? 'openings know no such source'
			: undefined) ??
		// A rule of a zone with a source, that has one too: both must match.
		(source !== undefined && place.source !== undefined && source.address !== place.source
			? 'it has a source within that of its zone'
			: undefined);
	const families = place.families.filter((family) =>
		[undefined, `ipv${family}`].includes(rule.attributes.family),
	);
	const narrowed: Place = {
		...place,
		families,
		...(source?.address === undefined || place.source !== undefined
			? {}
			: {source: source.address}),
		...(inexact === undefined ? {} : {inexact}),
	};
	const parts = subject === undefined ? [ANYTHING] : partsOf(subject, find);
	return judgeParts(parts, narrowed, text, isAction(action.name) ? ACTIONS[action.name] : 'deny');
}

/** Of ICMP nothing is asked here. */
export const ICMP = 'ICMP is let in, whatever its type';

/** How an element of a zone is named: its zone before it. */
export function nameOf(zone: string, element: Element): string {
	return printable(`zone ${zone}: ${printElement(element)}`, 200);
}
