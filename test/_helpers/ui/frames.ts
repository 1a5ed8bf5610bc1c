import {expect} from 'vitest';
import {HELPERS} from '../../../source/policy/helpers.ts';
import {printOpening} from '../../../source/policy/opening.ts';
import type {Policy} from '../../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../../source/policy/services.ts';
import {buildRuleSet} from '../../../source/ruleset/build.ts';
import {VERDICT_EFFECTS} from '../../../source/ruleset/explain.ts';
import {type MarkedRow, markRows, mergeFamilies} from '../../../source/ruleset/merge-families.ts';
import {plainKeyState} from '../../../source/ui/keys/key-state.ts';
import {STEPS, type Step, startFlow} from '../../../source/ui/state/state.ts';
import {describeFixed, groupFixed} from '../../../source/ui/text/fixed-rules.ts';
import {familyColumn} from '../../../source/ui/text/review.ts';
import {
	helperDirection,
	QUESTIONS,
	ROLE_TEXTS,
	STEP_NAMES,
	VERDICT_TEXTS,
} from '../../../source/ui/text/texts.ts';
import {glyphs} from '../../../source/ui/theme.ts';
import {MACHINE} from './app-props.ts';
import {lineOf} from './keys.ts';

export type Size = readonly [columns: number, rows: number];

export const SIZES: readonly Size[] = [
	[120, 40],
	[80, 24],
	[60, 20],
	[40, 10],
];

/** What a frame must be made of. */
type Expected = {
	readonly size: Size;
	/** The policy chosen so far, and the one with the focused choice. */
	readonly now: Policy;
	readonly focused: Policy;
	/** Besides the texts that the wizard has by itself. */
	readonly texts?: readonly string[];
};

/** What the wizard says by itself, each as one line however it is wrapped. */
const TEXTS = [
	...Object.values(STEP_NAMES),
	...Object.values(QUESTIONS),
	...STEPS.flatMap((step) => [keysAt(step, -1), keysAt(step, 0), keysAt(step, -1, 'x')]),
	keysAt('ports', 0).replace('l limit', 'l no limit'),
	...Object.values(ROLE_TEXTS).flatMap(({label, meaning}) => [`${label} (recommended)`, meaning]),
	...Object.values(VERDICT_TEXTS).map((text) => `${text} (recommended)`),
	...Object.values(VERDICT_EFFECTS).flatMap(({client, scan, you}) => [
		`A client: ${client}`,
		`A port scan: ${scan}`,
		`You: ${you}`,
	]),
	...HELPERS.flatMap((helper) => [
		`${helper.name.padEnd(11)}${helper.purpose}`,
		`${helper.purpose}.`,
		`Helps: ${helperDirection(helper)}.`,
		`Costs: ${helper.cost}.`,
		`Whether this kernel has it is not known yet: ${helper.module}; IPv4 only.`,
		`Whether this kernel has it is not known yet: ${helper.module}.`,
	]),
	'Log blocked packets (key l)',
	'No port is open. What listens could not be detected.',
	'Space or Del removes it',
	'22/tcp, 53, ssh, 8000-8010/tcp, 22/tcp from 10.0.0.0/8, 5432/tcp on wg0, 22/tcp limit, mdns, ssdp, vrrp',
];

/** The last line of a step, at its field or at its list. */
function keysAt(step: Step, focus: number, field = ''): string {
	const flow = startFlow({role: 'server'}, [], OWN_SERVICES);
	return lineOf(plainKeyState({...flow, step, focus, field}));
}

/** The frame fits the terminal: one line and one column stay free. */
export function expectFits(lines: readonly string[], [columns, rows]: Size): void {
	expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(rows - 1);
	for (const line of lines) {
		expect(line.length, line).toBeLessThan(columns);
	}
}

/** Every line is one that was meant: a text of the wizard or a rule, whole or cut where it says so. */
export function expectFrame(lines: readonly string[], expected: Expected): void {
	expectFits(lines, expected.size);
	const rows = markRows(...bothRows(expected));
	const left = expectPanel(lines, rows, expected.size);
	const openings = [...expected.now.openings, ...expected.focused.openings];
	const texts = [
		...TEXTS,
		...(expected.texts ?? []),
		...openings.map((opening) => `${printOpening(opening).padEnd(12)} `),
		...expected.now.openings.map(
			(_, index) => `Open (${index + 1}): What listens could not be detected.`,
		),
	];
	for (const line of left) {
		const text = bare(line.replace(/ {2}\? (?:help|more)$/, ''));
		const known =
			isRail(text) ||
			/^\d+ more( above| below)?$/.test(text) ||
			texts.some((one) => one.includes(text));
		expect(
			known || startsWithOne(text, openings.map(printOpening)),
			`"${line}"\n${lines.join('\n')}`,
		).toBe(true);
	}
}

