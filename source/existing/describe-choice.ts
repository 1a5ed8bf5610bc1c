import {joinWords} from '../lib/list.ts';
import {type Network, printNetwork} from '../lib/network.ts';
import {type Opening, shortOpening} from '../policy/opening.ts';
import type {CleanupChoice} from './cleanup-options.ts';
import type {Existing, Manager} from './cleanup-plan.ts';
import type {Translation, Untranslatable} from './import/result.ts';

/** A choice for the existing rules, in words. */
export type NeighbourChoice = {
	readonly label: string;
	/** What is removed, and what no longer works, one line each. */
	readonly means: readonly string[];
	/** What no longer works, one sentence each. */
	readonly breaks?: readonly string[];
	/** What is lost of another firewall and opens or closes something, one line each: they come first. */
	readonly warnings: readonly string[];
	/** What happens to the rules; undefined: the wizard ends. */
	readonly existing: Existing | undefined;
	/** The openings that the policy starts with: what the firewall that is switched off allowed. */
	readonly openings: readonly Opening[];
	/** The addresses that the policy starts with as blocked. */
	readonly blocked?: readonly Network[];
	/** Why it cannot be chosen here. */
	readonly refusal: string | undefined;
	/** See `CleanupChoice.byDefault`. */
	readonly byDefault: boolean;
	/** Why it is recommended, in half a sentence; undefined for the other choices. */
	readonly reason: string | undefined;
};

/** What a firewall that is to be switched off allows, as openings. */
export type ImportResult = {readonly manager: Manager; readonly translation: Translation};

const LABELS = {
	keep: 'Keep the existing rules',
	'flush-input': 'Remove the existing rules in INPUT',
	'flush-filter': 'Remove all existing rules in the filter table',
} as const;

/** How many rules are listed. There may be thousands, so that the others are only counted. */
const MOST_RULES = 200;

/**
 * Describes the choices. Where one loses something that opens or closes ports, the first is to end, so
 * that nobody accepts it by Enter alone.
 */
export function describeNeighbourChoices(
	choices: readonly CleanupChoice[],
	imported: ImportResult | undefined,
): readonly NeighbourChoice[] {
	const described = choices.map((choice) => describeNeighbourChoice(choice, imported));
	const loses = described.some(({warnings}) => warnings.length > 0);
	return loses
		? [
				...described.filter(({existing}) => existing === undefined),
				...described.filter(({existing}) => existing !== undefined),
			]
		: described;
}

/**
 * Describes a choice: what is removed, what no longer works, and which rules are imported.
 * @param imported what the firewall that is to be switched off allows; undefined where that is not known
 */
export function describeNeighbourChoice(
	{existing, reason, removals, rules, breaks, refusal, byDefault}: CleanupChoice,
	imported: ImportResult | undefined,
): NeighbourChoice {
	if (existing === undefined) {
		return {
			label: 'End here, and leave everything as it is',
			means: ['Nothing is changed.'],
			...{existing, warnings: [], openings: [], refusal, byDefault, reason},
		};
	}

	const {mode, switchOff} = existing;
	const translated =
		imported !== undefined && switchOff.includes(imported.manager) ? imported : undefined;
	const losses = translated === undefined ? [] : lossesOf(translated.translation);
	const [first] = losses;
	const accepted = losses.length === 1 ? 'the warning' : `${losses.length} warnings`;
	const off =
		switchOff.length === 0
			? ''
			: first === undefined
				? `Switch ${joinWords(switchOff)} off. `
				: `Accept ${accepted} and switch ${joinWords(switchOff)} off. `;
	return {
		label: `${off}${LABELS[mode]}`,
		existing: first === undefined ? existing : {...existing, acceptLosses: true},
		warnings: translated === undefined ? [] : lossLines(translated, losses),
		openings: translated?.translation.openings ?? [],
		blocked: translated?.translation.blocked ?? [],
		...{breaks, refusal, byDefault, reason},
		means: [
			...(reason === undefined ? [] : [`${reason}.`]),
			...(removals.length === 0
				? ['Nothing goes. Rules that stand before ours still decide first.']
				: [`Removed when the rules are applied: ${removals.join('; ')}. Undo restores it.`]),
			...breaks.map((text) => `${text.replace(/\.$/, '')}.`),
			...switchOff.flatMap((name) =>
				name === translated?.manager
					? importLines(translated)
					: [`What ${name} allows is not imported: open in Ports what you need.`],
			),
			...rules.slice(0, MOST_RULES),
			...(rules.length > MOST_RULES ? [`and ${rules.length - MOST_RULES} more rules`] : []),
		],
	};
}

/** What is imported and what is not, one line each: what opens or closes something comes first. */
export function translationLines(found: ImportResult): readonly string[] {
	return [...lossLines(found, lossesOf(found.translation)), ...importLines(found)];
}

/** What is imported, and what is not and matters little. */
function importLines({manager, translation}: ImportResult): readonly string[] {
	const {openings} = translation;
	return [
		openings.length === 0
			? `${manager} allows nothing that can be imported.`
			: `What ${manager} allows is imported: ${openings.map(shortOpening).join(', ')}.`,
		...blockedLines({manager, translation}),
		...translation.untranslatable
			.filter(({effect}) => effect === undefined)
			.map(({text, why}) => `Not imported: ${text} (${why})`),
		...translation.remarks,
	];
}

/** What stays blocked, in at most one line. */
export function blockedLines({manager, translation}: ImportResult): readonly string[] {
	const blocked = (translation.blocked ?? []).map(printNetwork);
	const more = blocked.length > 5 ? `, and ${blocked.length - 5} more` : '';
	return blocked.length === 0
		? []
		: [
				`What ${manager} bans stays blocked: ${blocked.slice(0, 5).join(', ')}${more}. Later bans through ${manager} have no effect.`,
			];
}

/**
 * What cannot be imported and opens or closes something. The user must accept it.
 * @param named whether the user names the openings: then only what is about other packets is lost
 */
export function lossesOf({untranslatable}: Translation, named = false): readonly Untranslatable[] {
	return untranslatable.filter(
		({effect, elsewhere = false}) => effect !== undefined && (elsewhere || !named),
	);
}

/** These as warnings, one line each. */
export function lossLines(
	{manager}: ImportResult,
	losses: readonly Untranslatable[],
): readonly string[] {
	return losses.map(({effect, text, why, wider = []}) => {
		const opens = wider.length === 0 ? '' : `. To open: ${wider.map(shortOpening).join(', ')}`;
		return `Warning: without ${manager} this ${effect}: ${text} (${why})${opens}`;
	});
}
