import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {withShortCommands, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {joinedPair, OUTSIDE} from '../_helpers/lab/pair.ts';

/** Sends as many UDP packets to each port as the arguments say: `23:6000`. */
const FLOOD = `
const socket = require('node:dgram').createSocket('udp4');
const [address, ...ports] = process.argv.slice(1);
const send = (port) => new Promise((resolve) => socket.send('x', port, address, resolve));
(async () => {
	for (const [port, count] of ports.map((text) => text.split(':').map(Number))) {
		for (let sent = 0; sent < count; sent += 1) {
			await send(port);
		}
	}
	socket.close();
})();`;

describe.each(mainly('legacy'))('what was blocked (%s)', (backend) => {
	const lab = useLab();
	let target: Host;
	let probe: Host;

	async function blocked() {
		return JSON.parse(await wizardDoes(target, 'log', '--json'));
	}

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, backend));
	});

	test('is nothing without a policy', async () => {
		const {status, stdout} = await wizard(target, 'log');
		expect(status).toBe(0);
		expect(stdout).toMatch(/^No policy is applied/);
	});

	test('is counted packet by packet, however few of them are logged', async () => {
		await wizardDoes(target, 'apply', '--role', 'server', '--log', '--block', OUTSIDE.probe);
		await probe.must(process.execPath, ['-e', FLOOD, OUTSIDE.target, '23:6000', '3306:4000']);
		const {logging, counted} = await blocked();
		expect(logging).toBe(true);
		const ipv4 = counted.rules.filter(({family}: {family: number}) => family === 4);
		expect(ipv4).toContainEqual({
			...{family: 4, packets: 10_000, part: 'blocked', reason: `You blocked ${OUTSIDE.probe}`},
		});
		expect(ipv4).toContainEqual(expect.objectContaining({packets: 0, part: 'verdict'}));
		expect((await wizard(target, 'log')).stdout).toMatch(/^ {2}10,000 from blocked addresses$/m);
	}, 120_000);

	test('says how logging is switched on, and that keeps the policy', async () => {
		await wizardDoes(target, 'apply', '--role', 'server', '--verdict', 'drop', '--open', '53');
		await probe.must(process.execPath, ['-e', FLOOD, OUTSIDE.target, '80:1500', '53:20']);
		const {stdout} = await wizard(target, 'log');
		expect(stdout).toMatch(/^ {2}1500 to ports that are not open$/m);
		const [, command = ''] = /^ {2}fw-wizard (apply .*)$/m.exec(withShortCommands(stdout)) ?? [];
		await wizardDoes(target, ...command.split(' '));
		expect(await blocked()).toMatchObject({logging: true});
		expect((await wizard(target, 'diff', '2')).stdout).toMatch(
			/In the policy:\n {2}- log off\n {2}\+ log on\n$/,
		);
	}, 120_000);

	test.each([
		['a time that is none', ['--since', '1 fortnight']],
		['a time that is an escape sequence', ['--since', '\u001B[2J']],
	])('refuses %s', async (_, words) => {
		const {status, stderr} = await wizard(target, 'log', ...words);
		expect(status).toBe(2);
		expect(stderr).toMatch(/is not a time\n/);
		expect(stderr).not.toContain('\u001B');
	});
});
