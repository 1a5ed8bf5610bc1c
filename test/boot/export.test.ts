import process from 'node:process';
import {beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {processesOf} from '../_helpers/lab/processes.ts';
import {readSaves, type Saves, withoutEmptyTables} from '../_helpers/samples/saves.ts';

const SCRIPT = '/root/firewall.sh';
const TIMERS = ['list-units', '--all', '--plain', '--no-legend', 'fw-wizard-export*'];

/** One machine of each backend. */
describe.each(suitesHere())('the exported script on a machine with systemd, %s', (suite) => {
	const debians = useDebians(useLab());
	let machines: readonly Debian[];

	beforeAll(async () => {
		machines = await Promise.all(
			BACKENDS.map(async (backend) => {
				const debian = await debians.boot(suite);
				await debian.install();
				await debian.chooseBackend(backend);
				const write = async (file: string, open: string) =>
					debian.host.must('sh', [
						'-c',
						`node ${PROGRAM} export shell --role server --open ${open} >${file}`,
					]);
				await write('/root/older.sh', '25/tcp');
				await write(SCRIPT, '22/tcp');
				return debian;
			}),
		);
	}, 600_000);

	/** An older firewall is kept on it. */
	beforeEach(async () => {
		await each(async ({host}) => {
			await host.must('sh', ['/root/older.sh']);
			await host.must('sh', ['/root/older.sh', 'keep']);
		});
	});

	const each = async (work: (debian: Debian) => Promise<void>) => {
		await Promise.all(machines.map(work));
	};
	const load = async ({host}: Debian, seconds: number) => {
		const before = await rulesOf(host);
		await host.must('env', [`SECONDS_TO_CONFIRM=${seconds}`, 'sh', SCRIPT]);
		expect(await rulesOf(host)).not.toEqual(before);
		return before;
	};
	const restores = async ({host}: Debian, before: Saves) => {
		await expect.poll(async () => rulesOf(host), {timeout: 45_000, interval: 500}).toEqual(before);
		expect(await host.run('sh', [SCRIPT, 'status'])).toMatchObject({status: 1});
		expect(await host.run('sh', ['/root/older.sh', 'status'])).toMatchObject({status: 0});
	};
	const endProcesses = async ({host}: Debian) => {
		for (const {pid, title} of await processesOf(host)) {
			if (title.includes('fw-wizard-export/script wait')) {
				process.kill(pid, 'SIGKILL');
			}
		}
	};

	test('the timer restores the rules when all other watchdogs are killed', async () => {
		await each(async (debian) => {
			const before = await load(debian, 10);
			await endProcesses(debian);
			await restores(debian, before);
		});
	});

	test('a process restores them when the timer is stopped, or cannot be made', async () => {
		await each(async (debian) => {
			const {host} = debian;
			const before = await load(debian, 6);
			await host.must('sh', ['-c', 'systemctl stop "fw-wizard-export-*.timer"']);
			expect(await host.must('systemctl', TIMERS)).toBe('');
			await restores(debian, before);
			await host.must('mount', ['--bind', '/bin/false', '/usr/bin/systemd-run']);
			try {
				await restores(debian, await load(debian, 3));
			} finally {
				await host.must('umount', ['/usr/bin/systemd-run']);
			}
		});
	});

	test('kept, it leaves no timer and no process, and the next boot loads it', async () => {
		await each(async (debian) => {
			const {host} = debian;
			await load(debian, 60);
			expect(await host.run('sh', [SCRIPT, 'keep'])).toMatchObject({
				status: 0,
				stderr: 'fw-wizard: kept\n',
			});
			expect(await host.must('systemctl', TIMERS)).toBe('');
			const kept = await rulesOf(host);
			await debian.reboot();
			expect(await rulesOf(debian.host)).toEqual(kept);
			expect(await debian.host.run('sh', [SCRIPT, 'status'])).toMatchObject({status: 0});
		});
	}, 300_000);

	test('a boot ends a change that waits', async () => {
		await each(async (debian) => {
			const before = await load(debian, 600);
			await debian.reboot();
			await restores(debian, before);
			expect(await debian.host.run('sh', [SCRIPT, 'undo'])).toMatchObject({status: 1});
		});
	}, 300_000);
});

async function rulesOf(host: Debian['host']): Promise<Saves> {
	return withoutEmptyTables(await readSaves(host));
}
