import {joinWords} from '../lib/list.ts';
import {type Opening, printOpening} from '../policy/opening.ts';
import type {CleanupChoice} from './cleanup-options.ts';
import type {Existing, Manager} from './cleanup-plan.ts';
import type {Translation} from './import/result.ts';

/** A choice for the existing rules, in words. */
export type NeighbourChoice = {
	readonly label: string;
	/** What is removed, and what no longer works, one line each. */
	readonly means: readonly string[];
	/** What happens to the rules; undefined: the wizard ends. */
	readonly existing: Existing | undefined;
	/** The openings that the policy starts with: what the firewall that is switched off allowed. */
	readonly openings: readonly Opening[];
	/** Why it cannot be chosen here. */
	readonly refusal: string | undefined;
};

/** What a firewall that is to be switched off allows, as openings. */
export type ImportResult = {readonly manager: Manager; readonly translation: Translation};

const LABELS = {
	keep: 'Keep the rules of others',
	'flush-input': 'Remove the rules of others in INPUT',
	'flush-filter': 'Remove all rules of others in the filter table',
} as const;

/** How many rules are listed. There may be thousands, so that the others are only counted. */
const MOST_RULES = 200;

/**
 * Describes a choice: what is removed, what no longer works, and which rules are imported.
 * @param imported what the firewall that is to be switched off allows; undefined where that is not known
 */
export function describeNeighbourChoice(
	{existing, reason, removals, rules, breaks, refusal}: CleanupChoice,
	imported: ImportResult | undefined,
): NeighbourChoice {
	if (existing === undefined) {
		return {
			label: 'End here, and leave everything as it is',
			means: ['Nothing is changed.'],
			...{existing, openings: [], refusal},
		};
	}

	const {mode, switchOff} = existing;
	const off = switchOff.length === 0 ? '' : `Switch ${joinWords(switchOff)} off. `;
	const translated =
		imported !== undefined && switchOff.includes(imported.manager) ? imported : undefined;
	return {
		label: `${off}${LABELS[mode]}`,
		existing,
		openings: translated?.translation.openings ?? [],
		refusal,
		means: [
			...(reason === undefined ? [] : [`${reason}.`]),
			...(removals.length === 0
				? ['Nothing goes. Rules that stand before ours still decide first.']
				: [`What goes, when the rules are applied: ${removals.join('; ')}. Undo brings it back.`]),
			...breaks.map((text) => `${text.replace(/\.$/, '')}.`),
			...switchOff.flatMap((name) =>
				name === translated?.manager
					? translationLines(translated)
					: [`What ${name} lets in is not taken over: open in Ports what you need.`],
			),
			...rules.slice(0, MOST_RULES),
			...(rules.length > MOST_RULES ? [`and ${rules.length - MOST_RULES} more rules`] : []),
		],
	};
}

/** What is imported and what is not, one line each. */
export function translationLines({
	manager,
	translation: {openings, untranslatable},
}: ImportResult): readonly string[] {
	return [
		openings.length === 0
			? `${manager} lets nothing in that an opening could say.`
			: `What ${manager} lets in is where you start: ${openings.map(printOpening).join(', ')}.`,
		...untranslatable.map(({text, why}) => `Not taken over: ${text} (${why})`),
	];
}
