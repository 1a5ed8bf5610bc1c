import {expect, test} from 'vitest';
import {parseNetwork} from '../../source/lib/network.ts';
import type {PolicyPart} from '../../source/policy/policy.ts';
import {makeGroup} from '../../source/policy/sources.ts';
import {appOpener, type OpenApp} from '../_helpers/ui/app.tsx';

const openApp = appOpener();

test('a narrower opening takes the place of the wider one, and both are said', async () => {
	const app = await openPorts();
	await app.paste('22/tcp from 10.0.0.0/8');
	expect(note(app)).toBe('Enter narrows what is open now: only 22/tcp from 10.0.0.0/8');
	await app.paste(', 53/udp');
	expect(note(app)).toMatch(/ only 22\/tcp from 10\.0\.0\.0\/8\. Enter opens 53\/udp$/);
	await app.press('enter');
	expect(list(app)).toEqual([
		'[x] 22/tcp from 10.0.0.0/8 TCP, from one network, IPv4 only',
		'[x] 53/udp UDP, from anywhere',
	]);
	expect(note(app)).toBe('22/tcp is open from 10.0.0.0/8 only now.');
	await app.paste('ssh from 192.0.2.0/24');
	expect(note(app)).toBe('Enter opens 22/tcp from 192.0.2.0/24');
	await app.press('enter');
	expect(list(app)[0]).toBe(
		'[x] 22/tcp from 10.0.0.0/8, 192.0.2.0/24 TCP, from 2 networks, IPv4 only',
	);
	await app.paste('22/tcp from 10.1.0.0/16');
	await app.press('enter');
	expect(note(app)).toBe('22/tcp is open from 10.1.0.0/16, 192.0.2.0/24 only now.');
});

test('the text has a cursor, and is there again after Esc', async () => {
	const app = await openPorts();
	await app.type('443/tp');
	await app.poke('\u001B[D');
	await app.type('c');
	expect(app.screen()).toContain('❯ 443/tc│p');
	expect(note(app)).toBe('Enter opens 443/tcp');
	await app.press('escape', 'enter');
	expect(app.screen()).toContain('❯ 443/tcp█');
	await app.press('home');
	expect(app.screen()).toContain('❯ │443/tcp');
	await app.poke('\u000B');
	expect(app.screen()).toContain('❯ █');
});

test('says of an opening said twice only that it is there', async () => {
	const app = await openPorts();
	await app.paste('ssh');
	expect(note(app)).toBe('Open already: 22/tcp');
	await app.press('enter');
	expect(list(app)).toHaveLength(1);
});

test('takes over what is typed, and says before what that will be', async () => {
	const app = await openPorts();
	await app.type('https, 8000-8010/tcp');
	expect(note(app)).toBe('Enter opens 443, 8000-8010/tcp');
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
	expect(note(app)).toBe('Enter opens 80/tcp');
});

test('a character typed in the list, and Backspace there, go where they are seen to go', async () => {
	const app = await openPorts();
	await app.type('44');
	await app.press('down');
	await app.type('3');
	expect(note(app)).toBe('Enter opens 443');
	await app.press('backspace');
	expect(note(app)).toBe('Enter opens 44');
	expect(list(app)).toHaveLength(1);
	await app.press('down', 'backspace');
	expect(app.screen()).toContain('No port is open.');
});

test('a group of sources of the policy can be written, and another one is refused', async () => {
	const sources = [makeGroup('office', ['10.0.0.0/8', '::1'].map(parseNetwork))];
	const app = await openPorts({role: 'server', sources});
	await app.paste('443/tcp from @ofice');
	expect(note(app)).toContain('The policy has no group of sources @ofice');
	await app.press('backspace', 'backspace', 'backspace', 'backspace');
	await app.type('ffice');
	expect(note(app)).toBe('Enter opens 443/tcp from @office');
	await app.press('enter');
	expect(list(app)).toContain('[x] 443/tcp from @office TCP, from 2 networks, IPv4 and IPv6');
});

async function openPorts(preset: PolicyPart = {role: 'server'}): Promise<OpenApp> {
	const app = await openApp({columns: 100, rows: 40, preset});
	await app.press('enter', 'enter', 'enter', 'enter');
	return app;
}

/** What stands under the field, as one line. */
function note(app: OpenApp): string {
	const lines = app.lines();
	const end = lines.findIndex((line) => /^(?:Open \(|No port is open)/.test(line));
	return lines
		.slice(5, end)
		.map((line) => line.trim())
		.join(' ')
		.trim();
}

function list(app: OpenApp): readonly string[] {
	const lines = app.lines();
	const start = lines.findIndex((line) => line.startsWith('Open ('));
	const end = lines.findIndex((line) => line.startsWith('Rules: '));
	return lines
		.slice(start + 1, end)
		.filter((line) => line !== '')
		.map((line) => line.trim().replaceAll(/ +/g, ' '));
}
