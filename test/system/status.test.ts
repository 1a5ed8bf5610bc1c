import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {serve} from '../_helpers/lab/pair.ts';

const FLAGS = ['--role', 'server', '--open', '22/tcp', '--open', '5432/tcp from 10.0.0.0/8'];

const PUBLISH = `\
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
`;

describe.each(mainly('legacy'))('status (%s)', (backend) => {
	const lab = useLab();
	let host: Host;

	async function statusOf(): Promise<{status: number | undefined; found: Record<string, unknown>}> {
		const {status, stdout} = await wizard(host, 'status', '--json');
		return {status, found: JSON.parse(stdout)};
	}

	beforeAll(async () => {
		host = await lab.host({backend});
		await serve(host, 'tcp:22', 'tcp:3306');
	});

	test('of a machine without a policy', async () => {
		const {status, stdout} = await wizard(host, 'status');
		expect(status).toBe(1);
		expect(stdout).toMatch(/^Status: inactive\nNo policy is applied/);
		expect(stdout).toMatch(/^Programs listen on:\n {2}22\/tcp +node\n {2}3306\/tcp +node$/m);
	});

	test('of a change that waits to be confirmed: its rules, its policy and its time', async () => {
		const words = [CLI, 'apply', ...FLAGS, '--confirm-within', '600'];
		const applying = await host.start(process.execPath, words, /confirm/i);
		const {status, found} = await statusOf();
		expect(status).toBe(0);
		expect(found).toMatchObject({active: true, matches: true, pending: {id: 1}, applied: null});
		expect(found.open).toContainEqual({opening: '22/tcp', programs: ['node']});
		expect((await wizard(host, 'status')).stdout).toMatch(
			/^Change 1 waits to be confirmed: \d+ s left/m,
		);
		await applying.stop();
		await wizard(host, 'undo');
		expect((await statusOf()).found).toMatchObject({active: false, pending: null});
	});

	test('says what is open and listens, what comes first, and who applied it when', async () => {
		await wizardDoes(host, 'apply', ...FLAGS);
		await host.must('iptables', ['-N', 'f2b-sshd']);
		await host.must('iptables', ['-I', 'INPUT', '-p', 'tcp', '--dport', '22', '-j', 'f2b-sshd']);
		await host.must('iptables-restore', ['--noflush'], {input: PUBLISH});
		const {status, found} = await statusOf();
		expect(status).toBe(0);
		expect(found).toMatchObject({
			...{active: true, matches: true, differences: [], lastCheck: null, pending: null},
			earlier: [{family: 4, by: 'fail2ban', count: 1}],
			applied: {id: 2, who: 'root'},
			open: [
				{opening: '22/tcp', programs: ['node']},
				{opening: '5432/tcp from 10.0.0.0/8', programs: []},
			],
			blocked: [{protocol: 'tcp', port: 3306, program: 'node'}],
			published: [{port: 8080, to: '172.17.0.2:80', by: 'Docker', decidedBy: 'program'}],
			boot: {ready: true, fault: null},
		});
		const {stdout} = await wizard(host, 'status');
		expect(stdout).toMatch(/^Status: active\nApplied: change 2, \d{4}-.* UTC, by root\n/);
		expect(stdout).toContain('Evaluated before these rules: 1 rule of fail2ban (IPv4)');
		expect(stdout).toMatch(/^ {2}5432\/tcp from 10\.0\.0\.0\/8 +nothing listens$/m);
	});

	test('says what other rules opened beside the policy when it was applied', async () => {
		await host.must('iptables', ['-I', 'INPUT', '-p', 'tcp', '--dport', '80', '-j', 'ACCEPT']);
		await wizardDoes(host, 'apply', ...FLAGS);
		const {found} = await statusOf();
		const known =
			/^80\/tcp is open from anywhere over IPv4: -A INPUT -p tcp .*-j ACCEPT, in filter$/;
		expect(found.beside).toEqual([expect.stringMatching(known)]);
		const {stdout} = await wizard(host, 'status');
		expect(stdout).toContain(
			'Beside the policy, when it was applied: 80/tcp is open from anywhere',
		);
		await host.must('iptables', ['-D', 'INPUT', '-p', 'tcp', '--dport', '80', '-j', 'ACCEPT']);
		await wizardDoes(host, 'apply', ...FLAGS);
		expect((await statusOf()).found.beside).toEqual([]);
	});

	test('to an ordinary user says what cannot be read', async () => {
		const user = ['--reuid=nobody', '--regid=nogroup', '--clear-groups', process.execPath];
		const {status, stdout} = await host.run('setpriv', [...user, CLI, 'status']);
		expect(status).toBe(3);
		expect(stdout).toMatch(/^Status: unknown\n/);
		expect(stdout).toContain('Only root can read the rules');
		expect(stdout).toMatch(/^Next boot: \w+ loads the rules$/m);
	});

	test('tells drift, and what the last check has found', async () => {
		await host.must('ip6tables', ['-D', 'FW-WIZARD-INPUT', '3']);
		const {status, found} = await statusOf();
		expect(status).toBe(1);
		expect(found).toMatchObject({active: true, matches: false});
		expect(found.differences).toContainEqual(expect.stringContaining('IPv6, rule 3'));
		await wizard(host, 'check');
		const {lastCheck} = (await statusOf()).found;
		expect(lastCheck).toMatchObject({
			well: false,
			failed: expect.arrayContaining(['the running IPv6 rules match the policy']),
		});
		await host.must('ip6tables', ['-D', 'INPUT', '-j', 'FW-WIZARD-INPUT']);
		const {stdout} = await wizard(host, 'status');
		expect(stdout).toMatch(/^Status: inactive, although a policy is applied\n/);
		expect(stdout).toMatch(/^Last check: .* failed: the running IPv6 rules/m);
	}, 240_000);
});
