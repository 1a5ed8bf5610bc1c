import {expect, test} from 'vitest';
import {type AppOptions, appOpener, type OpenApp} from '../_helpers/ui/app.tsx';
import {plannerFor} from '../_helpers/ui/app-props.ts';
import {SERVER} from './scenes.ts';

const openApp = appOpener();
const CLIENTS = ['from 192.0.2.0/24', 'from 203.0.113.9', 'on wg0'];

/** Ports of a web server: 22, 80 and 3306 listen, and 22 is open. The first line has the focus. */
async function openList(more: AppOptions['machine'] = {}): Promise<OpenApp> {
	const app = await openApp({
		columns: 100,
		rows: 40,
		preset: {role: 'server', openings: [SSH]},
		machine: {
			known: {...SERVER.known, choices: {value: []}} as never,
			suggested: {clients: CLIENTS, vpns: ['wg0']},
			...more,
		},
	});
	while (!app.screen().includes('Which ports should be open?')) {
		await app.press('enter');
	}

	await app.press('down');
	return app;
}

const SSH = {kind: 'port', protocol: 'tcp', first: 22, last: 22, limit: false} as const;

function row(app: OpenApp, port: string): string {
	const line = app.lines().find((line) => line.includes(`] ${port} `)) ?? '';
	return line.trim().replaceAll(/ +/g, ' ');
}

function keys(app: OpenApp): string {
	return app.lines().at(-1) ?? '';
}

test('l limits what is open, and ends that; what is closed has no such key', async () => {
	const app = await openList();
	expect(keys(app)).toContain('Space open/close  l limit  f only from  v only wg0');
	await app.type('l');
	expect(row(app, '22/tcp')).toBe('❯ [x] 22/tcp open limit sshd');
	expect(keys(app)).toContain('l no limit');
	await app.type('l');
	expect(row(app, '22/tcp')).toBe('❯ [x] 22/tcp open sshd');
	await app.press('down');
	expect(keys(app)).not.toContain('l limit');
	await app.poke('l');
	expect(row(app, '80/tcp')).toBe('❯ [ ] 80/tcp closed nginx');
});

test('f asks for whom, suggests who is here, and Enter narrows', async () => {
	const app = await openList();
	await app.type('f');
	expect(app.screen()).toContain('❯ 22/tcp from 192.0.2.0/24█');
	expect(keys(app)).toContain('Tab other clients');
	await app.press('tab');
	expect(app.screen()).toContain('❯ 22/tcp from 203.0.113.9█');
	await app.press('tab', 'tab', 'enter');
	expect(row(app, '22/tcp')).toBe('[x] 22/tcp open from 192.0.2.0/24 sshd');
	expect(app.screen()).toContain('22/tcp is open from 192.0.2.0/24 only now.');
});

test('v opens through the private network alone, also what is closed', async () => {
	const app = await openList();
	await app.press('down', 'down');
	await app.type('v');
	expect(row(app, '3306/tcp')).toBe('❯ [x] 3306/tcp open on wg0 MariaDB');
	expect(keys(app)).not.toContain('only wg0');
	await app.type('l');
	expect(row(app, '3306/tcp')).toBe('❯ [x] 3306/tcp open on wg0 limit MariaDB');
	await app.type('o');
	expect(row(app, '3306/tcp')).toBe('❯ [ ] 3306/tcp closed MariaDB');
});

test('v and l keep the focus on an opening without a listener, wherever its line is then', async () => {
	const app = await openList();
	await app.press('up');
	await app.type('7000/tcp, 9000-9010/tcp, 9500/tcp');
	await app.press('enter');
	while (!row(app, '7000/tcp').startsWith('❯')) {
		await app.press('down');
	}

	await app.type('v');
	expect(focused(app)).toContain('7000/tcp on wg0');
	await app.type('l');
	expect(focused(app)).toContain('7000/tcp on wg0 limit');
	await app.type('o');
	expect(app.screen()).not.toContain('7000/tcp');
	expect(focused(app)).not.toBe('');
});

function focused(app: OpenApp): string {
	return app.lines().find((line) => line.startsWith('❯ ')) ?? '';
}

test('a machine without a private network has no key for one', async () => {
	const app = await openList({suggested: {clients: CLIENTS.slice(0, 1), vpns: []}});
	expect(keys(app)).not.toContain('only wg');
	await app.poke('v');
	expect(row(app, '22/tcp')).toBe('❯ [x] 22/tcp open sshd');
});

test('a letter that is no key does nothing in the list, and a number goes to the field', async () => {
	const app = await openList();
	const before = app.screen();
	await app.poke('x');
	expect(app.screen()).toBe(before);
	await app.type('8');
	expect(app.screen()).toContain('❯ 8█');
	await app.press('down');
	await app.type('l');
	expect(app.screen()).toContain('❯ 8l█');
});

test('narrowing away the own session is said at once, in the words of the lock-out', async () => {
	const {remoteClient} = SERVER;
	const app = await openList({remoteClient, planApply: plannerFor(remoteClient)});
	await app.type('v');
	const said = () => app.screen().replaceAll(/\s+/g, ' ');
	expect(said()).toContain('You are connected through it: closing it locks you out.');
	await app.type('o');
	await app.type('o');
	await app.type('f');
	await app.press('enter');
	expect(said()).toContain(
		'You would be locked out: 22/tcp is closed for you. 22/tcp is open from',
	);
});

test('pages and ends of the list have their keys', async () => {
	const app = await openList();
	await app.press('end');
	expect(app.lines().find((line) => line.startsWith('❯ '))).toContain('6379/tcp');
	await app.press('pageUp');
	expect(row(app, '22/tcp')).toMatch(/^❯/);
	await app.press('up', 'end', 'home', 'pageDown');
	expect(row(app, '22/tcp')).not.toMatch(/^❯/);
});
