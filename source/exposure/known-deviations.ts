import type {KnownDeviation} from '../change/record.ts';
import {joinRanges, subtractRanges} from '../lib/port-ranges.ts';
import {PROTOCOLS} from '../policy/services.ts';
import {describeRule} from '../proof/responsible-rule.ts';
import type {Comparison} from './compare-running.ts';
import type {Deviation} from './explain-deviations.ts';

/** The parts of a comparison that the user may know already. */
type Found = Pick<Comparison, 'deviations' | 'blocked' | 'unroutable' | 'protocols'>;

/** What a comparison has found, in a form that is recognized in a later one. */
export function remember(found: Found): readonly KnownDeviation[] {
	return [
		...found.deviations.flatMap((deviation) => (deviation.rule?.own ? [] : entriesOf(deviation))),
		...textsIn(found).map((what) => ({what})),
	];
}

/** Takes a comparison apart: what was known, and what is new. */
export function splitKnown<T extends Found>(
	found: T,
	known: readonly KnownDeviation[],
): {readonly known: Found; readonly fresh: T} {
	const texts = new Set(known.map(({what}) => what));
	const isKnown = (deviation: Deviation) =>
		entriesOf(deviation).every(({what, ports}) => {
			const before = known.filter((one) => one.what === what);
			return PROTOCOLS.every((protocol) => {
				const seen = joinRanges(before.flatMap((one) => one.ports?.[protocol] ?? []));
				return subtractRanges(ports[protocol], seen).length === 0;
			});
		});
	const pick = (wanted: boolean): Found => ({
		deviations: found.deviations.filter((one) => isKnown(one) === wanted),
		blocked: found.blocked.filter(
			(one) => textsIn({...NOTHING, blocked: [one]}).every((text) => texts.has(text)) === wanted,
		),
		unroutable: found.unroutable.filter((text) => texts.has(text) === wanted),
		protocols: found.protocols.filter(
			(one) => textsIn({...NOTHING, protocols: [one]}).every((text) => texts.has(text)) === wanted,
		),
	});
	return {known: pick(true), fresh: {...found, ...pick(false)}};
}

const NOTHING: Found = {deviations: [], blocked: [], unroutable: [], protocols: []};

/**
 * One entry for each family and source. The interface is left out: interfaces come and go, and where a
 * rule names one it is in its text.
 */
function entriesOf({fate, ports, families, from, rule}: Deviation) {
	const sources = new Set(from.map(({kind, name}) => (kind === 'anywhere' ? kind : name)));
	return families.flatMap((family) =>
		[...sources].map((source) => ({
			what: `${fate} from ${source} over IPv${family}: ${rule ? describeRule(rule) : '?'}`,
			ports,
		})),
	);
}

/** The rest in one line each. The number of a rule changes with each rule before it. */
function textsIn({blocked, unroutable, protocols}: Found): readonly string[] {
	return [
		...blocked.flatMap(({names, families, rule}) =>
			families.flatMap((family) =>
				names.map((name) => `${name} over IPv${family}: ${describeRule(rule)}`),
			),
		),
		...unroutable,
		...protocols.map(
			({family, text}) => `IPv${family}: ${text.replace(/ \(rule \d+ of (\S+)\)$/, ' ($1)')}`,
		),
	];
}
