import {describeConnections} from '../../app/describe-connections.ts';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import type {NeighbourChoice} from '../../existing/describe-choice.ts';
import {printCommands, printRestore} from '../../ruleset/format-iptables.ts';
import {mergeFamilies, type Row} from '../../ruleset/merge-families.ts';
import type {RuleSet} from '../../ruleset/model.ts';
import {describeShutToGuests} from '../../services/guest-service.ts';
import {describeUnopened} from '../../services/protocol-use.ts';
import type {ExposureState} from '../hooks/use-exposure.ts';
import type {Flow} from '../state/state.ts';
import {screenReader, type Tone} from '../theme.ts';
import {exposureLines} from './exposure.ts';
import {type Line, wrapLines} from './wrap.ts';

/** The parts of the state that Review shows. */
export type Reviewed = Pick<Flow, 'view' | 'known' | 'existing'> & {
	readonly ruleSet: RuleSet;
	readonly exposure: ExposureState;
};

/** The lines of a view of Review, wrapped to `width` so that nothing is cut off. */
export function reviewLines(
	{view, ruleSet, exposure, known, existing}: Reviewed,
	width: number,
): readonly Line[] {
	switch (view) {
		case 'exposure':
			return exposureLines(exposure, width);
		case 'restore':
			return ruleSet.families.flatMap((rules) => [
				...wrapLines(
					`IPv${rules.family}, loaded with ${program(rules.family)}-restore --noflush:`,
					width,
					'accent',
				),
				...wrapLines(printRestore(rules).trimEnd(), width, 'plain'),
			]);
		case 'commands':
			return [
				...wrapLines('For an empty INPUT, without chains of our own:', width, 'accent'),
				...ruleSet.families.flatMap((rules) =>
					wrapLines(printCommands(rules).join('\n'), width, 'plain'),
				),
			];
		default:
			return [
				...decisionLines(
					known.choices.value?.find((choice) => choice.existing === existing),
					width,
				),
				...ruleLines(mergeFamilies(ruleSet), width),
			];
	}
}

/** At most this many warnings stand above the rules, in so many rows: the rules must have room. */
const MOST_WARNINGS = 3;
const MOST_ROWS = 6;

/** What the policy would end, and what its openings need besides, wrapped to `width`. */
export function reviewWarnings(
	{
		cutOff,
		unopened,
		shutToGuests,
		advice,
	}: Pick<ApplyPlan, 'cutOff' | 'unopened' | 'shutToGuests' | 'advice'>,
	width: number,
): readonly Line[] {
	const others = [...describeUnopened(unopened), ...describeShutToGuests(shutToGuests), ...advice];
	const more = others.length - MOST_WARNINGS;
	const shown = others.slice(0, more > 0 ? MOST_WARNINGS - 1 : MOST_WARNINGS);
	const rows = [...describeConnections({cutOff}), ...shown].flatMap((text) =>
		wrapLines(text, width, 'warning'),
	);
	const hidden = others.length - shown.length;
	return hidden === 0 && rows.length <= MOST_ROWS
		? rows
		: [
				...rows.slice(0, MOST_ROWS),
				...wrapLines(
					`${hidden === 0 ? 'More' : `${hidden} more`}: fw-wizard apply names them all`,
					...([width, 'warning'] as const),
				),
			];
}

/** What the user decided about the existing rules of other programs. */
function decisionLines(choice: NeighbourChoice | undefined, width: number): readonly Line[] {
	return choice === undefined
		? []
		: [
				...wrapLines(`Rules that are there already: ${choice.label}`, width, 'accent'),
				...choice.means.flatMap((line) => wrapLines(line, width, 'plain', '  ')),
			];
}

/** The tone of a rule, after its target. */
export function toneOf({rule: {target}}: Row): Tone {
	switch (target.kind) {
		case 'ACCEPT':
			return 'accept';
		case 'REJECT':
			return 'reject';
		case 'DROP':
			return 'drop';
		default:
			return 'plain';
	}
}

/** The families of a row in words, for a screen reader. */
function familyWords({families}: Row): string {
	return `${families.map((family) => `IPv${family}`).join(' and ')}: `;
}

/** The families of a row, always three columns wide: `4 6`, `4  `, `  6`. */
export function familyColumn({families}: Row): string {
	return [4, 6]
		.map((family) => (families.some((name) => name === family) ? family : ' '))
		.join(' ');
}

function ruleLines(rows: readonly Row[], width: number): readonly Line[] {
	return rows.flatMap((row, position): Line[] => [
		...(rows[position - 1]?.own.name === row.own.name
			? []
			: wrapLines(
					`${row.own.name}, from ${row.own.from} of table ${row.own.table}${screenReader ? '' : ' (4: IPv4, 6: IPv6)'}`,
					width,
					'accent',
				)),
		...wrapLines(
			row.text,
			width,
			toneOf(row),
			screenReader ? familyWords(row) : `${familyColumn(row)}  `,
		),
		...wrapLines(row.rule.reason?.text ?? '', width, 'muted', screenReader ? '' : '       '),
	]);
}

function program(family: number): string {
	return family === 4 ? 'iptables' : 'ip6tables';
}
