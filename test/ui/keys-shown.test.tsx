import {describe, expect, test} from 'vitest';
import type {Item} from '../../source/checklist/checklist-item.ts';
import {completePolicy, defaultPolicy} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import type {AppProps} from '../../source/ui/app.tsx';
import type {KeyName} from '../../source/ui/keys/presses.ts';
import {type Flow, NOTHING_KNOWN, type Step, startFlow} from '../../source/ui/state/state.ts';
import type {HostView} from '../../source/ui/steps/step-props.ts';
import {glossaryLines} from '../../source/ui/text/glossary.ts';
import {type AppKey, type AppOptions, appOpener, type OpenApp} from '../_helpers/ui/app.tsx';
import {CHECKER, ITEMS, plannerFor} from '../_helpers/ui/app-props.ts';
import {ACTIVE, LOG} from './home-scenes.ts';
import {CHECKLIST, SERVER} from './scenes.ts';

const openApp = appOpener();

/** The keys of the KeyStream, which never reach the app. */
type StreamKey = 'Ctrl-L' | 'Ctrl-Z';
const isOfStream = (name: KeyName): name is StreamKey => name === 'Ctrl-L' || name === 'Ctrl-Z';

/** What a terminal sends for each key that the screen may name. */
const SENT: Readonly<Record<Exclude<KeyName, StreamKey>, readonly string[]>> = {
	Enter: ['\r'],
	Esc: ['\u001B[27u'],
	Space: [' '],
	Tab: ['\t'],
	'Shift-Tab': ['\u001B[Z'],
	'Tab or Esc': ['\t', '\u001B[27u'],
	Down: ['\u001B[B'],
	'Up/Down': ['\u001B[A', '\u001B[B'],
	'PgUp/PgDn': ['\u001B[5~', '\u001B[6~'],
	PgDn: ['\u001B[6~'],
	'Left/Right': ['\u001B[D', '\u001B[C'],
	'Ctrl-U/W/K': ['\u0015', '\u0017', '\u000B'],
	'Home/End': ['\u001B[H', '\u001B[F'],
	Del: ['\u001B[3~', '\u007F'],
	'Ctrl-C': ['\u0003'],
	'j/k': ['j', 'k'],
	'?': ['?'],
	...({
		a: ['a'],
		c: ['c'],
		f: ['f'],
		h: ['h'],
		l: ['l'],
		o: ['o'],
		p: ['p'],
		r: ['r'],
		s: ['s'],
		v: ['v'],
	} as const),
};
const CHARACTERS = [...'abcdefghijklmnopqrstuvwxyzACEFLORST ,./-'];
const ALL = [...new Set([...Object.values(SENT).flat(), ...CHARACTERS, '\u001B[C', '\u001B[D'])];

/**
 * Keys that do something and that the screen does not name, since another one does the same; or, of pages, since the
 * names are read on a screen on which the text has room.
 */
const UNNAMED = {
	menu: [...SENT['PgUp/PgDn'], ...SENT['j/k']],
	explained: [...SENT.PgDn, ...SENT['j/k']],
	list: [...SENT.PgDn, ...SENT['j/k']],
	ports: SENT['Shift-Tab'],
} as const;

type Situation = {
	readonly step: Step;
	readonly flow?: Partial<Flow>;
	readonly machine?: Partial<HostView>;
	readonly options?: Omit<AppOptions, 'start' | 'machine'>;
	/** What leads there from the start. */
	readonly keys?: readonly AppKey[];
	/** Characters go into a field. */
	readonly field?: true;
	readonly unnamed?: readonly string[];
	/** Leads to where the effects show that the situation itself does not. */
	readonly reveal?: AppKey;
};

const LOCKED_OUT = {policy: completePolicy({role: 'server', openings: []})};
const NOTHING_LISTENS = {
	...LOCKED_OUT,
	policy: {...LOCKED_OUT.policy, role: 'workstation'},
} as const;
const LOW = {rows: 11} as const;
const obstacle = (elevation: 'sudo' | undefined) => ({
	elevation,
	planApply: plannerFor(SERVER.remoteClient, {root: false}),
});
const loaded =
	(keepable: boolean): AppProps['onApply'] =>
	async () => ({
		look: () => ({secondsLeft: 42, logins: [], keepable}),
		keep: async () => ({ok: true, message: 'Kept.'}),
		rollBack: async () => ({ok: true, message: 'Rolled back.'}),
	});
