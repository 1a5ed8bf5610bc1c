import {groupBy} from '../../lib/group-by.ts';
import {mergeOpenings} from '../../policy/merge-openings.ts';
import {meet, openRegions, type Region, subtractRegion} from './port-space.ts';
import type {Translation, Untranslatable} from './result.ts';

/** A rule of another firewall, less what openings cannot tell apart. */
export type ForeignRule = {
	/** As its own program writes it, printable. */
	readonly text: string;
	readonly action: 'allow' | 'limit' | 'deny';
	/** What it is about; of an inexact rule, what it is about at most. */
	readonly regions: readonly Region[];
	/** Why the regions do not say all of it: it looks at something that openings do not know. */
	readonly inexact?: string;
};

/** A rule of which not everything is let in, and what an opening without the exceptions would. */
type Loss = {
	readonly rule: ForeignRule;
	readonly why: string;
	readonly wider: readonly Region[];
};

/**
 * The openings that let in what a list of rules does, of which the first that matches decides. Where
 * that cannot be said exactly, they let in less, and what is missing is named.
 */
export function translateRules(
	rules: readonly ForeignRule[],
): Pick<Translation, 'openings' | 'untranslatable'> {
	const open: Record<'allow' | 'limit', Region[]> = {allow: [], limit: []};
	const losses: Loss[] = [];
	const before: ForeignRule[] = [];
	for (const rule of rules) {
		const {action, regions, inexact} = rule;
		if (action !== 'deny' && inexact !== undefined) {
			losses.push({rule, why: `${inexact}; it stays shut`, wider: []});
		} else if (action !== 'deny') {
			const {left, culprits} = subtractRules(regions, before);
			open[action].push(...left);
			if (culprits.length > 0) {
				losses.push({rule, why: describeExceptions(culprits), wider: regions});
			}
		}

		// What an earlier rule lets in, no later one takes back; what it limits, none lets in freely.
		if (action !== 'allow') {
			before.push(rule);
		}
	}

	return {
		openings: mergeOpenings([...openRegions(open.allow, false), ...openRegions(open.limit, true)]),
		untranslatable: describeLosses(losses),
	};
}

/** What earlier rules leave, and those of them whose exception cannot be said exactly, if that matters. */
function subtractRules(
	regions: readonly Region[],
	before: readonly ForeignRule[],
): {left: readonly Region[]; culprits: readonly string[]} {
	let left = regions;
	let lost = false;
	for (const rule of before) {
		lost ||= left.some((region) => hasInexpressibleOverlap(rule, region));
		left = rule.regions.reduce(
			(rest, other) => rest.flatMap((region) => subtractRegion(region, other).left),
			left,
		);
	}

	const culprits = before.filter((rule) =>
		regions.some((region) => hasInexpressibleOverlap(rule, region)),
	);
	return {left, culprits: lost ? [...new Set(culprits.map(({text}) => text))] : []};
}

function hasInexpressibleOverlap({regions, inexact}: ForeignRule, region: Region): boolean {
	return regions.some(
		(other) => meet(region, other) && (inexact !== undefined || subtractRegion(region, other).lost),
	);
}

function describeExceptions(culprits: readonly string[]): string {
	const [first = '', ...others] = culprits;
	const stands = others.length === 0 ? 'stands' : `and ${others.length} more stand`;
	return `"${first}" ${stands} before it, and openings know no such exception; what it touches stays shut`;
}

/** Each said once: most rules are there for both families. */
function describeLosses(losses: readonly Loss[]): readonly Untranslatable[] {
	return groupBy(losses, ({rule, why}) => `${rule.text}\n${why}`).flatMap((group) => {
		const [first] = group;
		if (first === undefined) {
			return [];
		}

		const wider = openRegions(
			group.flatMap(({wider}) => wider),
			first.rule.action === 'limit',
		);
		return [
			{
				text: first.rule.text,
				why: first.why,
				...(wider.length === 0 ? {} : {wider: mergeOpenings(wider)}),
			},
		];
	});
}
