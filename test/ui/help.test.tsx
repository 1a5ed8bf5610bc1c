import {describe, expect, test} from 'vitest';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {bindingsOf} from '../../source/ui/keys/bindings.ts';
import {keyLine, keyList} from '../../source/ui/keys/format-bindings.ts';
import {plainKeyState} from '../../source/ui/keys/key-state.ts';
import {startFlow} from '../../source/ui/state/state.ts';
import {appOpener} from '../_helpers/ui/app.tsx';
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
		expect(before.split('\n').at(-1)).toMatch(/ {2}\? (?:keys|more)$/);
		await app.type('?');
		expectFits(app.lines(), [columns, rows]);
		const text = app.screen().replaceAll(/\s+/g, ' ');
		const flow = {...startFlow({}, ['workstation'], OWN_SERVICES), step, focus: -1};
		for (const {key, label} of rows > 10 ? bindingsOf(plainKeyState(flow)) : []) {
			expect(text).toContain(`${key} ${label}`);
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
	expect(app.screen()).toContain('Enter lets in 443/tcp');
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
	expect(app.screen()).toContain('The old rules come back in 42 s.');
	expect(app.screen()).not.toContain('type keep');
	await app.press('enter');
	expect(app.screen()).toContain('type keep');
});

const ENTER = {key: 'Enter', label: 'go on'} as const;
const BACK = {key: 'Tab or Esc', label: 'back'} as const;
const LEAVE = {key: 'Ctrl-C', label: 'leave', helpOnly: true} as const;

test('a line of keys tells how to see them all, however narrow', () => {
	expect(keyLine([ENTER, BACK], 40)).toBe('Enter go on  Tab or Esc back  ? keys');
	expect(keyLine([ENTER, BACK, LEAVE], 40)).toBe('Enter go on  Tab or Esc back  ? keys');
	expect(keyLine([ENTER, BACK], 26)).toBe('Enter go on  ? more');
	expect(keyLine([ENTER, BACK], 16)).toBe('Enter g…  ? more');
	expect(keyLine([LEAVE], 20)).toBe('');
});

test('what does not fit in lines stands one after the other, and what is cut says so', () => {
	const keys = [ENTER, BACK, LEAVE];
	expect(keyList(keys, {columns: 60, height: 3})).toEqual([
		'Enter        go on',
		'Tab or Esc   back',
		'Ctrl-C       leave',
	]);
	expect(keyList(keys, {columns: 30, height: 2})).toEqual([
		'Enter go on; Tab or Esc back;',
		'Ctrl-C leave',
	]);
	expect(keyList(keys, {columns: 12, height: 2})).toEqual(['Enter go on;', 'Tab or Esc …']);
});
