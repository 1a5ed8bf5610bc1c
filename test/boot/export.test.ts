import process from 'node:process';
import {beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {processesOf} from '../_helpers/lab/processes.ts';
import {readSaves, type Saves, withoutEmptyTables} from '../_helpers/samples/saves.ts';

const SCRIPT = '/root/firewall.sh';
const WATCH = 'fw-wizard-watch.timer';
const PLACES = ['/etc', '/var/lib', '/run/motd.d', '-path', '*fw-wizard*'];
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

	test('the watch runs while the rules are kept, and goes with them', async () => {
		await each(async ({host}) => {
			const timer = async () => (await host.run('systemctl', ['is-active', WATCH])).stdout;
			expect(await timer()).toBe('active\n');
			await host.must('sh', ['-c', 'ip6tables -F FW-WIZARD-INPUT; systemctl start fw-wizard-look']);
			expect(await host.must('cat', ['/run/motd.d/fw-wizard'])).toContain(
				'IPv6: FW-WIZARD-INPUT is gone or empty\nSee: sh /root/older.sh status\n',
			);
			expect(await host.run('sh', ['/root/older.sh', 'remove'])).toMatchObject({status: 0});
			expect(await timer()).toBe('inactive\n');
			expect(await host.must('find', PLACES)).toBe('');
			const units = await host.run('systemctl', ['list-unit-files', '--no-legend', 'fw-wizard*']);
			expect(units.stdout).toBe('');
		});
	});

	test('firewalld is switched off with the rules, and on again with the old ones', async () => {
		await each(async (debian) => {
			const run = async (seconds: number) =>
				debian.host.must('env', [
					...['SWITCH_OFF=yes', `SECONDS_TO_CONFIRM=${seconds}`, 'sh', SCRIPT],
				]);
			const unit = async () =>
				(await debian.host.run('systemctl', ['is-enabled', 'firewalld'])).stdout +
				(await debian.host.run('systemctl', ['is-active', 'firewalld'])).stdout;
			const firewalls = async () =>
				JSON.parse((await debian.host.run('sh', [SCRIPT, 'status', '--json'])).stdout).firewalls;
			await debian.host.must('systemctl', ['enable', '--now', 'firewalld']);
			expect(await firewalls()).toEqual(['firewalld']);
			// Nobody has asked for that.
			await debian.host.must('env', ['SECONDS_TO_CONFIRM=600', 'sh', SCRIPT]);
			expect(await unit()).toBe('enabled\nactive\n');
			await debian.host.must('sh', [SCRIPT, 'undo']);
			await run(8);
			expect(await unit()).toBe('enabled\ninactive\n');
			await expect.poll(unit, {timeout: 60_000, interval: 500}).toBe('enabled\nactive\n');
			await run(600);
			await debian.reboot();
			expect(await unit()).toBe('enabled\nactive\n');
			await run(60);
			await debian.host.must('sh', [SCRIPT, 'keep']);
			expect(await unit()).toBe('disabled\ninactive\n');
			expect(await firewalls()).toEqual([]);
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
