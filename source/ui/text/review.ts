import type {ApplyPlan} from '../../app/plan-apply.ts';
import {describeSnapshot} from '../../existing/snapshot.ts';
import {countOf} from '../../lib/format-number.ts';
import {FAMILIES} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {printCommands, printRestore} from '../../ruleset/format-iptables.ts';
import {mergeFamilies, type Row} from '../../ruleset/merge-families.ts';
import type {ExposureState} from '../hooks/use-exposure.ts';
import type {Flow} from '../state/state.ts';
import {screenReader, type Tone} from '../theme.ts';
import {describeFixed, groupFixed, isFixed} from './fixed-rules.ts';
import {summaryLines} from './review-summary.ts';
import {type Line, wrapLines} from './wrap.ts';

/** The parts of the state that Review shows. */
export type Reviewed = Pick<Flow, 'view' | 'known' | 'existing' | 'policy'> & {
	readonly plan: ApplyPlan;
	readonly exposure: ExposureState;
};

/** The lines of a view of Review, wrapped to `width` so that nothing is cut off. */
export function reviewLines(
	{view, plan, exposure, ...flow}: Reviewed,
	width: number,
): readonly Line[] {
	const {ruleSet} = plan;
	switch (view) {
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
		case 'rules':
		case 'all-rules':
			return [
				...ruleLines(mergeFamilies(ruleSet), width, view === 'all-rules'),
				...removedLines(plan, width, view === 'all-rules'),
			];
		default:
			return summaryLines(flow, plan, exposure, width);
	}
}

/**
 * The tone of a rule: green where it opens what was chosen, dim where it is the same for every policy. What blocks all
 * else is no danger, and so it has no colour. What the rules for published ports leave alone is open.
 */
export function toneOf(row: Pick<Row, 'rule' | 'own' | 'families'>): Tone {
	const {target, match} = row.rule;
	return isFixed(row)
		? 'muted'
		: target.kind === 'ACCEPT' || (target.kind === 'RETURN' && match.translated)
			? 'good'
			: 'plain';
}

/** The families of a row, always three columns wide: `4 6`, `4  `, `  6`. */
export function familyColumn({families}: Pick<Row, 'families'>): string {
	return FAMILIES.map((family) => (families.includes(family) ? family : ' ')).join(' ');
}

function ruleLines(rows: readonly Row[], width: number, all: boolean): readonly Line[] {
	const groups = all ? rows.map((row) => [row]) : groupFixed(rows);
	return groups.flatMap((group, position): readonly Line[] => {
		const [row] = group as readonly [Row];
		const families = FAMILIES.filter((family) =>
			group.some((one) => one.families.includes(family)),
		);
		const {reason} = row.rule;
		return [
			...(groups[position - 1]?.[0]?.own.name === row.own.name
				? []
				: wrapLines(
						`${row.own.name}, from ${row.own.from} of table ${row.own.table}${screenReader ? '' : ' (4: IPv4, 6: IPv6)'}`,
						width,
						'accent',
					)),
			...(group.length > 1
				? wrapLines(describeFixed(group), width, 'muted', prefixOf(numbersOf(group), families))
				: wrapLines(row.text, width, toneOf(row), prefixOf(String(row.index), families))),
			// Rules of one reason have it once, under the last of them.
			...(group.length > 1 || groups[position + 1]?.[0]?.rule.reason?.text === reason?.text
				? []
				: wrapLines(
						reason?.text ?? '',
						width,
						'muted',
						screenReader ? '' : ' '.repeat(prefixOf('', families).length),
					)),
		];
	});
}

function numbersOf(group: readonly Row[]): string {
	const numbers = group.map(({index}) => index);
	return `${Math.min(...numbers)}-${Math.max(...numbers)}`;
}

/** The number of a rule in its chain, and its families. */
function prefixOf(number: string, families: Row['families']): string {
	return screenReader
		? `${number}, ${families.map((family) => `IPv${family}`).join(' and ')}: `
		: `${number.padStart(NUMBER_COLUMNS)}  ${familyColumn({families})}  `;
}

const NUMBER_COLUMNS = 3;

/** The rules of other programs that are removed: last, and only counted unless all are to be shown. */
function removedLines({cleanups}: ApplyPlan, width: number, all: boolean): readonly Line[] {
	const rules = (cleanups ?? []).flatMap(({cleanup, snapshot}) =>
		cleanup.rules.map((rule) => `${describeSnapshot(snapshot)}: ${printable(rule)}`),
	);
	return rules.length === 0
		? []
		: [
				...wrapLines(
					`Removed: ${countOf(rules.length, 'rule')} of other programs${all ? '' : '. Press a to list them'}`,
					width,
					'accent',
				),
				...(all ? rules.flatMap((rule) => wrapLines(rule, width, 'muted', '- ')) : []),
			];
}

function program(family: number): string {
	return family === 4 ? 'iptables' : 'ip6tables';
}
