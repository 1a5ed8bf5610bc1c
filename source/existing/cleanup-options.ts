import {joinWords} from '../lib/list.ts';
import {describeCleanup} from './cleanup-format.ts';
import {CLEANUP_MODES, type Existing, type Manager, planCleanup} from './cleanup-plan.ts';
import {recommendCleanup} from './recommend-cleanup.ts';
import {describeSavedEdit, planSavedEdits, type SavedRules} from './saved-rules.ts';
import {describeSnapshot, type RulesSnapshot} from './snapshot.ts';

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
	/** It may be taken without a question: all rules stay, and none of them decides in place of the new ones. */
	readonly byDefault: boolean;
};

/**
 * The choices for the existing rules, with the recommended one first. There are none where the user
 * has nothing to decide: INPUT is empty but for our jump, and no program owns the firewall.
 * @param owners the programs that own the firewall, and must be switched off before a change
 * @param saved the files that load rules at boot: removed rules are taken out of them as well
 */
export function planChoices(
	snapshots: readonly RulesSnapshot[],
	owners: readonly Manager[],
	saved: readonly SavedRules[] = [],
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
			...describeChoice(snapshots, {mode, switchOff: owners}, saved),
			reason: mode === best ? reason : undefined,
			byDefault: mode === best && mode === 'keep' && !advice?.shadowed && owners.length === 0,
		})),
		...(owners.length === 0
			? []
			: [
					{
						...{existing: undefined, reason: undefined, refusal: undefined, byDefault: false},
						...{removals: [], rules: [], breaks: []},
					},
				]),
	];
}

function describeChoice(
	snapshots: readonly RulesSnapshot[],
	existing: Existing,
	saved: readonly SavedRules[],
): CleanupChoice {
	const edits = planSavedEdits(saved, existing);
	const {cleanups, breaks, refusal} = planCleanup(snapshots, existing.mode, existing.switchOff);
	return {
		existing: edits.length === 0 ? existing : {...existing, saved: 'edit'},
		reason: undefined,
		removals: [
			...cleanups.map(describeCleanup),
			...edits.map(describeSavedEdit),
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
		byDefault: false,
	};
}
