import {describe, expect, test} from 'vitest';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {bindingsOf} from '../../source/ui/keys/bindings.ts';
import {keyLine, keyList} from '../../source/ui/keys/format-bindings.ts';
import {plainKeyState} from '../../source/ui/keys/key-state.ts';
import {startFlow} from '../../source/ui/state/state.ts';
import {glossaryLines} from '../../source/ui/text/glossary.ts';
import {appOpener, type OpenApp} from '../_helpers/ui/app.tsx';
import {expectFits, SIZES} from '../_helpers/ui/frames.ts';

const openApp = appOpener();
/** How often Enter leads from Welcome to each. */
const WAY = [
	'welcome',
	'role',
	'rejection',
	'helpers',
	'ports',
	'review',
	'proof',
	'apply',
] as const;

describe.each(SIZES)('the keys of a step, %i columns, %i rows', (columns, rows) => {
	test.each(WAY)('%s: ? shows all of them, and any key goes back', async (step) => {
		const app = await openApp({columns, rows});
		for (const name of WAY) {
			if (name === step) {
				break;
			}

			await app.press('enter');
		}

		const before = app.screen();
		expect(before.split('\n').at(-1)).toMatch(/ {2}\? (?:help|more)$/);
		await app.type('?');
		expectFits(app.lines(), [columns, rows]);
		const text = await readAll(app);
		const view = step === 'review' ? 'summary' : 'rules';
		const flow = {...startFlow({}, ['workstation'], OWN_SERVICES), step, focus: -1, view} as const;
		for (const {key, label} of columns === 80 ? bindingsOf(plainKeyState(flow)) : []) {
			expect(text).toContain(`${key} ${label}`);
		}

		for (const {text: line} of glossaryLines(step, columns < 100 ? columns - 1 : 69)) {
			expect(text).toContain(line.trim().replaceAll(/\s+/g, ' '));
		}

		// Not even Enter does more: it could load rules.
		await app.press('enter');
		expect(app.screen()).toBe(before);
	});
});

test('? is no part of what is typed', async () => {
	const app = await openApp();
	await app.press('enter', 'enter', 'enter', 'enter');
	await app.type('443?');
	expect(app.screen()).toContain('Ctrl-Z');
	await app.press('escape');
	await app.type('/tcp');
	expect(app.screen()).toContain('Enter opens 443/tcp');
});

test('the keys are gone when the rules are loaded meanwhile', async () => {
	const app = await openApp({
		onApply: async () => ({
			look: () => ({secondsLeft: 42, logins: [], keepable: false}),
			keep: async () => ({ok: true, message: 'Loaded.'}),
			rollBack: async () => ({ok: true, message: ''}),
		}),
	});
	await app.press('enter', 'enter', 'enter', 'enter', 'enter', 'enter', 'enter', 'enter');
	expect(app.screen()).toContain('type keep');
	await app.type('?');
	expect(app.screen()).toContain('The old rules are restored in 42 s.');
	expect(app.screen()).not.toContain('type keep');
	await app.press('enter');
	expect(app.screen()).toContain('type keep');
});

const ENTER = {key: 'Enter', label: 'continue'} as const;
const BACK = {key: 'Tab or Esc', label: 'back'} as const;
const LEAVE = {key: 'Ctrl-C', label: 'leave', helpOnly: true} as const;

test('a line of keys tells how to see them all, however narrow', () => {
	expect(keyLine([ENTER, BACK], 40)).toBe('Enter continue  Tab or Esc back  ? help');
	expect(keyLine([ENTER, BACK, LEAVE], 40)).toBe('Enter continue  Tab or Esc back  ? help');
	expect(keyLine([ENTER, BACK], 26)).toBe('Enter continue  ? more');
	expect(keyLine([ENTER, BACK], 16)).toBe('Enter c…  ? more');
	expect(keyLine([LEAVE], 20)).toBe('');
});

/** All that `?` shows, scrolled through from its beginning. */
async function readAll(app: OpenApp): Promise<string> {
	const read = () => app.lines().slice(0, -1).join(' ').replaceAll(/\s+/g, ' ');
	let text = read();
	for (let last = ''; app.lines().at(-1)?.startsWith('Up/Down read') && last !== app.screen(); ) {
		last = app.screen();
		await app.poke('down');
		text += ` ${read()}`;
	}

	return text;
}

test('what does not fit in lines stands one after the other', () => {
	const keys = [ENTER, BACK, LEAVE];
	expect(keyList(keys, {columns: 60, height: 3})).toEqual([
		'Enter        continue',
		'Tab or Esc   back',
		'Ctrl-C       leave',
	]);
	expect(keyList(keys, {columns: 32, height: 2})).toEqual([
		'Enter continue; Tab or Esc back;',
		'Ctrl-C leave',
	]);
	expect(keyList(keys, {columns: 15, height: 2})).toEqual([
		...['Enter continue;', 'Tab or Esc', 'back; Ctrl-C', 'leave'],
	]);
});
