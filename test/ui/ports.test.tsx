import {expect, test} from 'vitest';
import {appOpener, type OpenApp} from '../_helpers/ui/app.tsx';

const openApp = appOpener();

test('says that a narrower opening changes nothing, and how to narrow', async () => {
	const app = await openPorts();
	await app.paste('22/tcp from 10.0.0.0/8');
	expect(note(app)).toBe(
		'Let in already: 22/tcp from 10.0.0.0/8. To narrow an opening, first remove it from the list',
	);
	await app.paste(', 53/udp');
	expect(note(app)).toMatch(
		/^Enter lets in 53\/udp\. Let in already: 22\/tcp from 10\.0\.0\.0\/8\. /,
	);
	await app.press('enter');
	expect(list(app)).toEqual(['[x] 22/tcp TCP, from anywhere', '[x] 53/udp UDP, from anywhere']);
});

test('says of an opening said twice only that it is there', async () => {
	const app = await openPorts();
	await app.paste('ssh');
	expect(note(app)).toBe('Let in already: 22/tcp');
	await app.press('enter');
	expect(list(app)).toHaveLength(1);
});

test('takes over what is typed, and says before what that will be', async () => {
	const app = await openPorts();
	await app.type('https, 8000-8010/tcp');
	expect(note(app)).toBe('Enter lets in 443, 8000-8010/tcp');
	await app.press('enter');
	expect(list(app)).toEqual([
		'[x] 22/tcp TCP, from anywhere',
		'[x] 443 TCP and UDP, from anywhere',
		'[x] 8000-8010/tcp TCP, from anywhere',
	]);
});

test('names a slip of the finger, and loses nothing by Enter', async () => {
	const app = await openPorts();
	await app.paste('htttp');
	expect(note(app)).toBe('"htttp" is not a known service. Did you mean http?');
	await app.pressInVain('enter');
	await app.press('backspace', 'backspace');
	await app.paste('p');
	expect(note(app)).toBe('Enter lets in 80/tcp');
});

test('a character typed in the list, and Backspace there, go where they are seen to go', async () => {
	const app = await openPorts();
	await app.type('44');
	await app.press('down');
	await app.type('3');
	expect(note(app)).toBe('Enter lets in 443');
	await app.press('backspace');
	expect(note(app)).toBe('Enter lets in 44');
	expect(list(app)).toHaveLength(1);
	await app.press('down', 'backspace');
	expect(app.screen()).toContain('Nothing is let in.');
});

async function openPorts(): Promise<OpenApp> {
	const app = await openApp({columns: 100, rows: 40, preset: {role: 'server'}});
	await app.press('enter', 'enter', 'enter', 'enter');
	return app;
}

/** What stands under the field, as one line. */
function note(app: OpenApp): string {
	const lines = app.lines();
	const end = lines.findIndex((line) => /^(?:Let in \(|Nothing is let in)/.test(line));
	return lines
		.slice(5, end)
		.map((line) => line.trim())
		.join(' ')
		.trim();
}

function list(app: OpenApp): readonly string[] {
	const lines = app.lines();
	const start = lines.findIndex((line) => line.startsWith('Let in ('));
	const end = lines.findIndex((line) => line.startsWith('Rules: '));
	return lines
		.slice(start + 1, end)
		.filter((line) => line !== '')
		.map((line) => line.trim().replaceAll(/ +/g, ' '));
}
