import {expect} from 'vitest';
import {printPorts} from '../../source/lib/port-ranges.ts';
import {HELPERS} from '../../source/policy/helpers.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, defaultPolicy, type Policy, VERDICTS} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {mergeFamilies} from '../../source/ruleset/merge-families.ts';
import type {Rule} from '../../source/ruleset/model.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {isFixed} from '../../source/ui/text/fixed-rules.ts';
import {familyColumn} from '../../source/ui/text/review.ts';

/** A rule as a line of the screen has it. `cut` is where a sign stands for what there was no room for. */
type Shown = {
	readonly sign: ' ' | '+' | '-';
	readonly families: string;
	readonly from: string;
	readonly text: string;
};

const LINE = /^([ +-]) (4 6|4 {2}| {2}6) {2}(?:raw (OUTPUT|PREROUTING) )?(-.*)$/;
const REVIEWED = /^ *\d+ {2}(4 6|4 {2}| {2}6) {2}(-.*)$/;
/** Rules that stand in one line together, since they are the same for every policy. */
const COLLAPSED = /^[ +-] (?:4 6|4 {2}| {2}6) {2}(?:mangle FORWARD )?\d+ fixed rules?: /;
const CUT = '…';
const BOTH = {families: [4, 6]} as const;

/** What a policy's rules look like, one key each. */
function keysOf(policy: Policy): readonly string[] {
	return mergeFamilies(buildRuleSet(policy, BOTH)).map(({families, own, text}) =>
		keyOf({
			families: [4, 6].map((family) => (families.includes(family as 4) ? family : ' ')).join(' '),
			from: own.from,
			text,
		}),
	);
}

function keyOf({families, from, text}: Pick<Shown, 'families' | 'from' | 'text'>): string {
	return `${families} ${from} ${text}`;
}

const BARE = completePolicy({openings: []}, defaultPolicy('workstation'));
/** Rules that do not depend on what was typed. */
const FIXED = new Set(
	VERDICTS.flatMap((verdict) =>
		keysOf({...BARE, verdict, log: true, helpers: HELPERS.map(({name}) => name)}),
	).concat(
		keysOf({
			...BARE,
			openings: parseOpenings('1-65535, mdns', OWN_SERVICES),
			helpers: HELPERS.map(({name}) => name),
		}),
	),
);

/**
 * Every line of a frame that looks like a rule is one that the wizard's own answers can make, whole or
 * cut where it says so. A list that is whole is exactly the rule set of one policy, in its order.
 * @returns how many rules were looked at
 */
export function expectOwnRules(frame: string): number {
	// A wide character takes two columns, but one place in the string.
	const screen = frame.replace(/[\u2E80-\uD7A3\uFF01-\uFF60]/gu, '$& ');
	const panel = readPanel(screen);
	const reviewed = readReview(screen);
	for (const shown of [...panel.rules, ...reviewed]) {
		expect(isOwn(shown), `"${shown.text}"\n${screen}`).toBe(true);
	}

	if (panel.whole && panel.rules.every(({text}) => !text.includes(CUT))) {
		for (const without of ['+', '-']) {
			const list = panel.rules.filter(({sign}) => sign !== without);
			expect(list.map(keyOf), screen).toEqual(
				keysOf(policyOf(list)).filter((key) => !COLLAPSED_KEYS.has(key)),
			);
		}
	}

	return panel.rules.length + reviewed.length;
}

