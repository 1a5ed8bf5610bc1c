import {chmodSync, existsSync} from 'node:fs';
import process from 'node:process';
import {beforeEach, describe, expect, test} from 'vitest';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {plain} from '../_helpers/samples/saves.ts';

const SWITCH = ['--role', 'server', '--switch-off', 'ufw', '--published', 'leave'];
/** From the readme of ufw-docker (github.com/chaifeng/ufw-docker). */
const UFW_DOCKER = `*filter
:ufw-user-forward - [0:0]
:ufw-docker-logging-deny - [0:0]
:DOCKER-USER - [0:0]
-A DOCKER-USER -j ufw-user-forward
-A DOCKER-USER -j RETURN -s 10.0.0.0/8
-A DOCKER-USER -j ufw-docker-logging-deny -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -d 172.16.0.0/12
-A DOCKER-USER -j RETURN
-A ufw-docker-logging-deny -m limit --limit 3/min --limit-burst 10 -j LOG
-A ufw-docker-logging-deny -j DROP
COMMIT`;
/** A port as Docker publishes it. */
const PUBLISHED = `*filter
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -j DOCKER
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
`;
const REMARKS =
	'limit: ufw takes 5 new connections in 30 s, fw-wizard 6 at once and 6 a minute.\n' +
	'ufw also allows local discovery (mDNS): choose mdns if this machine needs it.\n';
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

	test('is applied in its place, once what is lost is accepted', async () => {
		const warnings =
			'Warning: without ufw this closes: allow proto tcp to 198.51.100.1 port 80 (openings know no destination address; it stays blocked)\n' +
			`What ufw allows is imported: 8080/tcp, 22/tcp limit.\n${REMARKS}`;
		const before = await host.must('iptables-save', []);
		expect(await wizard(host, 'apply', ...SWITCH)).toMatchObject({
			status: 2,
			stderr: `${warnings}fw-wizard: 1 rule of ufw cannot be imported, and what it opens or closes would change\nSee the warnings above. To apply all the same: --accept-losses\n`,
		});
		expect(plain(await host.must('iptables-save', []))).toBe(plain(before));
		const {status, stdout, stderr} = await wizard(
			host,
			...['apply', ...SWITCH, '--accept-losses', '--json'],
		);
		expect({status, stderr}).toEqual({status: 0, stderr: warnings});
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

	test('goes on where single addresses are banned, and so do the bans', async () => {
		for (const words of [
			...['delete allow proto tcp to 198.51.100.1 port 80', 'insert 1 deny from 203.0.113.9'],
			'prepend reject from 2001:db8::9',
		]) {
			await host.must('ufw', words.split(' '));
		}

		const {status, stderr, stdout} = await wizard(host, 'apply', ...SWITCH, '--json');
		expect({status, stderr}).toEqual({
			status: 0,
			stderr:
				'What ufw allows is imported: 8080/tcp, 22/tcp limit.\n' +
				'What ufw bans stays blocked: 203.0.113.9, 2001:db8::9. Later bans through ufw have no effect.\n' +
				REMARKS,
		});
		expect(JSON.parse(stdout).policy).toMatchObject({
			openings: TAKEN,
			blocked: ['203.0.113.9', '2001:db8::9'],
		});
		const rules = (await host.must('iptables', ['-S', 'FW-WIZARD-INPUT'])).split('\n');
		const ban = rules.indexOf('-A FW-WIZARD-INPUT -s 203.0.113.9/32 -j DROP');
		expect(ban).toBeGreaterThan(0);
		expect(rules.findIndex((rule) => rule.includes('--dport 8080'))).toBeGreaterThan(ban);
		expect(await wizardDoes(host, 'check', '--json')).toContain('"policy"');
		await wizardDoes(host, 'undo');
		// Who names the openings does not mean to let in the banned.
		const named = ['--open', '443/tcp'];
		const {policy} = JSON.parse(await wizardDoes(host, 'rules', '--json', ...SWITCH, ...named));
		expect(policy).toMatchObject({
			openings: ['443/tcp'],
			blocked: ['203.0.113.9', '2001:db8::9'],
		});
	});

	test('keeps published ports of containers closed, or says which it opens', async () => {
		await host.must('sh', ['-ec', `cat >>/etc/ufw/after.rules <<'END'\n${UFW_DOCKER}\nEND`]);
		await host.must('ufw', ['delete', ...'allow proto tcp to 198.51.100.1 port 80'.split(' ')]);
		await host.must('iptables-restore', ['--noflush'], {input: PUBLISHED});
		await host.must('ufw', ['reload']);
		const before = await host.must('iptables-save', ['-t', 'filter']);
		expect(before).toContain('-j ufw-docker-logging-deny');
		// Also where the user names the openings: these ports are not among them.
		for (const open of [[], ['--open', '22/tcp']]) {
			const {status, stderr} = await wizard(host, 'apply', ...SWITCH, ...open);
			expect({status, stderr}).toEqual({
				status: 2,
				stderr: expect.stringMatching(
					/^Warning: without ufw this opens: after\.rules: -A DOCKER-USER .*, as 8080\/tcp\)\n/,
				),
			});
		}

		expect(plain(await host.must('iptables-save', ['-t', 'filter']))).toBe(plain(before));
		await wizardDoes(host, 'apply', ...SWITCH, '--accept-losses');
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

	test('is named by profiles of ufw as well', async () => {
		expect(await openings('--role', 'server', '--open', 'ssh, WWW Full')).toEqual([
			...['22/tcp', '80/tcp', '443/tcp'],
		]);
		await host.must('sh', [
			'-ec',
			"printf '[My App]\\nports=7000:7010/udp\\n' >/etc/ufw/applications.d/my",
		]);
		expect(await openings('--role', 'server', '--open', 'my app from 10.0.0.0/8')).toEqual([
			'7000-7010/udp from 10.0.0.0/8',
		]);
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
				/^fw-wizard: What ufw allows cannot be read: \/\S+: permission denied\nRun the command as root, or say what to open/,
			),
		});
	});

	test('keeps its place among the hints when it shuts out who is connected', async () => {
		const remoteClient = {SSH_CONNECTION: '203.0.113.9 50000 198.51.100.1 2222'};
		const words = [CLI, 'apply', ...SWITCH, '--accept-losses', '--yes'];
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
