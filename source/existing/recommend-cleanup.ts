import {joinWords} from '../lib/list.ts';
import {printable} from '../lib/printable.ts';
import {printRule} from '../ruleset/format-iptables.ts';
import {findChain, type Rule} from '../ruleset/model.ts';
import type {CleanupMode, Manager} from './cleanup-plan.ts';
import {dependencyOf, interfacesIn} from './plain-rule.ts';
import {chainOf, programOfRule} from './rule-owner.ts';
import {decidesOnEverything, decidingRule} from './shadowed-jump.ts';
import {chainsIn, isOwnRule, linesIn, type RulesSnapshot} from './snapshot.ts';

/** A rule of another program in INPUT, with its number in the chain, counted from 1. */
type InputRule = {readonly index: number; readonly line: string; readonly rule: Rule};

/** INPUT of one family in one backend. */
type Place = {
	readonly snapshot: RulesSnapshot;
	/** The rules of other programs. */
	readonly rules: readonly InputRule[];
	/** The policy drops every packet that no rule accepts. */
	readonly drops: boolean;
};

/**
 * The recommended choice for the rules of other programs in INPUT, and the reason; undefined where
 * INPUT has none. They are kept, whether their program is known or not, unless every INPUT that has
 * some is a firewall of plain rules: one of them, or the policy, decides on every packet, and none
 * leads to a chain with rules, matches a set, an inner interface or an IPsec policy, or carries a
 * comment. `shadowed`: where they are kept, they decide on packets before our rules do.
 * @param switchOff the programs that are switched off before: their rules do not count
 */
export function recommendCleanup(
	snapshots: readonly RulesSnapshot[],
	switchOff: readonly Manager[] = [],
): {readonly mode: CleanupMode; readonly reason: string; readonly shadowed?: true} | undefined {
	const places = snapshots
		.map((snapshot) => placeOf(snapshot, switchOff.includes('ufw')))
		.filter(({snapshot, rules, drops}) => rules.length > 0 || (drops && !snapshot.inUse));
	if (places.length === 0) {
		return undefined;
	}

	const kept = reasonToKeep(places);
	if (kept !== undefined) {
		const shadow = describeShadow(places);
		return {
			...({mode: 'keep', reason: `${kept}${shadow}`} as const),
			...(shadow === '' ? {} : {shadowed: true}),
		};
	}

	const [cause = ''] = places.flatMap((place) => causeIn(place) ?? []);
	return {
		mode: 'flush-input',
		reason: places.every(({rules}) => rules.length === 0)
			? `${cause}, whatever is opened here`
			: `${cause}: they look like an earlier firewall, made by hand`,
	};
}

function placeOf(snapshot: RulesSnapshot, withoutUfw: boolean): Place {
	const chain = findChain(snapshot.rules, 'filter', 'INPUT');
	const rules = linesIn(snapshot)
		.filter((line) => chainOf(line) === 'INPUT')
		.flatMap((line, at): readonly InputRule[] => {
			const rule = chain?.rules[at];
			const leftOut =
				(snapshot.inUse && isOwnRule(line)) || (withoutUfw && programOfRule(line)?.name === 'ufw');
			return rule === undefined || leftOut ? [] : [{index: at + 1, line, rule}];
		});
	// Where ufw is switched off, the policy becomes ACCEPT, as by `ufw disable`.
	return {snapshot, rules, drops: !withoutUfw && chain?.policy === 'DROP'};
}

/** Why the rules are kept; undefined where they are a firewall of plain rules. */
function reasonToKeep(places: readonly Place[]): string | undefined {
	const all = places.flatMap(({rules}) => rules);
	const owners = all.map(({line}) => programOfRule(line)?.name);
	const programs = [...new Set(owners.flatMap((name) => name ?? []))];
	if (programs.length > 0) {
		return owners.includes(undefined)
			? `Rules of ${joinWords(programs)} are among them, and are needed`
			: `They belong to ${joinWords(programs)}, and are needed`;
	}

	const cards = new Set(all.flatMap(({line}) => interfacesIn(line)));
	for (const {snapshot, rules} of places) {
		const chains = chainsIn(snapshot).filter((chain) => chain.rules.length > 0);
		const filled = new Set(chains.map(({name}) => name));
		for (const rule of rules) {
			const why = dependencyOf(rule, filled, cards);
			if (why !== undefined) {
				return `Rule ${rule.index} of INPUT ${why}, and may be needed`;
			}
		}
	}

	return places.every((place) => causeIn(place) !== undefined)
		? undefined
		: 'They do not decide on everything, and may be needed';
}

/** The rule of INPUT itself, or its policy, that decides on every packet, as a sentence. */
function causeIn({snapshot: {family, backend, inUse}, rules, drops}: Place): string | undefined {
	const found = rules.find(({rule}) => decidesOnEverything(rule));
	const place = `INPUT${inUse ? '' : ` in the ${backend} backend`}`;
	if (found !== undefined) {
		const text = printable(printRule(found.rule, family), 80);
		return `Rule ${found.index} of ${place} (${text}) decides on everything`;
	}

	return drops ? `The policy of ${place} drops everything that no rule accepts` : undefined;
}

/** The consequence of keeping the rules where they leave nothing for ours to decide. */
function describeShadow(places: readonly Place[]): string {
	const cut = places.find(({snapshot, drops}) => !snapshot.inUse && drops)?.snapshot;
	const deciding = places
		.filter(({snapshot}) => snapshot.inUse)
		.flatMap(({snapshot}) => decidingRule(snapshot.rules) ?? []);
	const [first] = deciding;
	if (first !== undefined) {
		const text = printable(printRule(first.rule, first.family), 80);
		return `. Rule ${first.index} of INPUT (${text}) is evaluated before ours, and decides on everything`;
	}

	return cut === undefined
		? ''
		: `. The ${cut.backend} backend drops what its own rules do not accept, whatever is opened here`;
}
