import {FAMILIES} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {
	type FindService,
	ICMP,
	isDenial,
	type Judged,
	judgeAllowed,
	judgeRichRule,
	nameOf,
	type Place,
} from './firewalld-rules.ts';
import {type Element, printElement, readElement} from './firewalld-xml.ts';
import {placesOf, priorityOf, type Zone} from './firewalld-zones.ts';
import {regionsOf} from './iptables-line.ts';
import {type Region, subtractRegion} from './port-space.ts';
import {type Translation, type Untranslatable, unique} from './result.ts';
import {type ForeignRule, translateRules} from './to-openings.ts';

/** The texts of the files that firewalld works by. */
export type FirewalldFiles = {
	/** firewalld.conf; empty where there is none. */
	readonly conf: string;
	/** Zones and services by their name; those of /etc in place of those that come with it. */
	readonly zones: Readonly<Record<string, string>>;
	readonly services: Readonly<Record<string, string>>;
	/** Policies and direct rules of this machine by the name of their file, less what comes with it. */
	readonly others: Readonly<Record<string, string>>;
	/** The zones of interfaces while it runs, also those that NetworkManager chose. */
	readonly bindings: Readonly<Record<string, string>>;
	/** The interfaces that there are, less lo. */
	readonly interfaces: readonly string[];
};

/** What firewalld does (1.0 and newer), of which openings can say a part. @returns never more than it lets in */
export function translateFirewalld(files: FirewalldFiles): Translation {
	const defaultName = settingOf(files.conf, 'DefaultZone') || 'public';
	const zones = Object.entries(files.zones).flatMap(([name, text]): readonly Zone[] => {
		const element = readElement(text);
		return element?.name === 'zone' ? [{name, element}] : [];
	});
	const unread = Object.keys(files.zones).filter(
		(name) => !zones.some((zone) => zone.name === name),
	);
	const find: FindService = (name) => {
		const text = Object.hasOwn(files.services, name) ? files.services[name] : undefined;
		return text === undefined ? undefined : readElement(text);
	};
	const others = Object.entries(files.others).map(([name, text]) => judgeOther(name, text));
	const unknown = unread.map((name) => unknownZone(name));
	const {places, losses} = placesOf(files, zones, defaultName);
	const judged = [
		...others,
		...unknown,
		...places.map(({zone, place}) => judgeZone(zone, place, find)),
	];
	const {openings, untranslatable} = translateRules(judged.flatMap(({rules}) => rules));
	const target = zones.find(({name}) => name === defaultName)?.element.attributes.target;
	return {
		openings,
		verdict: target === 'DROP' ? 'drop' : 'reject',
		log: (settingOf(files.conf, 'LogDenied') || 'off') !== 'off',
		untranslatable: unique([...untranslatable, ...judged.flatMap((one) => one.losses), ...losses]),
		remarks: [],
	};
}

/** firewalld.conf(5); the last one counts. */
function settingOf(conf: string, name: string): string | undefined {
	const lines = [...conf.matchAll(/^\s*(\w+)\s*=\s*(.*?)\s*$/gm)];
	return lines.findLast(([, key]) => key === name)?.[2];
}

const EVERYTHING = FAMILIES.flatMap((family) => regionsOf({family}).regions);

/** Before all else, and it may shut out anything. */
function unknownZone(name: string): Judged {
	const text = `zone ${printable(name, 40)}`;
	const why = 'its file is not understood; what it may shut out stays shut';
	return {
		rules: [{text, action: 'deny', regions: EVERYTHING, inexact: 'its file is not understood'}],
		losses: [{text, why}],
	};
}

/** Policies and direct rules come before zones: of them nothing is let in, and what they may shut stays shut. */
function judgeOther(name: string, text: string): Judged {
	const element = readElement(text);
	const title = printable(name, 80);
	if (element !== undefined && !mayShut(element)) {
		return {
			rules: [],
			losses:
				element.children.length === 0 ? [] : [{text: title, why: 'nothing of it is taken over'}],
		};
	}

	return {
		rules: [{text: title, action: 'deny', regions: EVERYTHING, inexact: 'it is not judged'}],
		losses: [{text: title, why: 'it is not judged; what it may shut out stays shut'}],
	};
}

function mayShut(element: Element): boolean {
	if (element.name === 'policy') {
		const toHost = element.children.some(
			({name, attributes}) =>
				name === 'egress-zone' && ['HOST', 'ANY'].includes(attributes.name ?? ''),
		);
		return (
			toHost &&
			(!['ACCEPT', 'CONTINUE', undefined].includes(element.attributes.target) ||
				element.children.some((child) => child.name === 'rule' && isDenial(child)))
		);
	}

	// direct.xml: rules as iptables has them.
	return element.name !== 'direct' || element.children.length > 0;
}

/** Elements of a zone that let nothing in to this machine and shut nothing out. */
const ELSEWHERE = ['interface', 'source', 'forward', 'masquerade', 'forward-port', 'tcp-mss-clamp'];
const LETTING_IN = ['service', 'port', 'protocol', 'source-port'];

/** What a zone does to who gets into it from one place, in the order of firewalld 1.0. */
function judgeZone({name, element}: Zone, place: Place, find: FindService): Judged {
	const all = element.children;
	const rich = all.filter((child) => child.name === 'rule');
	const richly = (rules: readonly Element[]) =>
		[...rules.filter(isDenial), ...rules.filter((rule) => !isDenial(rule))].map((rule) =>
			judgeRichRule(rule, place, nameOf(name, rule), find),
		);
	const inOrder = [...new Set(rich.map((rule) => priorityOf(rule)))].sort((a, b) => a - b);
	const ranked = (chosen: (priority: number) => boolean) =>
		inOrder
			.filter(chosen)
			.flatMap((priority) => richly(rich.filter((rule) => priorityOf(rule) === priority)));
	const judged = [
		...ranked((priority) => priority <= 0),
		...all
			.filter((child) => LETTING_IN.includes(child.name))
			.map((child) => judgeAllowed(child, place, nameOf(name, child), find)),
		...ranked((priority) => priority > 0),
	];
	const rules = judged.flatMap((one) => one.rules);
	return {
		rules: [...rules, ...closing({name, element}, place, rules)],
		losses: [
			...judged.flatMap(({losses}) => losses),
			...all.flatMap((child) => lossOf(child, name)),
			...(element.attributes.target === 'ACCEPT'
				? [
						{
							text: `zone ${printable(name, 40)}: target ACCEPT`,
							why: 'openings are of TCP and UDP: other protocols stay shut',
						},
					]
				: []),
		],
	};
}

function lossOf(child: Element, zone: string): readonly Untranslatable[] {
	const text = nameOf(zone, child);
	if (child.name.startsWith('icmp-')) {
		return [{text, why: ICMP}];
	}

	if (['masquerade', 'forward-port', 'tcp-mss-clamp'].includes(child.name)) {
		return [{text, why: 'what is forwarded is left alone'}];
	}

	return child.name === 'rule' || [...ELSEWHERE, ...LETTING_IN].includes(child.name)
		? []
		: [{text: printElement(child), why: 'it is not understood'}];
}

/**
 * What a zone does to the rest: nobody gets on to another. Where the rest is turned away, it is said
 * without what the zone lets in from all of its place, so that others may let in the same.
 */
function closing(
	{name, element}: Zone,
	{families, source, on, inexact}: Place,
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
					region.reach === other.reach && region.on === other.on
						? subtractRegion(region, other).left
						: [region],
				),
			regions,
		),
	}));
}
