import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {processesOf} from '../_helpers/lab/processes.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {signalWatchdog} from '../_helpers/lab/watchdogs.ts';
import {readSaves, type Saves, withoutEmptyTables} from '../_helpers/samples/saves.ts';
import {loginWords} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';

/** Seconds to confirm in; the least that can be chosen. */
const LIMIT = 10;
/** Milliseconds that the way back may take after that. */
const GRACE = 5000;

const APPLY = `apply --role workstation --no-open --no-helper --confirm-within ${LIMIT}`;
const UNITS = ['list-units', '--all', '--plain', '--no-legend', 'fw-wizard-rollback*'];

/** A session in a mount namespace of its own, in which systemd has no socket. */
const PRIVATE =
	'exec unshare --mount --propagation private sh -c "mount -t tmpfs fww /run/systemd && exec $0 $*"';

/** A service of ours that systemd cannot start ("resources") as long as a file is missing. */
const DROP_IN = '/etc/systemd/system/fw-wizard-rollback-.service.d/fww.conf';
const NEEDED = '/run/fww-needed';

/** One machine of each backend: all waits of a test run side by side. */
describe.each(suitesHere())('a change on a machine with systemd, %s', (suite) => {
	const lab = useLab();
	const debians = useDebians(lab);
	const terminals = useTerminals();
	let machines: readonly Debian[];

	beforeAll(async () => {
		machines = await Promise.all(
			BACKENDS.map(async (backend) => {
				const debian = await debians.boot(suite, {
					'/etc/systemd/logind.conf.d/fww.conf': '[Login]\nKillUserProcesses=yes\n',
					[DROP_IN]: `[Service]\nEnvironmentFile=${NEEDED}\n`,
				});
				await debian.install();
				await debian.chooseBackend(backend);
				await debian.host.must('iptables', ['-A', 'INPUT', '-s', '198.51.100.7', '-j', 'DROP']);
				await debian.host.must('touch', [NEEDED]);
				return debian;
			}),
		);
	}, 600_000);

	/** Loads rules that wait for their confirmation, over SSH. */
	const load = async (debian: Debian, command = `node ${PROGRAM} ${APPLY}`) => {
		const terminal = terminals.start(loginWords(debian, command, {terminal: true}), {
			enter: debian.client.enter,
		});
		await terminal.waitFor(/old rules are restored in \d+ s/);
		return terminal;
	};

	/** Loads them, and leaves no watchdog but the timer. */
	const loadWithTimer = async (debian: Debian) => {
		const {host} = debian;
		const terminal = await load(debian);
		await signalWatchdog(host, 'SIGKILL');
		process.kill(terminal.pid, 'SIGKILL');
		for (const {pid, title} of await processesOf(host)) {
			if (title.startsWith('node ')) {
				process.kill(pid, 'SIGKILL');
			}
		}
	};

	/** Both machines do the same; each must have its old rules at the end, in time. */
	const isRolledBack = async (story: (debian: Debian) => Promise<unknown>) => {
		await Promise.all(
			machines.map(async (debian) => {
				const before = await rulesOf(debian);
				await story(debian);
				await expect
					.poll(async () => rulesOf(debian), {timeout: LIMIT * 1000 + GRACE, interval: 500})
					.toEqual(before);
				const {host} = debian;
				await expect.poll(async () => host.must('systemctl', UNITS), {timeout: 10_000}).toBe('');
				expect(await host.must('node', [PROGRAM, 'undo', '--list'])).toMatch(
					/ rolled back [^\n]*\n$/,
				);
			}),
		);
	};

	test.each(['rescue.target', 'multi-user.target', 'emergency.target'].slice(0, rounds(1, 3)))(
		'is rolled back by the timer alone, also after systemctl isolate %s',
		async (target) => {
			await isRolledBack(async (debian) => {
				await loadWithTimer(debian);
				await debian.host.must('systemctl', ['isolate', target]);
			});
			for (const {host} of machines) {
				await host.must('systemctl', ['isolate', 'multi-user.target']);
				await host.must('systemctl', ['start', 'ssh.service']);
			}
		},
	);

	test('is rolled back by the timer alone, where systemd cannot start its service for 3 s', async () => {
		await isRolledBack(async (debian) => {
			const {host} = debian;
			await host.must('rm', [NEEDED]);
			await loadWithTimer(debian);
			const loaded = await rulesOf(debian);
			const show = 'systemctl show -p Result --value "fw-wizard-rollback-*.service"';
			await expect
				.poll(async () => host.must('sh', ['-c', show]), {
					timeout: LIMIT * 1000 + GRACE,
					interval: 200,
				})
				.toBe('resources\n');
			await host.must('sleep', ['3']);
			expect(await rulesOf(debian)).toEqual(loaded);
			await host.must('touch', [NEEDED]);
		});
	});

	test('is rolled back by the timer alone, also where its folder is removed', async () => {
		await Promise.all(
			machines.map(async (debian) => {
				const {host} = debian;
				const before = await rulesOf(debian);
				await loadWithTimer(debian);
				expect(await rulesOf(debian)).not.toEqual(before);
				await host.must('rm', ['-r', '/var/lib/fw-wizard']);
				await expect
					.poll(async () => rulesOf(debian), {timeout: LIMIT * 1000 + GRACE, interval: 500})
					.toEqual(before);
				await expect.poll(async () => host.must('systemctl', UNITS), {timeout: 10_000}).toBe('');
			}),
		);
	});

	test('is rolled back where the user is logged off with all that runs in a mount namespace of its own', async () => {
		await isRolledBack(async (debian) => {
			const before = await rulesOf(debian);
			await load(debian, `sh -c '${PRIVATE}' node ${PROGRAM} ${APPLY}`);
			await debian.host.must('loginctl', ['terminate-user', 'root']);
			expect(await rulesOf(debian)).not.toEqual(before);
		});
	});

	test('is rolled back while PID 1 hangs, by the process alone', async () => {
		const hang = machines.map(async (debian) => {
			const before = await rulesOf(debian);
			const applying = await debian.host.start(
				'node',
				[PROGRAM, ...APPLY.split(' ')],
				/old rules are restored in \d+ s/,
			);
			process.kill(debian.init(), 'SIGSTOP');
			try {
				applying.kill();
				expect(await rulesOf(debian)).not.toEqual(before);
				await expect
					.poll(async () => rulesOf(debian), {timeout: LIMIT * 1000 + GRACE, interval: 500})
					.toEqual(before);
			} finally {
				process.kill(debian.init(), 'SIGCONT');
			}
		});
		await Promise.all(hang);
	});

	test('is not begun while PID 1 hangs, or rolled back by the process alone', async () => {
		const hang = machines.map(async (debian) => {
			const before = await rulesOf(debian);
			process.kill(debian.init(), 'SIGSTOP');
			try {
				const {status} = await debian.host.run('node', [PROGRAM, ...APPLY.split(' ')]);
				expect([3, 4]).toContain(status);
				expect(await rulesOf(debian)).toEqual(before);
			} finally {
				process.kill(debian.init(), 'SIGCONT');
			}
		});
		await Promise.all(hang);
	});
});

async function rulesOf({host}: Debian): Promise<Saves> {
	return withoutEmptyTables(await readSaves(host));
}
