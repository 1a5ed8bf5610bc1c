import {chmodSync, existsSync} from 'node:fs';
import process from 'node:process';
import {beforeEach, describe, expect, test} from 'vitest';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';

const SWITCH = ['--role', 'server', '--switch-off', 'ufw'];
const TAKEN = ['8080/tcp', '22/tcp limit'];

describe('what ufw lets in, where it is switched off', () => {
	const lab = useLab();
	let host: Host;

	beforeEach(async () => {
		host = await lab.host();
		for (const words of [
			'limit 22/tcp',
			'allow 8080/tcp',
			'allow proto tcp to 198.51.100.1 port 80',
			'--force enable',
		]) {
			await host.must('ufw', words.split(' '));
		}
	});

	const openings = async (...flags: readonly string[]) =>
		JSON.parse(await wizardDoes(host, 'rules', '--json', ...flags)).policy.openings;

	test('is applied in its place, and what cannot be is named', async () => {
		const {status, stdout, stderr} = await wizard(host, 'apply', ...SWITCH, '--json');
		expect({status, stderr}).toEqual({
			status: 0,
			stderr:
				'What ufw lets in is where you start: 8080/tcp, 22/tcp limit.\n' +
				'Not taken over: allow proto tcp to 198.51.100.1 port 80 (openings know no destination address; it stays shut)\n',
		});
		expect(JSON.parse(stdout).policy.openings).toEqual(TAKEN);
		const save = await host.must('iptables-save', []);
		expect(save).toMatch(/FW-WIZARD-INPUT .*--dport 8080 .*ACCEPT/);
		expect(save).not.toContain('ufw');
		expect(await host.must('ufw', ['status'])).toContain('Status: inactive');
		// The same command gives the same once ufw is off.
		expect(await openings(...SWITCH)).toEqual(TAKEN);
		await wizardDoes(host, 'undo');
		expect(await host.must('ufw', ['status'])).toContain('Status: active');
	});

	test('is not where flags or a file say what to let in, or where ufw stays', async () => {
		expect(await openings(...SWITCH)).toEqual(TAKEN);
		expect(await openings(...SWITCH, '--open', '443/tcp')).toEqual(['443/tcp']);
		expect(await openings(...SWITCH, '--no-open')).toEqual([]);
		expect(await openings('--role', 'server')).toEqual(['22/tcp']);
		const file = '/etc/fww-policy.json';
		await host.must('tee', [file], {input: '{"version":1,"role":"server","openings":["53"]}'});
		expect(await openings('--policy', file, '--switch-off', 'ufw')).toEqual(['53']);
		const {stdout} = await wizard(host, 'exposure', ...SWITCH, '--json');
		expect(JSON.parse(stdout).policy.openings).toEqual(TAKEN);
	});

	test('is asked for where it may not be read, and not guessed', async () => {
		const file = inView(host, '/etc/ufw/user.rules');
		expect(existsSync(file)).toBe(true);
		chmodSync(file, 0o600);
		const words = ['-u', 'nobody', '--', process.execPath, CLI, 'rules', ...SWITCH];
		expect(await host.run('runuser', words)).toMatchObject({
			status: 3,
			stdout: '',
			stderr: expect.stringMatching(
				/^What ufw lets in cannot be read: EACCES.*\nRun it as root, or say what to let in/,
			),
		});
	});

	test('keeps its place among the hints when it shuts out who is connected', async () => {
		const remoteClient = {SSH_CONNECTION: '203.0.113.9 50000 198.51.100.1 2222'};
		const words = [CLI, 'apply', ...SWITCH, '--yes'];
		const {status, stderr} = await host.run('env', [
			...Object.entries(remoteClient).map(([name, value]) => `${name}=${value}`),
			process.execPath,
			...words,
		]);
		expect({status, stderr}).toEqual({
			status: 2,
			stderr: expect.stringContaining(
				"Add --open 8080/tcp --open '22/tcp limit' --open 2222/tcp, or",
			),
		});
		expect(await host.must('ufw', ['status'])).toContain('Status: active');
	});
});
