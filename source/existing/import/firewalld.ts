import type {Network} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import type {FindService} from './firewalld-parts.ts';
import {translateOtherFile, unreadableZone} from './firewalld-policies.ts';
import {
	ICMP,
	isDenial,
	nameOf,
	type TranslatedElement,
	translateAllowed,
	translateRichRule,
	type ZoneBinding,
} from './firewalld-rules.ts';
import {expandSets} from './firewalld-sets.ts';
import {type Element, printElement, readElement} from './firewalld-xml.ts';
import {priorityOf, type Zone, zoneBindings} from './firewalld-zones.ts';
import {regionsOf} from './iptables-line.ts';
import {type Region, subtractRegion} from './port-space.ts';
import {type Translation, type Untranslatable, unique} from './result.ts';
import {type ForeignRule, translateRules} from './to-openings.ts';

/** The texts of the files of firewalld. */
export type FirewalldFiles = {
	/** firewalld.conf, empty where it does not exist. */
	readonly conf: string;
	/** Zones and services by name. A file in /etc replaces the one that firewalld ships. */
	readonly zones: Readonly<Record<string, string>>;
	readonly services: Readonly<Record<string, string>>;
	/** What is in the sets that are known, by name. */
	readonly sets?: Readonly<Record<string, readonly Network[] | undefined>>;
	/** Policies and direct rules of this machine by the name of their file, without those that firewalld ships. */
	readonly others: Readonly<Record<string, string>>;
	/** The zone of each interface while firewalld runs, also where NetworkManager chose it. */
	readonly bindings: Readonly<Record<string, string>>;
	/** The interfaces of this machine, without lo. */
	readonly interfaces: readonly string[];
};

/**
 * Translates the rules of firewalld (1.0 and newer) into openings, as far as openings can express them.
 * @returns openings that allow no more than firewalld does
 */
export function translateFirewalld(files: FirewalldFiles): Translation {
	const defaultName = settingOf(files.conf, 'DefaultZone') || 'public';
	const zones = Object.entries(files.zones).flatMap(([name, text]): readonly Zone[] => {
		const element = readElement(text);
		return element?.name === 'zone' ? [{name, element: expandSets(element, files.sets ?? {})}] : [];
	});
	const unread = Object.keys(files.zones).filter(
		(name) => !zones.some((zone) => zone.name === name),
	);
	const find: FindService = (name) => {
		const text = Object.hasOwn(files.services, name) ? files.services[name] : undefined;
		return text === undefined ? undefined : readElement(text);
	};
	const unknown = unread.map((name) => unreadableZone(name));
	const {bindings, losses} = zoneBindings(files, zones, defaultName);
	const others = Object.entries(files.others).map(([name, text]) =>
		translateOtherFile(name, text, bindings),
	);
	const translated = [
		...others,
		...unknown,
		...bindings.map(({zone, binding}) => translateZone(zone, binding, find)),
	];
	const {openings, blocked, untranslatable} = translateRules(
		translated.flatMap(({rules}) => rules),
	);
	const target = zones.find(({name}) => name === defaultName)?.element.attributes.target;
	return {
		openings,
		blocked,
		verdict: target === 'DROP' ? 'drop' : 'reject',
		log: (settingOf(files.conf, 'LogDenied') || 'off') !== 'off',
		untranslatable: unique([
			...untranslatable,
			...translated.flatMap((one) => one.losses),
			...losses,
		]),
		remarks: [],
	};
}

/** A setting of firewalld.conf(5), where the last line of a name counts. */
function settingOf(conf: string, name: string): string | undefined {
	const lines = [...conf.matchAll(/^\s*(\w+)\s*=\s*(.*?)\s*$/gm)];
	return lines.findLast(([, key]) => key === name)?.[2];
}

/** Elements of a zone that neither allow nor block packets to this machine. */
const ELSEWHERE = ['interface', 'source', 'forward', 'masquerade', 'forward-port', 'tcp-mss-clamp'];
const ALLOWING = ['service', 'port', 'protocol', 'source-port'];

/** What a zone does to the packets of one binding, in the order of firewalld 1.0. */
function translateZone(
	{name, element}: Zone,
	binding: ZoneBinding,
	find: FindService,
): TranslatedElement {
	const all = element.children;
	const rich = all.filter((child) => child.name === 'rule');
	const richly = (rules: readonly Element[]) =>
		[...rules.filter(isDenial), ...rules.filter((rule) => !isDenial(rule))].map((rule) =>
			translateRichRule(rule, binding, nameOf(name, rule), find),
		);
	const inOrder = [...new Set(rich.map((rule) => priorityOf(rule)))].sort((a, b) => a - b);
	const ranked = (chosen: (priority: number) => boolean) =>
		inOrder
			.filter(chosen)
			.flatMap((priority) => richly(rich.filter((rule) => priorityOf(rule) === priority)));
	const translated = [
		...ranked((priority) => priority <= 0),
		...all
			.filter((child) => ALLOWING.includes(child.name))
			.map((child) => translateAllowed(child, binding, nameOf(name, child), find)),
		...ranked((priority) => priority > 0),
	];
	const rules = translated.flatMap((one) => one.rules);
	return {
		rules: [...rules, ...closingRules({name, element}, binding, rules)],
		losses: [
			...translated.flatMap(({losses}) => losses),
			...all.flatMap((child) => lossOf(child, name)),
			...(element.attributes.target === 'ACCEPT'
				? [
						{
							text: `zone ${printable(name, 40)}: target ACCEPT`,
							why: 'openings are of TCP and UDP: other protocols stay blocked',
						},
					]
				: []),
		],
	};
}

function lossOf(child: Element, zone: string): readonly Untranslatable[] {
	const text = nameOf(zone, child);
	if (child.name.startsWith('icmp-')) {
		return [{text, why: ICMP, effect: 'opens'}];
	}

	if (['masquerade', 'forward-port', 'tcp-mss-clamp'].includes(child.name)) {
		return [{text, why: 'what is forwarded is left alone', effect: 'closes', elsewhere: true}];
	}

	return child.name === 'rule' || [...ELSEWHERE, ...ALLOWING].includes(child.name)
		? []
		: [{text: printElement(child), why: 'it is not understood', effect: 'closes'}];
}

/**
 * What a zone does to all other packets of a binding, which no later zone gets. Where it blocks them,
 * the rule leaves out what the zone allows for the whole binding, so that another zone may allow the
 * same.
 */
function closingRules(
	{name, element}: Zone,
	{families, source, on, inexact}: ZoneBinding,
	rules: readonly ForeignRule[],
): readonly ForeignRule[] {
	const scope = {
		...(source === undefined ? {} : {source}),
		...(on === undefined ? {} : {on}),
		...(inexact === undefined ? {} : {inexact}),
	};
	const text = `zone ${printable(name, 40)}`;
	const whole = families.map((family) => regionsOf({family, ...scope}));
	if (element.attributes.target === 'ACCEPT') {
		return whole.map((rest) => ({text: `${text}: target ACCEPT`, action: 'allow', ...rest}));
	}

	const allowed = rules
		.filter((rule) => rule.action === 'allow' && rule.inexact === undefined)
		.flatMap(({regions}) => regions);
	return whole.map(({regions, ...rest}) => ({
		...{text, action: 'deny', ...rest},
		regions: allowed.reduce<readonly Region[]>(
			(left, other) =>
				left.flatMap((region) =>
					region.sourceBits === other.sourceBits && region.on === other.on
						? subtractRegion(region, other).left
						: [region],
				),
			regions,
		),
	}));
}
