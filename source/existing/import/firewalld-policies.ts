import {FAMILIES} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {isDenial, type TranslatedElement, type ZoneBinding} from './firewalld-rules.ts';
import {type Element, readElement} from './firewalld-xml.ts';
import type {Zone} from './firewalld-zones.ts';
import {regionsOf} from './iptables-line.ts';
import type {Region} from './port-space.ts';

const EVERYTHING = regionsIn({families: FAMILIES});
const NOTHING: TranslatedElement = {rules: [], losses: []};

/** A zone whose file is not understood. It comes first, and may block anything. */
export function unreadableZone(name: string): TranslatedElement {
	return notJudged(`zone ${printable(name, 40)}`, 'its file is not understood', EVERYTHING);
}

/**
 * A policy (firewalld.policy(5)), or direct rules. They come before zones. They allow nothing here, and
 * what they may block of the packets of their ingress zones stays blocked. A zone without interface
 * and source has no packets: libvirt's package brings policies for such zones.
 */
export function translateOtherFile(
	name: string,
	text: string,
	bindings: ReadonlyArray<{readonly zone: Zone; readonly binding: ZoneBinding}>,
): TranslatedElement {
	const element = readElement(text);
	const title = printable(name, 80);
	if (element === undefined) {
		return notJudged(title, NOT_JUDGED, EVERYTHING);
	}

	if (element.name !== 'policy') {
		// direct.xml has rules in the words of iptables.
		return element.name === 'direct' && element.children.length === 0
			? NOTHING
			: notJudged(title, NOT_JUDGED, EVERYTHING);
	}

	const [from, to] = ['ingress-zone', 'egress-zone'].map((wanted) =>
		element.children.flatMap(({name, attributes}) =>
			name === wanted ? [attributes.name ?? ''] : [],
		),
	);
	const has = (zones: readonly string[] = []) =>
		zones.some(
			(zone) =>
				['ANY', 'HOST'].includes(zone) || bindings.some((bound) => bound.zone.name === zone),
		);
	if (!has(from) || !has(to)) {
		return NOTHING;
	}

	const ingress = from?.includes('ANY')
		? EVERYTHING
		: bindings.flatMap(({zone, binding}) => (from?.includes(zone.name) ? regionsIn(binding) : []));
	const toHost = to?.some((zone) => ['HOST', 'ANY'].includes(zone));
	return toHost && mayBlock(element)
		? notJudged(title, NOT_JUDGED, ingress)
		: {rules: [], losses: [{text: title, why: 'nothing of it is imported'}]};
}

const NOT_JUDGED = 'it is not judged';

/** Something that may block any packet of these regions. */
function notJudged(text: string, inexact: string, regions: readonly Region[]): TranslatedElement {
	const why = `${inexact}; what it may block stays blocked`;
	return regions.length === 0
		? NOTHING
		: {
				rules: [{text, action: 'deny', regions, inexact}],
				losses: [{text, why, effect: 'closes'}],
			};
}

function mayBlock({attributes: {target}, children}: Element): boolean {
	return (
		!['ACCEPT', 'CONTINUE', undefined].includes(target) ||
		children.some((child) => child.name === 'rule' && isDenial(child))
	);
}

function regionsIn({families, source, on}: ZoneBinding): readonly Region[] {
	return families.flatMap(
		(family) =>
			regionsOf({
				family,
				...(source === undefined ? {} : {source}),
				...(on === undefined ? {} : {on}),
			}).regions,
	);
}
