import {spawn} from 'node:child_process';
import {readlinkSync} from 'node:fs';
import process from 'node:process';
import {afterAll, describe, expect, test, vi} from 'vitest';
import {FAMILIES} from '../../source/lib/network.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, type Policy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {BACKENDS, mainly} from '../_helpers/lab/backends.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import {makeUser, photographMachine} from '../_helpers/lab/machine.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {IPV6, joinedPair, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {execute} from '../_helpers/lab/programs.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';
import {proofOf, prove, spellPorts} from '../_helpers/samples/proofs.ts';
import {
	descendantsOf,
	kernelParameters,
	networksInUse,
	photograph,
} from '../_helpers/samples/traces.ts';
import {scan} from '../_helpers/traffic/scan.ts';
import {FIREWALLD} from './firewalld.ts';

const POLICY = completePolicy({
	role: 'server',
	openings: parseOpenings('22/tcp, 53, 8000-8010/tcp', new Map()),
});
/** Edges of the policy, and ports that other programs care about. */
const PORTS = [21, 22, 23, 53, 68, 80, 137, 443, 445, 546, 1900, 5353, 7999, 8000, 8010, 8011];

describe('an ordinary user', () => {
	const user = makeUser();
	afterAll(() => user.remove());

	test('proves what is planned, and the machine stays as it is', async () => {
		const before = {...(await photographMachine()), kernel: await kernelParameters()};
		const {status, stdout, stderr} = await execute(
			[...user.enter, process.execPath, user.cli, 'prove', '--role', 'server', '--open', '22/tcp'],
			{timeout: 60_000},
			user.variables,
		);
		expect(stderr).toBe('');
		expect(stdout).toMatch(/^Left out: the rules of other programs: only root can read them$/m);
		expect(stdout).toMatch(/Proven without what was left out: what the policy says/);
		expect(stdout).not.toContain('exactly');
		expect(status).toBe(0);
		expect({...(await photographMachine()), kernel: await kernelParameters()}).toEqual(before);
		expect(user.leftovers()).toEqual([]);
	}, 90_000);
});

describe('where /proc/sys is read-only, as systemd-nspawn has it', () => {
	const lab = useLab();

	test('root proves all, and others are told what was not tried', async () => {
		const host = await lab.host();
		await host.must('mount', ['--bind', '/proc/sys', '/proc/sys']);
		await host.must('mount', ['-o', 'remount,bind,ro', '/proc/sys']);
		expect((await proofOf(host, POLICY)).checks.filter(({result}) => result !== 'ok')).toEqual([]);
		const user = makeUser();
		try {
			const words = [process.execPath, user.cli, 'prove', '--role', 'server'];
			const {status, stdout} = await execute(
				[...host.enter, ...user.enter, ...words],
				{},
				user.variables,
			);
			const others = stdout.match(/^(?:Not tried|Failed).*/gm) ?? [];
			expect(others.length).toBeGreaterThanOrEqual(2);
			for (const line of others) {
				expect(line).toMatch(/^Not tried: .*: \/proc\/sys is read-only here$/);
			}

			expect(status).toBe(0);
		} finally {
			user.remove();
		}
	}, 90_000);
});

/** Rules of others, made by the programs themselves or as they leave them. */
const OTHERS: Readonly<Record<string, (host: Host) => Promise<unknown>>> = {
	async ufw(host) {
		await host.must('ufw', ['--force', 'enable']);
		await host.must('ufw', ['limit', '2222/tcp']);
	},
	async 'Docker, libvirt, fail2ban and Tailscale'(host) {
		await host.must('iptables-restore', [], {input: NEIGHBOURS.iptables});
		await host.must('ip6tables-restore', [], {input: NEIGHBOURS.ip6tables});
	},
	async firewalld(host) {
		await host.must('nft', ['-f', '-'], {input: FIREWALLD});
	},
};

