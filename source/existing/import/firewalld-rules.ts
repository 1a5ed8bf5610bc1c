import type {Family} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {
	ANYTHING,
	type FindService,
	type Inexpressible,
	type Part,
	partsOf,
} from './firewalld-parts.ts';
import {type Element, printElement} from './firewalld-xml.ts';
import {regionsOf, type Scope} from './iptables-line.ts';
import {describeProtocol, type Untranslatable} from './result.ts';
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
			'why' in part && matters(part)
				? {
						...{text, why: part.why, ...(part.harmless ? {} : {effect: 'closes' as const})},
						...(part.protocol === undefined || action === 'deny'
							? {}
							: describeProtocol(part.protocol, binding)),
					}
				: [],
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

const FORWARDED = 'what is forwarded is left alone';

/** ICMP is accepted by every rule set of fw-wizard. */
export const ICMP = 'ICMP is allowed, whatever its type';

/** The text that names an element of a zone, with the zone before it. */
export function nameOf(zone: string, element: Element): string {
	return printable(`zone ${zone}: ${printElement(element)}`, 200);
}
