import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {describe, expect, test, vi} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, startApply, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {takeTurns} from '../_helpers/lab/turns.ts';
import {plain, readSaves} from '../_helpers/samples/saves.ts';

const INJECT = path.resolve(import.meta.dirname, '../_helpers/lab/inject-errors.sh');
const ERRORS = ['ENOMEM', 'EAGAIN', 'EMFILE', 'ENOSPC', 'EROFS', 'EIO'] as const;

/** What the watchdog and all that it starts call, as strace(1) has shown it, on both backends. */
const CALLS = [
	...['clone', 'vfork', 'execve', 'wait4', 'pipe2', 'dup2', 'fcntl', 'kill', 'rt_sigaction'],
	...['openat', 'read', 'pread64', 'write', 'close', 'lseek', 'ioctl', 'newfstatat', 'access'],
	...['faccessat2', 'statfs', 'getdents64', 'readlink', 'renameat2', 'flock', 'clock_nanosleep'],
	...['mmap', 'mprotect', 'munmap', 'brk', 'prlimit64', 'getrandom', 'set_robust_list'],
	...['socket', 'bind', 'connect', 'getsockname', 'getsockopt', 'setsockopt', 'sendto', 'sendmsg'],
	...['recvmsg', 'pselect6', 'uname', 'futex', 'getuid'],
] as const;

/** All calls of a process for 3 s, or the first ones that are its first, or its third. */
const KINDS = [0, 1, 3] as const;

/** When that begins, in hundredths of a second after the limit. */
const BEGINNINGS = [-50, -150, -10, -250] as const;

/** Seconds that the watchdog waits here, and that the way back may take: on a busy machine more. */
const LIMIT = 3;
const GRACE = rounds(20, 5);

const CASES = CALLS.flatMap((call, row) =>
	ERRORS.map((error, column) => {
		const number = row * (ERRORS.length + 1) + column;
		return {
			...{call, error},
			kind: KINDS[number % KINDS.length] ?? 0,
			from: BEGINNINGS[number % BEGINNINGS.length] ?? 0,
		};
	}),
);

/** In the usual run, only each case that is a multiple of this, and those of which few are alike. */
const STEP = rounds(67, 1);
const ALWAYS = ['fcntl EIO', 'sendto ENOMEM'];
const HOSTS = rounds(2, 10);

describe.each(mainly('nft'))('a watchdog whose system calls fail, %s', (backend) => {
	const lab = useLab();

	/** A machine with the files that the cases need, and a change whose watchdog can be started again. */
	const prepare = async (existing: boolean) => {
		const host = await lab.host({backend});
		await wizardDoes(
			...[host, 'apply', '--role', 'server', '--open', '22/tcp', '--helper', 'ftp'],
			...['--published', 'policy'],
		);
		await host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.7', '-j', 'DROP']);
		const flags = existing ? ['--existing', 'flush-input'] : [];
		const applying = await startApply(
			host,
			'--role',
			'workstation',
			'--no-open',
			...flags,
			'--confirm-within',
			'600',
		);
		const write = (name: string, text: string) => writeFileSync(path.join(host.folder, name), text);
		write('after4', await host.must('iptables-save', []));
		write('after6', await host.must('ip6tables-save', []));
		await wizardDoes(host, 'undo');
		await applying.ended;
		// Its watchdog would take the change for one that waits, once it is made one again.
		expect(await whatStays(host)).toEqual([]);
		const saves = await Promise.all(
			['iptables-save', 'ip6tables-save'].map(async (program) => host.must(program, [])),
		);
		write('before', saves.map(plain).join('').replaceAll(' [0:0]', ' '));
		return host;
	};

	const inject = async (host: Host, {call, error, kind, from}: (typeof CASES)[number]) => {
		const numbers = [kind, from, GRACE * 100].map(String);
		const {status, stdout, stderr} = await host.run(
			'bash',
			[INJECT, host.folder, `${LIMIT}`, call, error, ...numbers],
			{timeout: 60_000},
		);
		const [back = '', failed = ''] = stdout.trim().split(' ');
		return {what: `${call} ${error} ${kind} ${from}`, status, back, failed: Number(failed), stderr};
	};

	test(`rolls back in time: ${CASES.length} cases`, async () => {
		const hosts = await Promise.all(
			Array.from({length: HOSTS}, async (_, index) => prepare(index % 2 === 1)),
		);
		const cases = CASES.filter(
			({call, error}, index) => index % STEP === 0 || ALWAYS.includes(`${call} ${error}`),
		);
		const results = await Promise.all(
			hosts.map(async (host, index) => {
				const seen = [];
				for (const one of cases.filter((_, number) => number % hosts.length === index)) {
					seen.push(await inject(host, one));
				}

				return seen;
			}),
		);
		const all = results.flat();
		const injected = all.filter(({failed}) => failed > 0);
		process.stdout.write(
			`${backend}: ${all.length} cases, ${injected.length} in which a call failed, back at most ${Math.max(...all.map(({back}) => Number(back) || 0))} hundredths after the limit\n`,
		);
		expect(all.filter(({status, back}) => status !== 0 || !/^-?\d+$/.test(back))).toEqual([]);
		expect(injected.length).toBeGreaterThan(0);
	}, 3_600_000);
});

/** Calls of Node and of what it starts, and which of them fails; 0 for all of them in 3 s of the wait. */
const PROGRAM_CASES = [
	'openat',
	'read',
	'write',
	'statx',
	'close',
	'clone',
	'mmap',
	'futex',
	'epoll_wait',
]
	.flatMap((call) => [0, 2, 20, 60].map((when) => ({call, when})))
	.map((one, index) => ({...one, error: ERRORS[index % ERRORS.length] ?? 'EIO'}))
	.filter((_, index) => index % rounds(17, 1) === 0);

describe.each(mainly('legacy'))('a program whose system calls fail, %s', (backend) => {
	const lab = useLab();
	const turns = takeTurns(4);

	test.concurrent.each(PROGRAM_CASES)(
		'has loaded nothing, or is rolled back in time: $call $when $error',
		async ({call, when, error}) =>
			turns(async () => {
				const host = await lab.host({backend});
				await wizardDoes(host, 'apply', '--role', 'server', '--open', '22/tcp', '--no-helper');
				const before = await readSaves(host);
				const flags = '--role workstation --no-open --no-helper --confirm-within 10'.split(' ');
				const strace = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e'];
				const fails = `inject=${call}:error=${error}`;
				const words = [process.execPath, CLI, 'apply', ...flags];
				const output = path.join(host.folder, 'output');
				const line =
					when === 0
						? '"$@" >"$0" 2>&1 & until grep -q "are restored" "$0" || ! kill -0 $!; do sleep 0.1; done; sleep 7; timeout -s INT 3 strace $STRACE -p $!; wait $!'
						: 'strace $STRACE:when=$WHEN "$@" >"$0" 2>&1';
				const script = `STRACE='${[...strace, fails].join(' ')}' WHEN=${when}; ${line}`;
				await host.run('bash', ['-c', script, output, ...words], {timeout: 60_000});
				await vi.waitFor(async () => expect(await readSaves(host)).toEqual(before), {
					timeout: rounds(20_000, 5000),
					interval: 200,
				});
				expect(readFileSync(output, 'utf8')).not.toContain('Kept');
			}),
		240_000,
	);
});
