import {FAMILIES, type Family} from '../../lib/network.ts';
import {ALL_PORTS, isPort, type PortRange} from '../../lib/port-ranges.ts';
import {printable} from '../../lib/printable.ts';
import {PROTOCOLS, type Protocol} from '../../policy/services.ts';
import {type Element, printElement} from './firewalld-xml.ts';
import {regionsOf, type Scope} from './iptables-line.ts';
import type {Untranslatable} from './result.ts';
import type {ForeignRule} from './to-openings.ts';

/** The packets that a zone is bound to: of a source or an interface, or all others where it has neither. */
export type ZoneBinding = Pick<Scope, 'source' | 'on' | 'inexact'> & {
	readonly families: readonly Family[];
};

/** What an element of a zone does, and what of it openings cannot express in any case. */
export type TranslatedElement = {
	readonly rules: readonly ForeignRule[];
	readonly losses: readonly Untranslatable[];
};

/** Finds a service of firewalld by its name; undefined where it has no file. */
export type FindService = (name: string) => Element | undefined;

/** The packets that a part of a rule is about. */
type Part = {
	readonly protocols: readonly Protocol[];
	readonly ports: readonly PortRange[];
	readonly families: readonly Family[];
	readonly destination: Readonly<Partial<Record<Family, string>>>;
	readonly inexact?: string;
};

/** A part of a rule that openings cannot express. */
type Inexpressible = {
	readonly why: string;
	/** Whether it may be about TCP or UDP, and any port. */
	readonly unknown: boolean;
};

const ANYTHING: Part = {
	protocols: PROTOCOLS,
	ports: [ALL_PORTS],
	families: FAMILIES,
	destination: {},
};

/** Every rule set of fw-wizard accepts answers to a DHCPv6 client. */
const ALWAYS_OPEN = 'dhcpv6-client';
/** A service may include other services, and these may include it again. */
const DEEPEST = 10;

/** The packets that a port, a service or a protocol is about. */
function partsOf(
	{name, attributes}: Element,
	find: FindService,
	depth = 0,
): ReadonlyArray<Part | Inexpressible> {
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
			return service === ALWAYS_OPEN ? [] : serviceParts(find(service), find, depth);
		}
		default:
			return [{why: 'openings cannot say it', unknown: true}];
	}
}

function serviceParts(
	service: Element | undefined,
	find: FindService,
	depth: number,
): ReadonlyArray<Part | Inexpressible> {
	if (service === undefined || depth > DEEPEST) {
		return [{why: 'what this service is was not found', unknown: true}];
	}

	const [target] = service.children.filter(({name}) => name === 'destination');
	const destination = {
		...(target?.attributes.ipv4 ? {4: target.attributes.ipv4} : {}),
		...(target?.attributes.ipv6 ? {6: target.attributes.ipv6} : {}),
	};
	const families = FAMILIES.filter((family) => target === undefined || destination[family]);
	return service.children.flatMap((child): ReadonlyArray<Part | Inexpressible> => {
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

function protocolPart(protocol: string): Part | Inexpressible {
	const name = protocol.toLowerCase();
	const known = PROTOCOLS.filter((one) => [one, NUMBERS[one]].includes(name));
	return known.length > 0
		? {...ANYTHING, protocols: known}
		: {
				why: `openings are of TCP and UDP, not of ${printable(protocol, 20)}`,
				unknown: !OTHERS.includes(name),
			};
}

/** Protocol numbers (IANA), which firewalld reads as well. */
const NUMBERS: Readonly<Record<Protocol, string>> = {tcp: '6', udp: '17'};
const OTHERS = ['sctp', 'dccp', 'esp', 'ah', 'gre', 'igmp', 'icmp', 'ipv6-icmp', 'ospf', 'vrrp'];

/** Reads a port. Some old services have a protocol without a port. */
function portPart({protocol = '', port = ''}: Element['attributes']): Part | Inexpressible {
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

/** What an element of a zone allows. */
export function translateAllowed(
	element: Element,
	binding: ZoneBinding,
	text: string,
	find: FindService,
): TranslatedElement {
	return translateParts(partsOf(element, find), binding, text, 'allow');
}

/** What an action does to packets of a binding. */
function translateParts(
	parts: ReadonlyArray<Part | Inexpressible>,
	binding: ZoneBinding,
	text: string,
	action: 'allow' | 'deny',
): TranslatedElement {
	const matters = (part: Inexpressible) => action === 'allow' || part.unknown;
	return {
		losses: parts.flatMap((part) =>
			'why' in part && matters(part) ? {text, why: part.why, effect: 'closes' as const} : [],
		),
		rules: parts
			.flatMap((part): readonly Scope[] => {
				if (!('why' in part)) {
					return binding.families
						.filter((family) => part.families.includes(family))
						.map((family) => scoped(part, binding, family));
				}

				// A rule that is not understood may block anything.
				return action === 'deny' && part.unknown
					? binding.families.map((family) =>
							scoped({...ANYTHING, inexact: part.why}, binding, family),
						)
					: [];
			})
			.map((scope): ForeignRule => ({text, action, ...regionsOf(scope)})),
	};
}

function scoped(part: Part, {source, on, inexact}: ZoneBinding, family: Family): Scope {
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

/** Whether a rich rule blocks something (firewalld.richlanguage(5)). */
export function isDenial(rule: Element): boolean {
	return rule.children.some(({name}) => isAction(name) && ACTIONS[name] === 'deny');
}

/** What a rich rule does to packets of a binding. */
export function translateRichRule(
	rule: Element,
	binding: ZoneBinding,
	text: string,
	find: FindService,
): TranslatedElement {
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
					: isIcmp
						? [{text, why: ICMP, effect: 'opens'}]
						: [{text, why: FORWARDED, effect: 'closes', elsewhere: true}],
		};
	}

	const source = rule.children.find(({name}) => name === 'source')?.attributes;
	const inexact =
		binding.inexact ??
		(action.children.length > 0 ? 'it has a limit of its own' : undefined) ??
		(rule.children.some(({name}) => name === 'destination')
			? 'openings know no destination address'
			: undefined) ??
		(source !== undefined && (source.address === undefined || source.invert !== undefined)
			? 'openings know no such source'
			: undefined) ??
		// Where the rule and its zone each have a source, both must match.
		(source !== undefined && binding.source !== undefined && source.address !== binding.source
			? 'it has a source within that of its zone'
			: undefined);
	const families = binding.families.filter((family) =>
		[undefined, `ipv${family}`].includes(rule.attributes.family),
	);
	const narrowed: ZoneBinding = {
		...binding,
		families,
		...(source?.address === undefined || binding.source !== undefined
			? {}
			: {source: source.address}),
		...(inexact === undefined ? {} : {inexact}),
	};
	const parts = subject === undefined ? [ANYTHING] : partsOf(subject, find);
	return translateParts(
		parts,
		narrowed,
		text,
		isAction(action.name) ? ACTIONS[action.name] : 'deny',
	);
}

export const FORWARDED = 'what is forwarded is left alone';

/** ICMP is accepted by every rule set of fw-wizard. */
export const ICMP = 'ICMP is let in, whatever its type';

/** The text that names an element of a zone, with the zone before it. */
export function nameOf(zone: string, element: Element): string {
	return printable(`zone ${zone}: ${printElement(element)}`, 200);
}
