import {afterEach, expect, test, vi} from 'vitest';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {appOpener} from '../_helpers/ui/app.tsx';
import {SERVER} from './scenes.ts';

// The parser itself, with its calls counted.
vi.mock('../../source/policy/parse-opening.ts', async (load) => {
	const module = await load<typeof import('../../source/policy/parse-opening.ts')>();
	return {...module, parseOpenings: vi.fn(module.parseOpenings)};
});

const openApp = appOpener();
const TO_PORTS = ['enter', 'enter', 'enter', 'enter', 'enter'] as const;

afterEach(() => vi.mocked(parseOpenings).mockClear());

/** The texts that were parsed since the last look. */
function parsed(): readonly string[] {
	const texts = vi.mocked(parseOpenings).mock.calls.map(([text]) => text);
	vi.mocked(parseOpenings).mockClear();
	return texts;
}

test('each key in the field of Ports has its text parsed once', async () => {
	const app = await openApp({machine: SERVER, columns: 120, rows: 40});
	await app.press(...TO_PORTS);
	expect(app.screen()).toContain('Which ports should be open?');
	expect(parsed()).toEqual([]);
	const text = '443/tcp, 9100/tcp from 10.0.0.0/8';
	for (const [index, character] of [...text].entries()) {
		await app.type(character);
		expect(parsed()).toEqual([text.slice(0, index + 1)]);
	}

	await app.press('backspace');
	expect(parsed()).toEqual([text.slice(0, -1)]);
	await app.paste('8');
	expect(parsed()).toEqual([text]);
});

test('no key but one that changes the text has it parsed', async () => {
	const app = await openApp({machine: SERVER, columns: 120, rows: 40});
	await app.press(...TO_PORTS);
	await app.paste('443/tcp');
	expect(parsed()).toEqual(['443/tcp']);
	// To the list, to the alternatives, back to the field.
	await app.press('down', 'down', 'tab', 'down', 'tab', 'up', 'up', 'up');
	await app.resize(80, 24);
	expect(parsed()).toEqual([]);
	await app.press('enter');
	expect(app.screen()).toContain('443/tcp');
	expect(parsed()).toEqual([]);
	// A letter in the list goes to the field.
	await app.press('down');
	await app.type('5');
	expect(parsed()).toEqual(['5']);
	await app.press('backspace', 'enter');
	expect(app.screen()).toContain('This is what changes');
	expect(parsed()).toEqual([]);
});
