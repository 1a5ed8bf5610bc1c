import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {useDebians} from '../_helpers/lab/debian.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';
import {canLogIn} from '../_helpers/ssh/ssh.ts';
import {type Fleet, openFleet, type Played} from './fleet.ts';

const FLAGS = [
	'--role',
	'server',
	'--open',
	'22/tcp',
	'--open',
	'53/udp comment "{{ no template }}"',
];
const UNITS = '/etc/systemd/system';
/** Of the hosts h0, h1, …: one of these each, in turns. */
const DRIFTS = [
	'iptables -I FW-WIZARD-INPUT -s 203.0.113.9 -j ACCEPT; echo exit >>/etc/fw-wizard/restore',
	'ip6tables -F FW-WIZARD-INPUT',
	'iptables -D INPUT -j FW-WIZARD-INPUT; systemctl disable fw-wizard.service',
] as const;
const FOUND = [
	'IPv4: FW-WIZARD-INPUT: added: -A FW-WIZARD-INPUT -s 203.0.113.9/32 -j ACCEPT',
	'IPv6: FW-WIZARD-INPUT is gone or empty',
	`${UNITS}/multi-user.target.wants/fw-wizard.service is missing`,
] as const;
const WELL = {
	...{version: 1, well: true, waits: null, ipv4: true, ipv6: true, next_boot: true, watch: true},
	...{drift: [], foreign: [], before: [], firewalls: []},
};
const NOTHING_DONE = {failed: 0, unreachable: 0, changed: 0};
/** As a role for ufw is written, for one of the policies. */
const UFW = `  tasks:
    - community.general.ufw: {rule: allow, port: "22", proto: tcp}
    - community.general.ufw: {rule: allow, port: "53", proto: udp}
    - community.general.ufw: {rule: allow, port: "80", proto: tcp}
    - community.general.ufw: {state: enabled, policy: reject, direction: incoming}
`;
/** The lines of a play without a canary. */
const AT_ONCE = '  roles: [fw_wizard]\n';
/** A policy with which nobody can log in again. */
const CLOSED = {
	...{fw_wizard_open: [], fw_wizard_open_group: [], fw_wizard_open_host: []},
	...{fw_wizard_seconds_to_confirm: 8, fw_wizard_seconds_to_log_in: 3},
};

