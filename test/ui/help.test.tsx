import {describe, expect, test} from 'vitest';
import {keyLine, keyList} from '../../source/ui/keys/format-key-hints.ts';
import {KEYS} from '../../source/ui/keys/key-hints.ts';
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
		for (const entry of rows > 10 ? [...KEYS[step].split('  '), 'Ctrl-Z to the shell'] : []) {
			expect(text).toContain(entry.replaceAll(/\s+/g, ' '));
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

test('a line of keys tells how to see them all, however narrow', () => {
	expect(keyLine('Enter go on  Esc back', 40)).toBe('Enter go on  Esc back  ? keys');
	expect(keyLine('Enter go on  Esc back', 26)).toBe('Enter go on  ? more');
	expect(keyLine('Enter go on  Esc back', 16)).toBe('Enter g…  ? more');
	expect(keyLine('', 20)).toBe('');
});

test('what does not fit in lines stands one after the other, and what is cut says so', () => {
	const keys = 'Enter go on  Tab or Esc back  Ctrl-C leave';
	expect(keyList(keys, {columns: 60, height: 5})).toEqual([
		'Enter        go on',
		'Tab or Esc   back',
		'Ctrl-C       leave',
		'Ctrl-Z       to the shell, fg comes back',
		'?            these keys',
	]);
	expect(keyList(keys, {columns: 30, height: 2})).toEqual([
		'Enter go on; Tab or Esc back;',
		'Ctrl-C leave; Ctrl-Z to the s…',
	]);
});
