import {readlinkSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import type {Listener} from '../../source/services/listener.ts';
import {findInner, makeUser, photographMachine, type User} from '../_helpers/lab/machine.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {INSIDE, IPV6, OUTSIDE} from '../_helpers/lab/pair.ts';
import {execute, startServer, succeed} from '../_helpers/lab/programs.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {scan} from '../_helpers/traffic/scan.ts';
import {applyAndKeep, FLAGS, OPEN, OPEN_INSIDE, walkToReview} from '../_helpers/ui/journey.ts';

const ECHO = path.resolve(import.meta.dirname, '../_helpers/lab/echo-server.js');

describe('a rehearsal by an ordinary user', () => {
	const lab = useLab();
	const terminals = useTerminals();
	let user: User;
	let before: Awaited<ReturnType<typeof photographMachine>>;

	beforeAll(async () => {
		user = makeUser();
		before = await photographMachine();
	});
	afterAll(() => user.remove());

	const run = async (...args: readonly string[]) =>
		execute([...user.enter, process.execPath, user.cli, ...args], {}, user.variables);
	const expectUntouched = async () => {
		expect(await photographMachine()).toEqual(before);
		expect(user.leftovers()).toEqual([]);
	};

	test('shows the network of the real machine', async () => {
		const [real, rehearsed] = await Promise.all(
			[[], ['--rehearse']].map(async (args) => {
				const terminal = terminals.start([process.execPath, user.cli, ...args], {
					...user,
					columns: 200,
				});
				return terminal.waitFor(/^Network: .*\d/m);
			}),
		);
		const network = (screen = '') => /^Network: .*$/m.exec(screen)?.[0];
		expect(network(rehearsed)).toBe(network(real));
		expect(network(real)).toContain('.');
	});

	test('shows what listens on the real machine, as far as that user may know it', async () => {
		const host = await lab.host();
		const services = await Promise.all(
			[
				[...host.enter, process.execPath, ECHO, 'tcp:8080'],
				[...host.enter, ...user.enter, process.execPath, ECHO, 'udp:5353'],
			].map(async (words) => startServer(words, /ready/)),
		);
		const listenersOf = async (enter: readonly string[], ...args: readonly string[]) => {
			const words = [...enter, process.execPath, user.cli, 'facts', '--json', ...args];
			const {stdout} = await execute(words, {}, user.variables);
			const {listeners} = JSON.parse(stdout) as {readonly listeners: readonly Listener[]};
			// Of IPv6 sockets ss would know more, and looks into the rehearsal.
			return listeners.map(({ipv4Unknown: _, ...rest}) => rest);
		};
		try {
			const real = await listenersOf(host.enter);
			expect(real.map(({port}) => port).sort()).toEqual([5353, 8080]);
			expect(await listenersOf(host.enter, '--rehearse')).toEqual(real);
			// Who holds a socket the kernel does not tell from within a user namespace; whose it is, of one's own.
			const asUser = [...host.enter, ...user.enter];
			const [own, others] = (await listenersOf(asUser)).map(
				({process: _, pid, unit, unitOf, ...rest}) => rest,
			);
			expect(await listenersOf(asUser, '--rehearse')).toEqual([own, {...others, user: undefined}]);
			expect([own?.port, own?.user]).toEqual([5353, 'nobody']);
		} finally {
			await Promise.all(services.map(async (service) => service.stop()));
		}
	});

	test('walks through the wizard and filters what another machine sends', async () => {
		const probe = await lab.host();
		const words = [process.execPath, user.cli, '--rehearse'];
		const terminal = terminals.start(words, {...user, columns: 100, rows: 30});
		await walkToReview(terminal);
		expect(terminal.screen()).toContain('Rehearsal:');
		expect(await applyAndKeep(terminal)).toContain('Rehearsal:');

		const inner = findInner(terminal.pid);
		const enter = ['nsenter', '-t', `${inner}`, '-n', '--'];
		await plugIn(inner, probe);
		const services = await startServer(
			[...enter, process.execPath, ECHO, 'tcp:22', 'tcp:80', 'tcp:9100'],
			/ready/,
		);
		try {
			for (const [{target}, letIn] of [
				[INSIDE, OPEN_INSIDE],
				[OUTSIDE, OPEN],
				[IPV6, OPEN],
			] as const) {
				const {ports, rest} = await scan(probe, target, ['-sS', '-p', '1-10000'], 'tcp');
				const open = letIn.filter((port) => port === 22 || port === 9100);
				expect(ports).toEqual({open, closed: letIn.filter((port) => port !== 22 && port !== 9100)});
				expect(rest).toEqual({filtered: 10_000 - letIn.length});
			}
		} finally {
			await services.stop();
		}

		expect(readlinkSync(`/proc/${inner}/ns/net`)).not.toBe(readlinkSync('/proc/self/ns/net'));
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
		await expectUntouched();
	});

	test('apply --rehearse loads in the copy, and leaves no trace', async () => {
		const {status, stdout, stderr} = await run('apply', '--rehearse', '--yes', ...FLAGS);
		// What listens on the machine that runs the tests is named.
		const named = /^(?:Not opened by the policy, although a program listens: .*\.\n)?$/;
		expect({status, stderr}).toEqual({status: 0, stderr: expect.stringMatching(named)});
		expect(stdout).toMatch(/^Loaded and read back: \d+ IPv4 rules, \d+ IPv6 rules\./);
		await expectUntouched();
	});

	test('rules --rehearse prints what rules prints', async () => {
		const [rehearsed, plain] = [
			await run('rules', '--rehearse', ...FLAGS),
			await run('rules', ...FLAGS),
		];
		expect(rehearsed).toEqual({status: 0, stderr: '', stdout: plain.stdout});
		expect(plain.stdout).toContain('-A FW-WIZARD-INPUT -j REJECT');
		await expectUntouched();
	});

	// SIGHUP: the terminal is taken away.
	test.each(['SIGHUP', 'SIGKILL'] as const)('leaves nothing behind after %s', async (signal) => {
		const words = [process.execPath, user.cli, '--rehearse'];
		const terminal = terminals.start(words, user);
		await terminal.waitFor('Review this setup');
		const inner = findInner(terminal.pid);
		process.kill(terminal.pid, signal);
		await terminal.ended;
		const isGone = () => expect(() => process.kill(inner, 0)).toThrow('ESRCH');
		// After SIGKILL the program inside is told of it by its terminal alone.
		await (signal === 'SIGHUP' ? isGone() : vi.waitFor(isGone, 10_000));
		await expectUntouched();
	});
});

describe('where namespaces are forbidden', () => {
	const terminals = useTerminals();
	let user: User;

	beforeAll(() => {
		user = makeUser();
	});
	afterAll(() => user.remove());

	/** A user namespace of our own, with limits of its own; never the machine's. */
	const forbidden = (as: 'root' | 'user') => [
		...(as === 'user' ? user.enter : []),
		...['unshare', '--user', as === 'root' ? '--map-root-user' : '--map-current-user'],
		...['--keep-caps', '--', 'sh', '-c'],
		[
			`test "$(readlink /proc/self/ns/user)" != '${readlinkSync('/proc/self/ns/user')}'`,
			'echo 0 > /proc/sys/user/max_net_namespaces',
			'echo 0 > /proc/sys/user/max_user_namespaces',
			'exec setpriv --inh-caps=-all --ambient-caps=-all -- "$@"',
		].join(' && '),
		'sh',
	];

	test.each(['root', 'user'] as const)('says to %s what to do, with status 3', async (as) => {
		for (const args of [[], ['apply', '--yes', ...FLAGS]]) {
			const words = [process.execPath, user.cli, ...args, '--rehearse'];
			const {status, stdout, stderr} = await execute(
				[...forbidden(as), ...words],
				{},
				user.variables,
			);
			expect({status, stdout}).toEqual({status: 3, stdout: ''});
			expect(stderr).toMatch(/^fw-wizard: A rehearsal needs namespaces, .+\n.+\n$/);
			expect(user.leftovers()).toEqual([]);
		}
	});

	test('the same in a terminal, which stays as it was', async () => {
		const words = [...forbidden('user'), process.execPath, user.cli, '--rehearse'];
		const terminal = terminals.start(words, {variables: user.variables});
		expect(await terminal.ended).toBe(3);
		expect(terminal.screen().split('\n')[0]).toMatch(/^fw-wizard: A rehearsal needs namespaces/);
		expect(terminal.output()).not.toContain('\u001B');
	});
});

/** Connects another machine by a cable whose end is moved into the rehearsal's network. */
async function plugIn(pid: number, probe: Host): Promise<void> {
	const link = `link add cable0 type veth peer name cable0 netns ${pid}`.split(' ');
	await succeed(['ip', '-n', probe.name, ...link]);
	const inside = ['nsenter', '-t', `${pid}`, '-n', '--'];
	for (const [enter, side] of [
		[inside, 'target'],
		[probe.enter, 'probe'],
	] as const) {
		const addresses = [`${INSIDE[side]}/24`, `${OUTSIDE[side]}/24`, `${IPV6[side]}/64 nodad`];
		const lines = [
			...addresses.map((cidr) => `address add dev cable0 ${cidr}`),
			'link set cable0 up',
		];
		await succeed([...enter, 'ip', '-batch', '-'], {input: `${lines.join('\n')}\n`});
	}

	const quick = ['net.ipv4.icmp_ratelimit=0', 'net.ipv6.icmp.ratelimit=0'];
	await succeed([...inside, 'sysctl', '-q', '-w', ...quick]);
}