describe('a fleet with the role of export ansible', () => {
	const lab = useLab();
	const count = rounds(3, 20);
	const debians = useDebians(lab);
	let fleet: Fleet;
	let other: Host;
	const hosts = () => fleet.servers.map(({host}) => host);
	const each = async <T>(task: (host: Host, number: number) => Promise<T>) =>
		Promise.all(hosts().map(task));
	const traces = async (host: Host) =>
		host.must('sh', [
			'-c',
			`find /etc /var/lib /run /usr/local/sbin -path '*fw-wizard*' ! -name '*.lock' -type f ! -path '*/watch/*' -exec cksum {} + | sort -k 3; iptables-save -t filter | grep -v '^[#:]'; ip6tables-save -t filter | grep -v '^[#:]'`,
		]);
	const expectAll = (played: Played, wanted: Readonly<Record<string, unknown>>, status = 0) => {
		expect(played).toEqual({
			...{status, text: expect.anything()},
			hosts: Object.fromEntries(
				hosts().map((_, number) => [`h${number}`, expect.objectContaining(wanted)]),
			),
		});
	};
	const state = (number: number) =>
		JSON.parse(readFileSync(path.join(fleet.states, `h${number}.json`), 'utf8'));

	beforeAll(async () => {
		const booted = await Promise.all(
			Array.from({length: rounds(0, 3)}, async () =>
				debians.boot('bookworm', {}, {packages: ['python3', 'ufw']}),
			),
		);
		fleet = await openFleet(lab, count - booted.length, FLAGS, booted);
		other = await lab.host();
	}, 900_000);

	test('--check --diff on fresh hosts tells what would be done, and does nothing', async () => {
		const before = await each(traces);
		const played = await fleet.play({}, ['--check', '--diff'], AT_ONCE);
		expectAll(played, {failed: 0, unreachable: 0, changed: 2});
		expect(played.text).toContain('+# Made by fw-wizard: a firewall with iptables');
		expect(played.text).toContain('/etc/fw-wizard/restore is missing');
		expect(await each(traces)).toEqual(before);
	}, 600_000);

	test('the first run gives each host the rules of its policy, the second one changes nothing', async () => {
		expectAll(await fleet.play(), {failed: 0, unreachable: 0, changed: 3});
		await wizardDoes(other, 'apply', ...FLAGS, '--open', '8080/tcp');
		const canary = await rulesOf(other);
		await wizardDoes(other, 'apply', ...FLAGS, '--open', '80/tcp');
		const web = await rulesOf(other);
		expect(await each(rulesOf)).toEqual(hosts().map((_, n) => (n === 0 ? canary : web)));
		expect(hosts().map((_, number) => state(number))).toEqual(hosts().map(() => WELL));
		expectAll(await fleet.play({}, ['--diff'], AT_ONCE), NOTHING_DONE);
	}, 600_000);

	test('drift of every kind is reported, and mended by the next run', async () => {
		const well = await each(traces);
		await each(async (host, number) =>
			host.must('sh', ['-ec', DRIFTS[number % DRIFTS.length] ?? '']),
		);
		const drifted = await each(traces);
		const reported = await fleet.play({fw_wizard_report_only: true}, [], AT_ONCE);
		expectAll(reported, {failed: 0, unreachable: 0, changed: 1});
		expect(await each(traces)).toEqual(drifted);
		for (const number of hosts().keys()) {
			expect(`${state(number).drift}`).toContain(FOUND[number % FOUND.length]);
		}

		expectAll(await fleet.play({}, [], AT_ONCE), {failed: 0, unreachable: 0, changed: 2});
		expect(await each(traces)).toEqual(well);
		expect(hosts().map((_, number) => state(number))).toEqual(hosts().map(() => WELL));
	}, 600_000);

	test('a policy that blocks SSH is rolled back on the canary, and reaches no other host', async () => {
		const before = await each(traces);
		const played = await fleet.play(CLOSED);
		expect({status: played.status, text: played.text, hosts: played.hosts}).toEqual({
			...{status: 2, text: expect.stringContaining('the old rules are restored')},
			hosts: {h0: expect.objectContaining({failed: 1})},
		});
		const after = await each(traces);
		expect(after.slice(1)).toEqual(before.slice(1));
		expect(rules(after[0])).toEqual(rules(before[0]));
	}, 600_000);

	test('what the role cannot mend stops it on that host: rules before the jump, and an active ufw', async () => {
		const [first, second] = hosts() as [Host, Host];
		await first.must('iptables', ['-I', 'INPUT', '-s', '203.0.113.7', '-j', 'ACCEPT']);
		await second.must('ufw', ['allow', '22/tcp']);
		await second.must('ufw', ['--force', 'enable']);
		const played = await fleet.play({}, [], AT_ONCE);
		expect(played).toMatchObject({status: 2, hosts: {h0: {failed: 1}, h1: {failed: 1}}});
		expect(played.text).toMatch(/h0\]: FAILED.*IPv4: before our rules: -A INPUT -s 203\.0\.113\.7/);
		expect(played.text).toMatch(
			/h1\]: FAILED.*ufw is active on this host\. With fw_wizard_switch_off/,
		);
		await first.must('iptables', ['-D', 'INPUT', '1']);
	}, 600_000);

	test('without a canary a policy that blocks SSH is rolled back everywhere, and ufw is on again', async () => {
		const before = await each(traces);
		const played = await fleet.play({...CLOSED, fw_wizard_switch_off: true}, [], AT_ONCE);
		expectAll(played, {failed: 1, unreachable: 0}, 2);
		const after = await each(traces);
		expect(after.map(rules)).toEqual(before.map(rules));
		for (const server of fleet.servers) {
			expect(await canLogIn(server, 4)).toBe(true);
		}

		const second = hosts()[1] as Host;
		expect(await second.must('ufw', ['status'])).toMatch(/^Status: active\n/);
		expect(await second.must('iptables', ['-S', 'ufw-user-input'])).toContain(
			'--dport 22 -j ACCEPT',
		);
		expectAll(await fleet.play({fw_wizard_switch_off: true}, [], AT_ONCE), {failed: 0});
		expect(await second.must('ufw', ['status'])).toBe('Status: inactive\n');
		expect(hosts().map((_, number) => state(number))).toEqual(hosts().map(() => WELL));
	}, 600_000);

	test.each(rounds(0, 1) === 1 ? [count] : [])(
		'figures: %i hosts, beside a role for ufw that does the same',
		async () => {
			const said: string[] = [];
			const time = async (
				name: string,
				play: string,
				wanted: Readonly<Record<string, unknown>>,
			) => {
				const begun = performance.now();
				expectAll(await fleet.play({}, [], play), wanted);
				said.push(`${name} ${((performance.now() - begun) / 1000).toFixed(1)} s`);
			};
			const script = '/usr/local/sbin/fw-wizard-firewall';
			await each(async (host) =>
				host.must('sh', ['-c', '[ ! -e "$0" ] || { sh "$0" remove && rm "$0"; }', script]),
			);
			await time('ufw, first run', UFW, {failed: 0});
			await time('ufw, second run', UFW, NOTHING_DONE);
			await each(async (host) => host.must('ufw', ['--force', 'reset']));
			await time('fw-wizard, first run', AT_ONCE, {failed: 0});
			await time('fw-wizard, second run', AT_ONCE, NOTHING_DONE);
			console.info(`${count} hosts: ${said.join(', ')}`);
		},
		3_600_000,
	);

	test('ansible-lint finds nothing to say about it, by its strictest profile', async () => {
		const {status, stdout, stderr} = await fleet.ansible('ansiblelint', [
			...['--offline', '--nocolor', '--strict', '--profile', 'production', fleet.role],
		]);
		expect({status, text: `${stdout}${stderr}`}).toEqual({
			status: 0,
			text: expect.stringMatching(/Passed.*production/s),
		});
	}, 120_000);

	test('the controller makes a script for each host of a large fleet', async () => {
		const said: string[] = [];
		for (const size of rounds(0, 1) === 1 ? [100, 300, 1000] : [5]) {
			const {status, seconds, megabytes} = await makeScripts(fleet, size);
			expect(status).toBe(0);
			said.push(`${size} hosts: ${seconds.toFixed(0)} s, ${megabytes.toFixed(0)} MB`);
		}

		console.info(said.join('\n'));
	}, 7_200_000);

	test('the role is written anew into its own folder, and into no other', async () => {
		const {controller, role} = fleet;
		const say = async (folder: string) =>
			wizard(controller, 'export', 'ansible', '--role-dir', folder, '--role', 'workstation');
		writeFileSync(inView(controller, '/etc/fww-file'), '');
		for (const folder of ['/etc/fww-file', '/etc/ssh', controller.folder]) {
			expect(await say(folder)).toMatchObject({
				status: 2,
				stderr: expect.stringContaining('is no role that fw-wizard has written'),
			});
		}

		expect(await wizard(controller, 'export', 'ansible', '--role', 'server')).toMatchObject({
			status: 2,
			stderr: expect.stringContaining('--role-dir roles/fw_wizard'),
		});
		expect(await say(role)).toMatchObject({status: 0});
		expect(readFileSync(path.join(role, 'defaults/main.yml'), 'utf8')).toContain(
			'fw_wizard_role: "workstation"\n',
		);
		expect(readdirSync(path.join(role, 'tasks')).sort()).toEqual([
			...['compare.yml', 'load.yml', 'main.yml', 'make.yml', 'tell.yml'],
		]);
	});
});

