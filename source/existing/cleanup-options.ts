import {joinWords} from '../lib/list.ts';
import {printRule} from '../ruleset/format-iptables.ts';
import {findChain} from '../ruleset/model.ts';
import {describeCleanup} from './cleanup-format.ts';
import {
	CLEANUP_MODES,
	type CleanupMode,
	type Existing,
	type Manager,
	planCleanup,
} from './cleanup-plan.ts';
import {programOfRule} from './rule-owner.ts';
import {decidingRule} from './shadowed-jump.ts';
import {describeSnapshot, foreignRules, type RulesSnapshot} from './snapshot.ts';

/** A way to deal with what is there already. */
export type CleanupChoice = {
	/** What becomes of it; undefined: all stays, and nothing of ours is applied. */
	readonly existing: Existing | undefined;
	/** Why it is the recommended one, in half a sentence; the others have none. */
	readonly reason: string | undefined;
	/** What goes, one line for each place: `IPv4: 7 rules of INPUT`. Undo brings all of it back. */
	readonly goes: readonly string[];
	/** Each rule that goes, as iptables-save has it, behind its place. There may be thousands. */
	readonly rules: readonly string[];
	/** What stops to work, one sentence each. */
	readonly breaks: readonly string[];
	/** Why it cannot be chosen here, in one sentence. */
	readonly refusal: string | undefined;
};

/**
 * What can be done about what is there, the recommended way first; none where there is nothing to
 * decide: INPUT is empty but for our jump, and nobody owns the firewall.
 * @param owners whoever does, and is to be switched off before anything of ours is applied
 */
export function planChoices(
	snapshots: readonly RulesSnapshot[],
	owners: readonly Manager[],
): readonly CleanupChoice[] {
	const advice = recommendCleanup(snapshots, owners);
	if (advice === undefined && owners.length === 0) {
		return [];
	}

	const {mode: best, reason} = advice ?? {
		mode: 'keep',
		reason: `Two firewalls cannot both decide, and undo brings ${joinWords(owners)} back`,
	};
	const initSystems =
		advice === undefined ? [best] : [best, ...CLEANUP_MODES.filter((other) => other !== best)];
	return [
		...initSystems.map((mode) => ({
			...describeChoice(snapshots, {mode, switchOff: owners}),
			reason: mode === best ? reason : undefined,
		})),
		...(owners.length === 0
			? []
			: [
					{
						...{existing: undefined, reason: undefined, refusal: undefined},
						...{goes: [], rules: [], breaks: []},
					},
				]),
	];
}

function describeChoice(snapshots: readonly RulesSnapshot[], existing: Existing): CleanupChoice {
	const {cleanups, breaks, refusal} = planCleanup(snapshots, existing.mode, existing.switchOff);
	return {
		existing,
		reason: undefined,
		goes: [
			...cleanups.map(describeCleanup),
			...existing.switchOff.map((name) => `${name} is switched off`),
		],
		rules: cleanups.flatMap(({rules, policies, ...cleanup}) => {
			const place = describeSnapshot(cleanup);
			return [
				...rules.map((rule) => `${place}: ${rule}`),
				...policies.map(({chain, from, to}) => `${place}: -P ${chain} ${from} → ${to}`),
			];
		}),
		breaks,
		refusal,
	};
}

/**
 * What is best done with the rules of others in INPUT, and why; undefined where there are none.
 * They are kept unless they are what somebody has left behind who made a firewall by hand.
 */
export function recommendCleanup(
	snapshots: readonly RulesSnapshot[],
	switchOff: readonly Manager[] = [],
): {readonly mode: CleanupMode; readonly reason: string} | undefined {
	const places = snapshots.map((snapshot) => ({
		snapshot,
		rules: foreignRules(snapshot, 'INPUT').filter(
			(rule) => !(switchOff.includes('ufw') && programOfRule(rule)?.name === 'ufw'),
		),
	}));
	const rules = places.flatMap((place) => place.rules);
	if (rules.length === 0) {
		const shut = snapshots.find(shutsBeside);
		return shut === undefined || switchOff.includes('ufw')
			? undefined
			: {
					mode: 'flush-input',
					reason: `INPUT drops everything in the ${shut.backend} backend, whatever is opened here`,
				};
	}

	const programs = [...new Set(rules.flatMap((rule) => programOfRule(rule)?.name ?? []))];
	const strangers = rules.filter((rule) => programOfRule(rule) === undefined);
	if (strangers.length === 0) {
		return {
			mode: 'keep',
			reason: `They belong to ${joinWords(programs)}, and are needed`,
		};
	}

	if (programs.length === 0) {
		return {
			mode: 'flush-input',
			reason:
				'They belong to no program that is known: they look like an earlier firewall, made by hand',
		};
	}

	const deciding = places.map(({snapshot}) => decidingRule(snapshot.rules)).find(Boolean);
	return deciding === undefined
		? {
				mode: 'keep',
				reason: `Rules of ${joinWords(programs)} are among them, and are needed`,
			}
		: {
				mode: 'flush-input',
				reason: `With rule ${deciding.index} of INPUT (${printRule(deciding.rule, deciding.family)}) ours would not be reached`,
			};
}

/** Whether the other backend drops what it has no rule for. */
function shutsBeside({inUse, rules}: RulesSnapshot): boolean {
	return !inUse && findChain(rules, 'filter', 'INPUT')?.policy === 'DROP';
}
