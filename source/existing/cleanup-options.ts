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

/** A way to treat the rules that exist already. */
export type CleanupChoice = {
	/** What happens to them; undefined: all stay, and fw-wizard applies nothing. */
	readonly existing: Existing | undefined;
	/** Why it is recommended, in half a sentence. The other choices have no reason. */
	readonly reason: string | undefined;
	/** What is removed, one line for each family and backend: `IPv4: 7 rules of INPUT`. Undo restores all of it. */
	readonly removals: readonly string[];
	/** Each removed rule as iptables-save prints it, behind its family and backend. There may be thousands. */
	readonly rules: readonly string[];
	/** What no longer works, one sentence each. */
	readonly breaks: readonly string[];
	/** Why it cannot be chosen here, in one sentence. */
	readonly refusal: string | undefined;
};

/**
 * The choices for the existing rules, with the recommended one first. There are none where the user
 * has nothing to decide: INPUT is empty but for our jump, and no program owns the firewall.
 * @param owners the programs that own the firewall, and must be switched off before a change
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
	const modes =
		advice === undefined ? [best] : [best, ...CLEANUP_MODES.filter((other) => other !== best)];
	return [
		...modes.map((mode) => ({
			...describeChoice(snapshots, {mode, switchOff: owners}),
			reason: mode === best ? reason : undefined,
		})),
		...(owners.length === 0
			? []
			: [
					{
						...{existing: undefined, reason: undefined, refusal: undefined},
						...{removals: [], rules: [], breaks: []},
					},
				]),
	];
}

function describeChoice(snapshots: readonly RulesSnapshot[], existing: Existing): CleanupChoice {
	const {cleanups, breaks, refusal} = planCleanup(snapshots, existing.mode, existing.switchOff);
	return {
		existing,
		reason: undefined,
		removals: [
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
 * The recommended choice for the rules of other programs in INPUT, and the reason; undefined where
 * INPUT has none. They are kept unless they look like an earlier firewall that was made by hand.
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
		const dropping = snapshots.find(dropsAll);
		return dropping === undefined || switchOff.includes('ufw')
			? undefined
			: {
					mode: 'flush-input',
					reason: `INPUT drops everything in the ${dropping.backend} backend, whatever is opened here`,
				};
	}

	const programs = [...new Set(rules.flatMap((rule) => programOfRule(rule)?.name ?? []))];
	const ownerless = rules.filter((rule) => programOfRule(rule) === undefined);
	if (ownerless.length === 0) {
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

/** Whether INPUT of the other backend drops every packet that none of its rules accepts. */
function dropsAll({inUse, rules}: RulesSnapshot): boolean {
	return !inUse && findChain(rules, 'filter', 'INPUT')?.policy === 'DROP';
}
