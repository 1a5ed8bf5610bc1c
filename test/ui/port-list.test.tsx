import {describe, expect, test} from 'vitest';
import {protocolNamed} from '../../source/policy/ip-protocols.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {defaultPolicy} from '../../source/policy/policy.ts';
import type {Listener} from '../../source/services/listener.ts';
import type {ProtocolUse} from '../../source/services/protocol-use.ts';
import {CONTAINER, socketOn} from '../_helpers/lab/sockets.ts';
import {type AppOptions, appOpener, type OpenApp} from '../_helpers/ui/app.tsx';
import {plannerFor} from '../_helpers/ui/app-props.ts';
import {factsKnown} from '../_helpers/ui/facts-known.ts';
import {expectFits, SIZES, type Size} from '../_helpers/ui/frames.ts';

const openApp = appOpener();

function socket(port: number, more: Partial<Listener> = {}): Listener {
	return socketOn(port, {process: 'nginx', unit: 'nginx.service', user: 'root', ...more});
}

const LISTENERS = [
	socket(22, {process: 'sshd', unit: 'ssh.service'}),
	socket(22, {process: 'sshd', unit: 'ssh.service', address: '::', families: [6]}),
	socket(80),
	socket(9999, {process: 'a?[31mb', unit: undefined}),
	socket(5432, {process: 'postgres', address: '127.0.0.1', reach: 'loopback'}),
];
const KNOWN = factsKnown({listeners: LISTENERS, published: [CONTAINER]});

async function openPorts(options: AppOptions = {}): Promise<OpenApp> {
	const app = await openApp({
		columns: 100,
		rows: 40,
		// What starts open is told elsewhere.
		preset: {role: 'server', openings: defaultPolicy('server').openings},
		machine: {known: KNOWN},
		...options,
	});
	await app.press('enter', 'enter', 'enter', 'enter');
	expect(app.screen()).toContain('Which ports should be open?');
	return app;
}

