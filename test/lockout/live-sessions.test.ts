import {copyFileSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {beforeAll, describe, expect, test} from 'vitest';
import {VERDICTS} from '../../source/policy/policy.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {serve} from '../_helpers/lab/pair.ts';
import {canLogIn, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {walkTo} from '../_helpers/ui/journey.ts';
import {openSessions, PORT, speak} from './live.ts';

const CROWD_SCRIPT = path.resolve(import.meta.dirname, './crowd.js');
/** How many connections a busy server has. */
const CROWD = 2000;
/** Lets nobody in: what lives on does so by itself. */
const SHUT = ['--role', 'workstation', '--no-open'];

describe.each(mainly('legacy'))('sessions that conntrack has never seen, %s', (backend) => {
	const lab = useLab();
	const terminals = useTerminals();
	let client: Host;

	beforeAll(async () => {
		client = await sshClient(lab);
	});

	test.each(VERDICTS)('live on under %s', async (verdict) => {
		const server = await sshServer(lab, client, {backend, number: VERDICTS.indexOf(verdict)});
		const sessions = await openSessions(server, terminals);
		await wizardDoes(server.host, 'apply', ...SHUT, '--verdict', verdict);
		expect(await canLogIn(server, 4)).toBe(false);
		expect(await canLogIn(server, 6)).toBe(false);
		await speak(sessions, 'still here');
		await wizardDoes(server.host, 'apply', ...SHUT, '--verdict', verdict, '--log');
		await speak(sessions, 'and again');
	});

	test(`live on, ${CROWD} of them, and conntrack is told of all at once`, async () => {
		const server = await sshServer(lab, client, {backend, number: VERDICTS.length + 1});
		await serve(server.host, `tcp:${PORT}`);
		const [address] = server.addresses;
		const crowd = await client.start(
			process.execPath,
			[CROWD_SCRIPT, address, `${PORT}`, `${CROWD}`],
			/ready/,
		);
		const calls = await countCalls(server.host, '/usr/sbin/conntrack');
		await wizardDoes(server.host, 'apply', ...SHUT, '--verdict', 'drop');
		expect(calls()).toBe(1);
		await crowd.endInput();
		expect(crowd.output()).toContain(`answered: ${CROWD}\n`);
	});

	test('are named in Review where they would end: without the program conntrack', async () => {
		const server = await sshServer(lab, client, {backend, number: VERDICTS.length});
		const {host, clients} = server;
		await host.must('mount', ['--bind', '/dev/null', '/usr/sbin/conntrack']);
		const sessions = await openSessions(server, terminals);
		const wizard = terminals.wizard([...SHUT, '--verdict', 'drop'], {
			enter: host.enter,
			variables: host.variables,
			columns: 400,
		});
		const review = await walkTo(wizard, 'This is what changes');
		const warning = review.split('\n').find((line) => line.includes('These connections may end'));
		const named = warning
			?.split(': ')[1]
			?.trim()
			.split(', ')
			.map((text) => text.replace(/^\S+ with /, ''))
			.sort();
		expect(named).toEqual(
			clients.flatMap((address) => [`${address} on ${PORT}/tcp`, `${address} on 22/tcp`]).sort(),
		);

		// And they do end: the test above would see it.
		await wizardDoes(host, 'apply', ...SHUT, '--verdict', 'drop');
		sessions['inbound over IPv4'].type('lost\r\n');
		await dropped(host);
		expect(sessions['inbound over IPv4'].screen()).not.toContain('lost');
	});
});

/** Waits until the last of our IPv4 rules has met a packet. */
async function dropped(host: Host): Promise<void> {
	for (;;) {
		const rules = await host.must('iptables', ['-vS', 'FW-WIZARD-INPUT']);
		if (/-c [1-9]\d* \d+ -j DROP\s*$/.test(rules)) {
			return;
		}

		await delay(20);
	}
}

/** Puts a script before a program, where only this machine sees it. @returns how often it was started */
async function countCalls(host: Host, program: string): Promise<() => number> {
	const [script, real, log] = ['counting', 'real', 'calls'].map((name) =>
		path.join(host.folder, name),
	) as [string, string, string];
	copyFileSync(program, real);
	writeFileSync(log, '');
	writeFileSync(script, `#!/bin/sh\necho call >>${log}\nexec ${real} "$@"\n`, {mode: 0o755});
	await host.must('mount', ['--bind', script, program]);
	return () => readFileSync(log, 'utf8').split('\n').length - 1;
}
