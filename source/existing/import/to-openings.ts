import {groupBy} from '../../lib/group-by.ts';
import {joinWords} from '../../lib/list.ts';
import {type Network, networkOfBits} from '../../lib/network.ts';
import {ALL_PORTS} from '../../lib/port-ranges.ts';
import {mergeOpenings} from '../../policy/merge-openings.ts';
import {printOpening} from '../../policy/opening.ts';
import {PROTOCOLS} from '../../policy/services.ts';
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
	/** It is about a list of addresses, which is not known: as a ban, it is no exception that openings make. */
	readonly listed?: boolean;
};

/** A rule that is translated in part or not at all, with the regions that it would open without exceptions. */
type Loss = {
	readonly rule: ForeignRule;
	readonly why: string;
	readonly wider: readonly Region[];
};

/** An exception that openings do not make, since it is for a few addresses, and what these can reach. */
type Ignored = {readonly rule: ForeignRule; readonly open: readonly Region[]};

/**
 * The openings that allow what a list of rules allows, of which the first that matches decides. Where
 * openings cannot express that exactly they allow less, but for exceptions of a few addresses: these
 * are blocked, or, where a rule before allows them something, not excepted. The result names what is missing.
 */
export function translateRules(
	rules: readonly ForeignRule[],
): Pick<Translation, 'openings' | 'untranslatable'> & {readonly blocked: readonly Network[]} {
	const open: Record<'allow' | 'limit', Region[]> = {allow: [], limit: []};
	const losses: Loss[] = [];
	const ignored: Ignored[] = [];
	const blocking = new Set<ForeignRule>();
	const before: ForeignRule[] = [];
	for (const rule of rules) {
		const {action, regions, inexact} = rule;
		if (action !== 'deny' && inexact !== undefined) {
			losses.push({rule, why: `${inexact}; it stays blocked`, wider: []});
		} else if (action !== 'deny') {
			const {left, exceptions, narrow} = subtractRules(regions, before);
			open[action].push(...left);
			for (const exception of narrow) {
				if (canBlock(exception, rules)) {
					blocking.add(exception);
				} else {
					ignored.push({rule: exception, open: left});
				}
			}

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
		blocked: [...blocking].flatMap(({regions}) =>
			[...new Set(regions.map(({sourceBits}) => sourceBits))].map(networkOfBits),
		),
		untranslatable: [...describeIgnored(ignored), ...describeLosses(losses)],
	};
}

/**
 * Whether the sources of a rule can be blocked by themselves, ahead of all openings: it denies them
 * everything, before anything allows them something.
 */
function canBlock(rule: ForeignRule, rules: readonly ForeignRule[]): boolean {
	return (
		rule.action === 'deny' &&
		rule.inexact === undefined &&
		coverEverything(rule.regions) &&
		!rules
			.slice(0, rules.indexOf(rule))
			.some(
				({action, regions}) =>
					action !== 'deny' &&
					regions.some(({sourceBits}) =>
						rule.regions.some(
							(denied) =>
								denied.sourceBits.startsWith(sourceBits) ||
								sourceBits.startsWith(denied.sourceBits),
						),
					),
			)
	);
}

/** Whether regions cover all ports of TCP and UDP, on any interface, for each of their sources. */
function coverEverything(regions: readonly Region[]): boolean {
	return regions.every(({sourceBits}) =>
		PROTOCOLS.every((protocol) =>
			regions.some(
				(region) =>
					region.on === undefined &&
					region.sourceBits === sourceBits &&
					region.protocol === protocol &&
					region.first === ALL_PORTS.first &&
					region.last === ALL_PORTS.last,
			),
		),
	);
}

/** What earlier rules leave of regions, and which of their exceptions openings do not make. */
function subtractRules(
	regions: readonly Region[],
	before: readonly ForeignRule[],
): {
	readonly left: readonly Region[];
	/** The texts of the rules that close more than they should, if that matters. */
	readonly exceptions: readonly string[];
	/** The rules for a few addresses, which are not made. */
	readonly narrow: readonly ForeignRule[];
} {
	let left = regions;
	let lost = false;
	const narrow: ForeignRule[] = [];
	for (const rule of before) {
		const parts = left.map((region) => overlapOf(rule, region));
		lost ||= parts.includes('lost');
		if (parts.includes('narrow')) {
			narrow.push(rule);
		}

		if (rule.listed) {
			continue;
		}

		left = rule.regions.reduce(
			(rest, other) => rest.flatMap((region) => subtractRegion(region, other).left),
			left,
		);
	}

	const exceptions = before.filter((rule) =>
		regions.some((region) => overlapOf(rule, region) === 'lost'),
	);
	return {left, narrow, exceptions: lost ? [...new Set(exceptions.map(({text}) => text))] : []};
}

/** How openings express a region without what a rule is about: too little, or with a few addresses too many. */
function overlapOf(
	{regions, inexact, listed}: ForeignRule,
	region: Region,
): 'lost' | 'narrow' | undefined {
	if (listed) {
		return regions.some((other) => meet(region, other)) ? 'narrow' : undefined;
	}

	const parts = regions
		.filter((other) => meet(region, other))
		.map((other) => subtractRegion(region, other));
	if (parts.some(({lost, narrow}) => !narrow && (lost || inexact !== undefined))) {
		return 'lost';
	}

	return parts.some(({narrow}) => narrow) ? 'narrow' : undefined;
}

function describeExceptions(exceptions: readonly string[]): string {
	const [first = '', ...others] = exceptions;
	const stands = others.length === 0 ? 'stands' : `and ${others.length} more stand`;
	return `"${first}" ${stands} before it, and openings know no such exception; what it matches stays blocked`;
}

/** All exceptions that are not made, as one: a program that bans addresses may have made hundreds. */
function describeIgnored(all: readonly Ignored[]): readonly Untranslatable[] {
	const ignored = all
		.map(({rule, open}) => ({
			rule,
			open: open.filter((region) => rule.regions.some((other) => meet(region, other))),
		}))
		.filter(({open}) => open.length > 0);
	const texts = [...new Set(ignored.map(({rule}) => rule.text))];
	const [first] = texts;
	if (first === undefined) {
		return [];
	}

	const reached = ignored.flatMap(({open}) => open);
	const everywhere = reached.flatMap((region) =>
		['4', '6'].map((sourceBits): Region => ({...region, sourceBits})),
	);
	const ports = mergeOpenings(openRegions(everywhere, false)).map(printOpening);
	return [
		{
			text: texts.length === 1 ? first : `${first}, and ${texts.length - 1} more like it`,
			why: `openings know no exception for a few addresses; these can connect to ${joinWords(ports)}`,
			// An exception to a limit opens nothing.
			...(ignored.some(({rule}) => rule.action === 'deny') ? {effect: 'opens'} : {}),
		},
	];
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
				effect: 'closes',
				...(wider.length === 0 ? {} : {wider: mergeOpenings(wider)}),
			},
		];
	});
}