/** The lines of the list, pointer and all. */
function list(app: OpenApp): readonly string[] {
	const lines = app.lines();
	const start = lines.findIndex((line) => /^(?:Open \(|No port is open)/.test(line));
	const end = lines.findIndex((line) => line.startsWith('Rules: '));
	return lines
		.slice(start + 1, end)
		.map((line) => line.trim().replaceAll(/ +/g, ' '))
		.filter((line) => line !== '');
}

test('lists what others reach first, with what the policy does to it', async () => {
	const app = await openPorts();
	expect(app.screen()).toContain('Open (1): 3 listening, 2 closed; 1 left as it is');
	expect(list(app)).toEqual([
		'[x] 22/tcp open sshd',
		'[ ] 80/tcp closed nginx',
		'[ ] 9999/tcp closed a?[31mb',
		'! 8080/tcp left to Docker: to 172.17.0.2:80',
		'5432/tcp loopback postgresql',
	]);
});

test('Space opens and shuts, and the rules panel shows before what it will do', async () => {
	const app = await openPorts();
	await app.press('down', 'down');
	expect(app.screen()).toContain('nginx listens on all addresses (nginx.service, user root)');
	expect(app.screen()).toMatch(/\+ 4 6 +-p tcp -m multiport --dports 22,80/);
	await app.press('space');
	expect(list(app)[1]).toBe('❯ [x] 80/tcp open nginx');
	expect(app.screen()).toMatch(/- 4 6 +-p tcp -m multiport --dports 22,80/);
	await app.press('space');
	expect(list(app)[1]).toBe('❯ [ ] 80/tcp closed nginx');
	await app.press('down', 'down');
	await app.pressInVain('space');
	expect(app.screen()).toContain('it does not pass INPUT, so closing it here has no effect');
	await app.press('down');
	await app.pressInVain('space');
});

test('Tab tells how to do without a port, and runs none of it', async () => {
	const app = await openPorts();
	await app.press('down', 'down', 'tab');
	for (const text of [
		'80/tcp: nginx listens on all addresses',
		'Stop it: systemctl disable --now nginx.service',
		'Bind it to loopback: in /etc/nginx/sites-enabled/ write: listen 127.0.0.1:80;',
		'NAT: This machine has no public address.',
		'the wizard runs none of them',
	]) {
		expect(app.screen()).toContain(text);
	}

	await app.press('down', 'down');
	expect(app.screen()).toContain('8080/tcp: Docker forwards it to 172.17.0.2:80');
	await app.press('escape');
	expect(list(app)[3]).toContain('❯ ! 8080/tcp');
	await app.press('tab');
	await app.type('4');
	expect(list(app)[3]).toBe('! 8080/tcp left to Docker: to 172.17.0.2:80');
});

test('a port that nothing listens on can be opened, with a note', async () => {
	const app = await openPorts();
	await app.paste('9100/tcp from 10.0.0.0/8');
	await app.press('enter');
	expect(list(app)[4]).toBe(
		'[x] 9100/tcp from 10.0.0.0/8 TCP, from one network, IPv4 only; nothing listens',
	);
	await app.press('down', 'down', 'down', 'down', 'down');
	expect(app.screen()).toContain('Nothing listens there now: whatever starts to can be reached');
	await app.press('space');
	expect(list(app)[4]).toBe('❯ 5432/tcp loopback postgresql');
});

test('an opening for some says for whom', async () => {
	const app = await openPorts();
	await app.paste('80/tcp from 10.0.0.0/8');
	await app.press('enter');
	expect(list(app)[1]).toBe('[x] 80/tcp open from 10.0.0.0/8 nginx');
});

describe.each([...SIZES, [110, 12]] as readonly Size[])('%i columns, %i rows', (columns, rows) => {
	const size: Size = [columns, rows];
	const many = Array.from({length: 2000}, (_, index) =>
		socket(1 + index, {process: `service-${index}`, unit: `service-${index}.service`}),
	);

	test('500 openings and 2,000 listeners: everything in the list can be reached', async () => {
		const openings = Array.from({length: 500}, (_, index) => ({
			kind: 'port' as const,
			protocol: 'udp' as const,
			first: 20_000 + 2 * index,
			last: 20_000 + 2 * index,
			limit: false,
		}));
		const app = await openPorts({
			columns,
			rows,
			preset: {role: 'server', openings},
			machine: {known: factsKnown({listeners: many, published: [CONTAINER]})},
		});
		expectFits(app.lines(), size);
		await app.press('down', 'down', 'space', 'tab');
		expectFits(app.lines(), size);
		await app.poke('pageDown');
		expect(app.screen()).toContain('systemctl disable --now');
		expectFits(app.lines(), size);
		await app.press('tab', 'up', 'up');
		expectFits(app.lines(), size);
	});

	test('each kind of line, focused and with its alternatives', async () => {
		const app = await openPorts({columns, rows});
		for (const _ of [...LISTENERS, CONTAINER].slice(1)) {
			await app.press('down');
			expectFits(app.lines(), size);
			expect(app.lines().some((line) => line.startsWith('❯ '))).toBe(true);
			await app.press('tab');
			expectFits(app.lines(), size);
			expect(app.screen()).not.toContain('Rules: ');
			await app.press('escape');
		}
	});
});

test('says of the port in use that it is the way in, and warns when it is shut', async () => {
	const remoteClient = {
		client: '203.0.113.9',
		inInterface: 'eth0',
		accessPorts: [{protocol: 'tcp' as const, first: 22, last: 22}],
	};
	const app = await openPorts({machine: {known: KNOWN, remoteClient}});
	await app.press('down');
	expect(app.screen()).toContain('You are connected through it. sshd listens');
	await app.press('space');
	expect(app.screen()).toContain('You are connected through it: closing it locks you out.');
	await app.press('down');
	expect(app.screen()).not.toContain('You are connected');
});

describe('protocols without ports', () => {
	const keepalived = protocolNamed('vrrp');
	if (keepalived === undefined) {
		throw new Error('vrrp has no word');
	}

	const vrrp: ProtocolUse = {
		...{protocol: keepalived, families: [4], by: 'keepalived', how: 'raw socket'},
		...{pid: 7, unit: 'keepalived.service'},
	};
	const known = factsKnown({listeners: LISTENERS, protocols: [vrrp], published: []});
	const planned = plannerFor(undefined, {protocolUses: [vrrp]});

	test('are listed under the ports with what receives them, opened and closed by Space', async () => {
		const app = await openPorts({machine: {known, planApply: planned}});
		expect(app.screen()).toContain('3 listening, 2 closed; 1 protocol without ports, 1 closed');
		expect(list(app)).toContain('[ ] vrrp closed keepalived');
		await app.press('down', 'down', 'down', 'down');
		expect(app.screen().replaceAll(/\s+/g, ' ')).toContain(
			'keepalived receives VRRP, an address that machines share (IPv4, keepalived.service). Space opens it',
		);
		await app.press('space');
		expect(app.screen()).toMatch(/\[x\] vrrp +open +keepalived/);
		expect(list(app)).not.toContainEqual(expect.stringContaining('nothing listens'));
		await app.press('space');
		expect(app.screen()).toMatch(/\[ \] vrrp +closed +keepalived/);
		await app.press('tab');
		expect(app.screen()).toContain('Stop it: systemctl disable --now keepalived.service');
	});

	test('that the policy does not open are named in Review, before anything is loaded', async () => {
		const app = await openPorts({machine: {known, planApply: planned}});
		await app.press('enter');
		expect(app.screen()).toContain('keepalived receives VRRP, which is not open. To open: vrrp');
		await app.press('escape', 'down', 'down', 'down', 'down', 'space', 'up', 'up', 'up', 'up');
		await app.press('enter');
		expect(app.screen()).not.toContain('which is not open');
	});

	test('opened by hand are not said to have nothing that listens', async () => {
		const app = await openPorts({
			preset: {role: 'server', openings: parseOpening('esp', new Map())},
		});
		expect(list(app)).toContain('[x] esp ESP, the encrypted packets of IPsec, from anywhere');
	});

	test('and other openings that do little alone are said to, where they are typed', async () => {
		const app = await openPorts({
			machine: {
				known,
				interfaceNames: new Map([
					['lo', undefined],
					['eth0', undefined],
				]),
			},
		});
		await app.type('mosh on eth9');
		const text = app.screen().replaceAll(/\s+/g, ' ');
		expect(text).toContain('Enter opens 60000-61000/udp on eth9. There is no interface eth9 now');
	});
});