describe.each(mainly('nft'))('among the rules of others, %s', (backend) => {
	const lab = useLab();

	// In the usual run they take turns with the backends.
	const names = Object.keys(OTHERS).filter(
		(_, index) => rounds(0, 1) === 1 || index % 2 === BACKENDS.indexOf(backend),
	);
	test.each(names)(
		'%s',
		async (name) => {
			const {target, probe} = await joinedPair(lab, backend);
			await OTHERS[name]?.(target);
			await loadOurs(target, POLICY);
			// Addresses are in use only when nobody else has claimed them.
			await vi.waitFor(
				async () => expect(await target.must('ip', ['address'])).not.toMatch(/tentative/),
				{timeout: 10_000, interval: 100},
			);
			const before = {...(await photograph(target)), machine: await kernelParameters()};
			const {status, stdout, stderr} = await prove(target, POLICY, '--json', '--of', 'running');
			expect(stderr).toBe('');
			expect({...(await photograph(target)), machine: await kernelParameters()}).toEqual(before);

			// What the copy let in is what the machine itself does, by nmap.
			const {views} = JSON.parse(stdout) as Awaited<ReturnType<typeof proofOf>>;
			await serve(target, ...PORTS.flatMap((port) => [`tcp:${port}`, `udp:${port}`]));
			for (const address of [OUTSIDE.target, IPV6.target]) {
				const view = views.find(({vantage}) => vantage.family === (address.includes(':') ? 6 : 4));
				for (const [protocol, kind] of [
					['tcp', '-sS'],
					['udp', '-sU'],
				] as const) {
					const {ports} = await scan(probe, address, [kind, '-p', PORTS.join(',')], protocol);
					const passed = PORTS.filter((port) =>
						view?.passed[protocol].some(({first, last}) => first <= port && port <= last),
					);
					expect(`${address} ${kind} ${ports.open?.join(' ') ?? ''}`).toBe(
						`${address} ${kind} ${passed.join(' ')}`,
					);
				}
			}

			expect([0, 1]).toContain(status);
		},
		180_000,
	);
});

describe('a proof that is killed', () => {
	const lab = useLab();

	test('leaves nothing, and the next one works', async () => {
		const host = await lab.host();
		const before = await photograph(host);
		const [program = '', ...args] = [
			...host.enter,
			process.execPath,
			CLI,
			'prove',
			'--role',
			'server',
		];
		const child = spawn(program, args, {env: {...process.env, ...host.variables}, stdio: 'ignore'});
		const pid = child.pid ?? 0;
		await vi.waitFor(
			() => {
				const agents = descendantsOf(pid).filter(({title}) => title.includes('__agent'));
				expect(agents).toHaveLength(2);
			},
			{timeout: 30_000, interval: 5},
		);
		const [home, started] = [readlinkSync(`/proc/${pid}/ns/net`), descendantsOf(pid)];
		const networks = [...new Set(started.map(({network}) => network))].filter(
			(network) => network !== home && network !== readlinkSync('/proc/self/ns/net'),
		);
		expect(networks).toHaveLength(3);
		child.kill('SIGKILL');
		await vi.waitFor(
			() => {
				const inUse = networksInUse();
				expect(networks.filter((network) => inUse.has(network))).toEqual([]);
			},
			{timeout: 30_000, interval: 20},
		);
		expect(await photograph(host)).toEqual(before);
		const {proven, views} = await proofOf(host, POLICY);
		expect(spellPorts(views[0]?.passed.tcp ?? [])).toBe('22 53 8000-8010');
		expect(proven).toBe(true);
	}, 120_000);
});

async function loadOurs(host: Host, policy: Policy): Promise<void> {
	for (const rules of buildRuleSet(policy, {families: FAMILIES}).families) {
		await host.must(rules.family === 4 ? 'iptables-restore' : 'ip6tables-restore', ['--noflush'], {
			input: printRestore(rules),
		});
	}
}