function readPanel(screen: string): {readonly rules: readonly Shown[]; readonly whole: boolean} {
	const lines = screen.split('\n');
	const title = lines.findIndex((line) => /Rules: \d+ \(/.test(line));
	if (title === -1) {
		return {rules: [], whole: false};
	}

	const start = lines[title]?.indexOf('Rules: ') ?? 0;
	const words = lines.findIndex((line) => / {2}Words$/.test(line));
	let whole = true;
	const rules = lines.slice(title + 1, words === -1 ? -1 : words).flatMap((line): Shown[] => {
		// About the width of others a terminal and a library may differ by a column.
		const text = [0, 1, -1, 2, -2]
			.map((shift) => line.slice(Math.max(0, start - shift)).trimEnd())
			.find((one) => one === '' || LINE.test(one) || COLLAPSED.test(one) || isMore(one));
		expect(text, `"${line}" is no rule\n${screen}`).toBeDefined();
		const match = LINE.exec(text ?? '');
		whole &&= !isMore(text ?? '');
		return match === null
			? []
			: [
					{
						sign: match[1] as Shown['sign'],
						families: match[2] ?? '',
						from: match[3] ?? 'INPUT',
						text: match[4] ?? '',
					},
				];
	});
	return {rules, whole};
}

function isMore(line: string): boolean {
	return /^… \d+ more( above| below)?$/.test(line);
}

/** Rules of the view [Rules], whose lines are wrapped; those that are followed by their reason are whole. */
function readReview(screen: string): readonly Shown[] {
	const rules: Shown[] = [];
	let begun: Shown | undefined;
	let from = '';
	for (const line of screen.includes('[Rules]') ? screen.split('\n') : []) {
		const heading = /^FW-WIZARD-\w+, from (\w+)/.exec(line);
		const match = REVIEWED.exec(line);
		if (heading) {
			from = heading[1] ?? '';
		} else if (match) {
			begun = {sign: ' ', families: match[1] ?? '', from, text: match[2] ?? ''};
		} else if (begun && /^ {10}[A-Z][a-z]/.test(line)) {
			rules.push(begun);
			begun = undefined;
		} else {
			begun = begun && {...begun, text: begun.text + line.slice(10)};
		}
	}

	// Which chain a rule is in is not known while its heading is scrolled away.
	return rules.filter((rule) => rule.from !== '');
}

function isOwn(shown: Shown): boolean {
	const [head = '', tail] = shown.text.split(CUT);
	if (tail === undefined) {
		return FIXED.has(keyOf(shown)) || keysOf(policyOf([shown])).includes(keyOf(shown));
	}

	const begin = `${shown.families} ${shown.from} ${head}`;
	return (
		[...FIXED].some((key) => key.startsWith(begin) && key.endsWith(tail)) ||
		(shown.from === 'INPUT' &&
			/^-(?:[sip]|$)/.test(head.slice(0, 2)) &&
			(' -j ACCEPT'.endsWith(tail) || /^[\x21-\x7E ]* -j ACCEPT$/.test(tail)))
	);
}

/** The policy whose rules these are; of rules that no policy has it is another. */
function policyOf(rules: readonly Shown[]): Policy {
	const texts = (from: string) => rules.filter((rule) => rule.from === from).map(({text}) => text);
	const input = texts('INPUT');
	const openings = rules.filter(
		(rule) => rule.from === 'INPUT' && !FLOOR.has(keyOf(rule)) && rule.text.endsWith(' ACCEPT'),
	);
	return {
		...BARE,
		openings: [...new Set(openings.flatMap(openingTexts))].flatMap((text) =>
			parseOpenings(text, OWN_SERVICES),
		),
		helpers: HELPERS.filter((helper) =>
			helper.ports.some(({helper: name}) =>
				texts('OUTPUT').some((text) => text.endsWith(`--helper ${name}`)),
			),
		).map(({name}) => name),
		log: input.some((text) => text.includes('-j LOG')),
		verdict: input.includes('-j DROP')
			? 'drop'
			: input.some((text) => text.includes('tcp-reset'))
				? 'reset'
				: 'reject',
	};
}

const FLOOR = new Set(keysOf(BARE));
const COLLAPSED_KEYS = new Set(
	mergeFamilies(buildRuleSet(BARE, BOTH))
		.filter(isFixed)
		.map((row) => keyOf({families: familyColumn(row), from: row.own.from, text: row.text})),
);

/** What was typed to open what a rule opens. */
function openingTexts({families, text}: Shown): readonly string[] {
	const family = families.startsWith('4') ? 4 : 6;
	const save = `*filter\n:X - [0:0]\n-A X ${text}\nCOMMIT\n`;
	const rule: Rule | undefined = parseSave(save, family).tables[0]?.chains[0]?.rules[0];
	const {
		source,
		destination,
		inInterface,
		protocol,
		destinationPorts = [],
		hashlimit,
	} = rule?.match ?? {};
	const on = inInterface === undefined ? '' : ` on ${inInterface}`;
	if (destination !== undefined) {
		return [`mdns${on}`];
	}

	// Without a source, but in one family only: from everywhere in that one.
	const everywhere =
		families === '4 6' || hashlimit !== undefined ? undefined : family === 4 ? '0.0.0.0/0' : '::/0';
	const network = source ?? everywhere;
	return destinationPorts.map(
		(ports) =>
			`${printPorts(ports, '-')}/${protocol}${network === undefined ? '' : ` from ${network}`}${on}${hashlimit ? ' limit' : ''}`,
	);
}
