import {FAMILIES, parseNetwork} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import type {ZoneBinding} from './firewalld-rules.ts';
import type {Element} from './firewalld-xml.ts';
import type {Untranslatable} from './result.ts';

export type Zone = {readonly name: string; readonly element: Element};

/**
 * Which zone applies to which packets. The first binding that matches decides: those by source come
 * first, then those by interface, then the default zone for all others.
 */
export function zoneBindings(
	{
		bindings,
		interfaces,
	}: {
		readonly bindings: Readonly<Record<string, string>>;
		readonly interfaces: readonly string[];
	},
	zones: readonly Zone[],
	defaultName: string,
): {
	readonly bindings: ReadonlyArray<{readonly zone: Zone; readonly binding: ZoneBinding}>;
	readonly losses: readonly Untranslatable[];
} {
	const inOrder = [...zones].sort(
		(a, b) =>
			priorityOf(a.element, 'ingress-priority') - priorityOf(b.element, 'ingress-priority') ||
			(a.name < b.name ? -1 : 1),
	);
	const sources = inOrder.flatMap((zone) =>
		zone.element.children
			.filter(({name}) => name === 'source')
			.map(({attributes}) => ({zone, binding: bindingOfSource(attributes)})),
	);
	const inFiles = inOrder.flatMap((zone) =>
		zone.element.children
			.filter(({name}) => name === 'interface')
			.map(({attributes}) => [attributes.name ?? '', zone.name] as const),
	);
	const bound = Object.entries({...Object.fromEntries(inFiles), ...bindings}).filter(
		([on, name]) => on !== 'lo' && name !== defaultName,
	);
	const byName = (wanted: string): Zone =>
		zones.find(({name}) => name === wanted) ?? {
			name: wanted,
			element: {name: 'zone', attributes: {}, children: []},
		};
	const rest = byName(defaultName);
	// Openings cannot express "all interfaces but these": the interfaces of today are named instead.
	const others: readonly ZoneBinding[] =
		bound.length === 0
			? [{families: FAMILIES}]
			: interfaces
					.filter((on) => !bound.some(([name]) => name === on))
					.map((on) => ({families: FAMILIES, on}));
	return {
		bindings: [
			...sources,
			...bound.map(([on, name]) => ({zone: byName(name), binding: {families: FAMILIES, on}})),
			...others.map((binding) => ({zone: rest, binding})),
		],
		losses:
			bound.length === 0
				? []
				: [
						{
							text: `zone ${printable(defaultName, 40)}: other interfaces`,
							why: `openings know no "all interfaces but ${printable(bound[0]?.[0] ?? '', 20)}"; interfaces that come later stay blocked`,
						},
					],
	};
}

function bindingOfSource({address, family}: Element['attributes']): ZoneBinding {
	const network = address === undefined ? undefined : networkOrNone(address);
	return network === undefined
		? {
				families: FAMILIES.filter((one) => [undefined, `ipv${one}`].includes(family)),
				inexact: 'openings know no such source',
			}
		: {families: [network.family], source: network.cidr};
}

function networkOrNone(text: string): ReturnType<typeof parseNetwork> | undefined {
	try {
		return parseNetwork(text);
	} catch {
		return undefined;
	}
}

/** The priority of an element, 0 where it has none. Elements of lower priority come first. */
export function priorityOf({attributes}: Element, name = 'priority'): number {
	return Number(attributes[name] ?? 0) || 0;
}