/** The rules of what `traces` has printed. */
function rules(text = ''): readonly string[] {
	return text.split('\n').filter((line) => line.startsWith('-A'));
}

async function rulesOf(host: Host) {
	return withoutEmptyTables(await readSaves(host));
}

/** Plays the part of the role that is done on the controller, for so many hosts that are not there. */
async function makeScripts({controller, ansible, role}: Fleet, size: number) {
	const inventory = path.join(controller.folder, 'many');
	const names = Array.from(
		{length: size},
		(_, n) => `m${n} fw_wizard_open_host='["${10_000 + n}/udp"]'`,
	);
	writeFileSync(inventory, `${names.join('\n')}\n`);
	const play = path.join(controller.folder, 'many.yml');
	writeFileSync(
		play,
		`- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: ${role}, tasks_from: make.yml}
    - ansible.builtin.assert:
        that: "(('--open ' ~ fw_wizard_open_host[0]) in fw_wizard_made.stdout)"
        quiet: true
`,
	);
	const begun = performance.now();
	const {status, stderr} = await ansible('ansible', ['playbook', '-i', inventory, play]);
	const seconds = (performance.now() - begun) / 1000;
	return {status, seconds, megabytes: Number(/^fww-peak (\d+)$/m.exec(stderr)?.[1]) / 1024};
}
