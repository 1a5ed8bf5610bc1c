import {groupBy} from '../../lib/group-by.ts';
import {mergeOpenings} from '../../policy/merge-openings.ts';
import {meet, openRegions, type Region, subtractRegion} from './port-space.ts';
import type {Translation, Untranslatable} from './result.ts';

/** A rule of another firewall, as far as openings can express it. */
export type ForeignRule = {
	/** In the words of its own program, printable. */
	readonly text: string;
	readonly action: 'allow' | 'limit' | 'deny';
	/** The packets that it is about. An inexact rule is about these at most. */
	readonly regions: readonly Region[];
	/** The condition of the rule that openings do not know, in half a sentence: it is about fewer packets than the regions. */
	readonly inexact?: string;
};

/** A rule that is translated in part or not at all, with the regions that it would open without exceptions. */
type Loss = {
	readonly rule: ForeignRule;
	readonly why: string;
	readonly wider: readonly Region[];
};

/**
 * The openings that allow what a list of rules allows, of which the first that matches decides. Where
 * openings cannot express that exactly they allow less, and the result names what is missing.
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
			const {left, exceptions} = subtractRules(regions, before);
			open[action].push(...left);
			if (exceptions.length > 0) {
				losses.push({rule, why: describeExceptions(exceptions), wider: regions});
			}
		}

		// A later rule can neither block what an earlier one allows, nor allow without limit what one limits.
		if (action !== 'allow') {
			before.push(rule);
		}
	}

	return {
		openings: mergeOpenings([...openRegions(open.allow, false), ...openRegions(open.limit, true)]),
		untranslatable: describeLosses(losses),
	};
}

/** What earlier rules leave of regions, and the rules whose exceptions openings cannot express, if that matters. */
function subtractRules(
	regions: readonly Region[],
	before: readonly ForeignRule[],
): {left: readonly Region[]; exceptions: readonly string[]} {
	let left = regions;
	let lost = false;
	for (const rule of before) {
		lost ||= left.some((region) => hasInexpressibleOverlap(rule, region));
		left = rule.regions.reduce(
			(rest, other) => rest.flatMap((region) => subtractRegion(region, other).left),
			left,
		);
	}

	const exceptions = before.filter((rule) =>
		regions.some((region) => hasInexpressibleOverlap(rule, region)),
	);
	return {left, exceptions: lost ? [...new Set(exceptions.map(({text}) => text))] : []};
}

function hasInexpressibleOverlap({regions, inexact}: ForeignRule, region: Region): boolean {
	return regions.some(
		(other) => meet(region, other) && (inexact !== undefined || subtractRegion(region, other).lost),
	);
}

function describeExceptions(exceptions: readonly string[]): string {
	const [first = '', ...others] = exceptions;
	const stands = others.length === 0 ? 'stands' : `and ${others.length} more stand`;
	return `"${first}" ${stands} before it, and openings know no such exception; what it touches stays shut`;
}

/** Each loss once: most rules exist for both families. */
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