/** The rules are those of the rule set, in order, none passed over in silence, the verdict last. @returns the other lines */
function expectPanel(
	lines: readonly string[],
	rows: readonly MarkedRow[],
	[columns]: Size,
): readonly string[] {
	const title = lines.findIndex((line) => line.includes('Rules: '));
	if (title === -1) {
		return lines;
	}

	const start = lines[title]?.indexOf('Rules: ') ?? 0;
	expect(start > 0).toBe(columns >= 110);
	const panel = lines.slice(title, -1).map((line) => line.slice(start).trimEnd());
	const words = panel.indexOf('Words');
	const [heading = '', ...shown] = panel
		.slice(0, words === -1 ? undefined : words)
		.filter((line) => line !== '');
	expect(heading).toMatch(
		new RegExp(
			`^Rules: ${rows.filter(({mark}) => mark !== 'added').length} \\(4: IPv4, 6: IPv6\\)`,
		),
	);
	const groups = groupFixed(rows);
	let next = 0;
	for (const line of shown) {
		const more = /(\d+) more( above| below)?$/.exec(line);
		const group = groups[next];
		if (more) {
			next += Number(more[1]);
		} else {
			const full = group === undefined ? '' : groupText(group);
			expect(isCutOf(line, full), `"${line}" is "${full}"\n${lines.join('\n')}`).toBe(true);
			next += 1;
		}
	}

	expect(next, lines.join('\n')).toBe(groups.length);
	expect(shown.at(-1)).not.toMatch(/more/);
	return [
		...lines.slice(0, title),
		...(start > 0 ? lines.slice(title, -1).map((line) => line.slice(0, start)) : []),
		lines.at(-1) ?? '',
	];
}

function bothRows({now, focused}: Expected) {
	const rows = (policy: Policy) => mergeFamilies(buildRuleSet(policy, {families: [4, 6]}));
	return [rows(now), rows(focused)] as const;
}

/** Rules that are the same for every policy stand in one line. */
function groupText(group: readonly MarkedRow[]): string {
	const [row] = group as readonly [MarkedRow];
	return group.length === 1
		? ruleText(row)
		: `${{same: ' ', added: '+', removed: '-'}[row.mark]} 4 6  ${describeFixed(group)}`;
}

function ruleText(row: MarkedRow): string {
	const sign = {same: ' ', added: '+', removed: '-'}[row.mark];
	const place = row.own.table === 'raw' ? `raw ${row.own.from} ` : '';
	return `${sign} ${familyColumn(row)}  ${place}${row.text}`.trimEnd();
}

/** Whole, or with the sign of a cut between its two ends. */
function isCutOf(line: string, full: string): boolean {
	const [head = '', tail, ...others] = line.split(glyphs.more);
	return tail === undefined
		? line === full
		: others.length === 0 &&
				full.startsWith(head) &&
				full.endsWith(tail) &&
				line.length < full.length;
}

/** A line without what stands around its text: pointer, box, caret, the sign of a cut. */
function bare(line: string): string {
	let text = line.trim();
	for (const sign of [glyphs.pointer, '[x]', '[ ]', glyphs.more]) {
		text = text.startsWith(sign) ? text.slice(sign.length).trim() : text;
	}

	for (const sign of [glyphs.caret, glyphs.more]) {
		text = text.endsWith(sign) ? text.slice(0, -sign.length).trim() : text;
	}

	return text;
}

function isRail(text: string): boolean {
	return (
		text.startsWith(MACHINE.head) ||
		/^Step \d+ of \d+: \w+$/.test(text) ||
		text.split(` ${glyphs.step} `).every((name) => Object.values(STEP_NAMES).includes(name)) ||
		[...text].every((character) => character === glyphs.line)
	);
}

function startsWithOne(text: string, starts: readonly string[]): boolean {
	return starts.some((start) => text.startsWith(`${start} `) || start.startsWith(text));
}