const checklist = (items: readonly Item[]): AppOptions => ({
	...LOW,
	checker: {...CHECKER, check: async () => items, mend: async () => ITEMS},
});

const SITUATIONS: Readonly<Record<string, Situation>> = {
	home: {
		step: 'home',
		flow: {focus: 1, offset: 1},
		machine: {status: ACTIVE},
		options: {rows: 14},
		unnamed: UNNAMED.menu,
	},
	'whether to undo': {
		step: 'home',
		flow: {focus: 0, offset: 1, view: 'undo'},
		machine: {status: ACTIVE},
		options: {rows: 10},
		unnamed: [...SENT['PgUp/PgDn'], 'j'],
	},
	'what was blocked': {
		step: 'home',
		flow: {focus: 0, offset: 1, view: 'blocked', blocked: LOG},
		machine: {status: ACTIVE, readBlocked: async () => LOG},
		options: {rows: 10},
		unnamed: [...SENT['PgUp/PgDn'], 'j'],
	},
	welcome: {
		step: 'welcome',
		flow: {focus: 1, offset: 1},
		options: {rows: 14},
		unnamed: UNNAMED.menu,
	},
	neighbours: {step: 'neighbours', options: {rows: 14}, unnamed: UNNAMED.explained},
	role: {step: 'role', unnamed: UNNAMED.list},
	rejection: {step: 'rejection', unnamed: UNNAMED.list},
	helpers: {step: 'helpers'},
	'the field of Ports': {step: 'ports', flow: {focus: -1}, field: true},
	'the field of Ports, without a list': {
		step: 'ports',
		flow: {focus: -1, ...NOTHING_LISTENS},
		machine: {known: NOTHING_KNOWN},
		field: true,
	},
	'the list of Ports': {step: 'ports', flow: {focus: 0}, field: true, unnamed: UNNAMED.ports},
	'the alternatives to a port': {
		step: 'ports',
		flow: {focus: 0, view: 'alternatives'},
		options: LOW,
		field: true,
		unnamed: [...UNNAMED.ports, ...SENT.PgDn],
		reveal: 'tab',
	},
	review: {step: 'review', flow: {offset: 1, view: 'summary'}, options: LOW},
	'review, the rules': {step: 'review', flow: {offset: 1, view: 'rules'}, options: LOW},
	'review, locked out': {
		step: 'review',
		flow: {...LOCKED_OUT, offset: 1, view: 'summary'},
		options: LOW,
	},
	'a packet': {step: 'review', flow: {view: 'packet'}, field: true},
	proof: {step: 'proof'},
	apply: {step: 'apply', unnamed: UNNAMED.list},
	'apply, locked out': {step: 'apply', flow: LOCKED_OUT, field: true},
	'apply, locked out and not root': {
		step: 'apply',
		flow: LOCKED_OUT,
		machine: obstacle('sudo'),
		unnamed: UNNAMED.list,
	},
	'apply, impossible here': {step: 'apply', flow: LOCKED_OUT, machine: obstacle(undefined)},
	'rules being loaded': {
		step: 'apply',
		options: {onApply: async () => new Promise(() => {})},
		keys: ['enter'],
	},
	'loaded rules, without a login': {
		step: 'apply',
		options: {onApply: loaded(false)},
		keys: ['enter'],
		field: true,
	},
	'loaded rules, after a login': {
		step: 'apply',
		options: {onApply: loaded(true)},
		keys: ['enter'],
	},
	'the checklist, with a fault': {
		step: 'result',
		flow: {outcome: {ok: true, message: 'Loaded.'}, offset: 1},
		options: checklist(CHECKLIST),
	},
	'the checklist, after a boot': {step: 'result', flow: {offset: 1}, options: checklist(ITEMS)},
	'the checklist, with the offer to reboot': {
		step: 'result',
		flow: {offset: 1},
		options: checklist([
			...Array.from(
				{length: 9},
				(_, index): Item => ({
					id: `item ${index}` as Item['id'],
					title: `item ${index}`,
					state: 'ok',
				}),
			),
		]),
		field: true,
	},
	'what could not be loaded': {
		step: 'result',
		flow: {outcome: {ok: false, message: 'No', hint: 'Yes', rolledBack: false}},
	},
};

