import wrapAnsi from 'wrap-ansi';
import {printCommands, printRestore} from '../ruleset/print.ts';
import {mergeFamilies, type Row} from '../ruleset/rows.ts';
import type {RuleSet} from '../ruleset/ruleset.ts';
import type {ReviewView} from './flow-state.ts';
import type {Tone} from './theme.ts';

export type Line = {readonly text: string; readonly tone: Tone};

/** The lines of a view of the whole rule set, wrapped to `width`: nothing is cut off. */
export function reviewLines(view: ReviewView, ruleSet: RuleSet, width: number): readonly Line[] {
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
		default:
			return ruleLines(mergeFamilies(ruleSet), width);
	}
}

/** Which tone the target of a rule has. */
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

/** The families of a row, always in three columns: `4 6`, `4  `, `  6`. */
export function familyColumn({families}: Row): string {
	return [4, 6]
		.map((family) => (families.some((name) => name === family) ? family : ' '))
		.join(' ');
}

function ruleLines(rows: readonly Row[], width: number): readonly Line[] {
	return rows.flatMap((row, position): Line[] => [
		...(rows[position - 1]?.own === row.own
			? []
			: wrapLines(
					`${row.own.name}, from ${row.own.from} of table ${row.own.table} (4: IPv4, 6: IPv6)`,
					width,
					'accent',
				)),
		...wrapLines(row.text, width, toneOf(row), `${familyColumn(row)}  `),
		...wrapLines(row.rule.reason?.text ?? '', width, 'muted', '       '),
	]);
}

/** Text cut into lines of at most `width`, the first behind the prefix, the others as far in. */
export function wrapLines(text: string, width: number, tone: Tone, prefix = ''): readonly Line[] {
	const room = Math.max(10, width - prefix.length);
	return text
		.split('\n')
		.flatMap((line) => wrapAnsi(line, room, {hard: true, trim: false}).split('\n'))
		.map((line, index) => ({
			text: `${index === 0 ? prefix : ' '.repeat(prefix.length)}${line}`,
			tone,
		}));
}

function program(family: number): string {
	return family === 4 ? 'iptables' : 'ip6tables';
}