describe.each(Object.entries(SITUATIONS))('%s', (_, situation) => {
	test('each key shown does something, and each that does something is shown', async () => {
		const named = await namesUnderHelp(situation);
		const shown = named.filter((name): name is Exclude<KeyName, StreamKey> => !isOfStream(name));
		const typed = situation.field ? CHARACTERS : [];
		const candidates = ALL.filter((key) => !typed.includes(key) || isNamed(key, shown));
		const working = await workingOf(situation, candidates);
		for (const name of shown) {
			expect(
				SENT[name].filter((key) => working.includes(key)),
				name,
			).not.toEqual([]);
		}

		const unnamed = working.filter((key) => !isNamed(key, shown));
		expect(unnamed).toEqual(situation.unnamed ?? []);
		expect(named.includes('Ctrl-Z')).toBe(!named.every((name) => name === '?'));
	});
});

function isNamed(key: string, names: ReadonlyArray<keyof typeof SENT>): boolean {
	return names.some((name) => SENT[name].includes(key));
}

/** The names that stand under `?`, before their meanings. */
async function namesUnderHelp(situation: Situation): Promise<readonly KeyName[]> {
	const {app} = await reach({...situation, options: {...situation.options, rows: 40}});
	await app.type('?');
	const words = glossaryLines(situation.step, 79).map(({text}) => text.trimEnd());
	const keys = app.lines().filter((line) => !words.includes(line.trimEnd()));
	const names = keys.flatMap((line) => /^(\S+(?: or \S+)?) {3,}\S/.exec(line)?.[1] ?? []);
	expect(names.at(-1)).toBe('?');
	for (const name of names) {
		expect([...Object.keys(SENT), 'Ctrl-L', 'Ctrl-Z']).toContain(name);
	}

	app.close();
	return names as KeyName[];
}

/** The keys that change the screen, now or where it is revealed, or start something. */
async function workingOf(
	situation: Situation,
	keys: readonly string[],
): Promise<readonly string[]> {
	const {reveal} = situation;
	const working: string[] = [];
	let here = await reach(situation);
	const begin = here.trace();
	await here.app.poke(reveal ?? '');
	const revealed = here.trace();
	for (const key of keys) {
		if (here.trace() !== begin) {
			here.app.close();
			here = await reach(situation);
		}

		await here.app.poke(key);
		if (here.trace() === begin && reveal !== undefined) {
			await here.app.poke(reveal);
			if (here.trace() !== revealed) {
				working.push(key);
			}
		} else if (here.trace() !== begin) {
			working.push(key);
		}
	}

	return working;
}

/** The situation, and all that a key can change there. */
async function reach(
	situation: Situation,
): Promise<{readonly app: OpenApp; readonly trace: () => string}> {
	const {step, flow = {}, machine = {}, options = {}, keys = []} = situation;
	const calls: string[] = [];
	const {checker = CHECKER} = options;
	const start = startFlow({}, ['server', 'workstation'], OWN_SERVICES);
	const known = machine.known ?? SERVER.known ?? NOTHING_KNOWN;
	const app = await openApp({
		...options,
		start: {
			...start,
			policy: defaultPolicy('server'),
			roleChosen: true,
			openingsChosen: true,
			step,
			known,
			...flow,
		},
		machine: {...SERVER, ...machine},
		checker: {
			...checker,
			async check() {
				calls.push('check');
				return checker.check();
			},
			async mend() {
				calls.push('mend');
				return checker.mend();
			},
			async tick(tick) {
				calls.push(tick);
				return checker.tick(tick);
			},
		},
	});
	await app.press(...keys);
	return {app, trace: () => `${calls.join(' ')}\n${app.frame()}`};
}
