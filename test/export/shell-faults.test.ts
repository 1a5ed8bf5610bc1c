import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {beforeAll, beforeEach, describe, expect, test, vi} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {type Exported, openExported, SCRIPT, type Seen, STATE} from './exported.ts';

// Little of it depends on the backend: the usual run takes one, and the races the other.
describe.each(BACKENDS.slice(0, rounds(1, 2)))(
	'the exported script where something fails, %s',
	(backend) => {
		const lab = useLab();
		let machine: Exported;
		let old: Seen;
		const sh = async (text: string) => machine.host.run('dash', ['-c', text]);
		const must = async (text: string) => machine.host.must('dash', ['-c', text]);

		beforeAll(async () => {
			machine = await openExported(lab, backend);
		});

		beforeEach(async () => {
			await machine.reset('closed');
			old = await machine.see();
		});

		/** The time to keep it is over. */
		const endTime = async () => must(`echo 1 >${STATE}/deadline`);
		const restored = async () =>
			vi.waitFor(async () => expect(await machine.see()).toEqual(old), {
				timeout: 50_000,
				interval: 500,
			});

		test('a time that is no number of seconds is refused, and nothing changes', async () => {
			for (const seconds of ['', '0', '-1', '010', '60s', '1e3', ' 60', '99999', '$(id)', '6\n0']) {
				const {status, stderr} = await machine.host.run('env', [
					`SECONDS_TO_CONFIRM=${seconds}`,
					'sh',
					SCRIPT,
				]);
				expect({seconds, status, stderr}).toEqual({
					seconds,
					status: 2,
					stderr: expect.stringContaining('Nothing is changed'),
				});
			}

			expect(await machine.see()).toEqual(old);
		});

		test('nothing happens when it comes through a pipe, also beside a file that is named sh', async () => {
			const {status, stderr} = await sh(`cd /mnt && echo >dash && dash <${SCRIPT}`);
			expect({status, stderr}).toEqual({
				status: 3,
				stderr: expect.stringContaining('Nothing is changed'),
			});
			expect(await machine.see()).toEqual(old);
		});

		test('cut off or altered anywhere, it changes nothing', async () => {
			const text = readFileSync(inView(machine.host, SCRIPT), 'utf8');
			const file = inView(machine.host, '/mnt/cut.sh');
			const count = rounds(6, 200);
			for (let round = 0; round < count; round++) {
				// The last places are the last line.
				const at = round < 40 ? text.length - 1 - round : Math.floor((text.length * round) / count);
				for (const altered of [text.slice(0, at), `${text.slice(0, at)}#${text.slice(at + 1)}`]) {
					if (altered.trimEnd() !== text.trimEnd()) {
						writeFileSync(file, altered);
						const {status} = await sh('dash /mnt/cut.sh');
						expect({at, status, seen: await machine.see()}).toEqual({
							at,
							status: expect.anything(),
							seen: old,
						});
						rmSync(file);
					}
				}
			}
		}, 600_000);

		test('what /run cannot take is not loaded', async () => {
			await sh('dd if=/dev/zero of=/run/fill bs=1k 2>/dev/null');
			try {
				const {status, stderr} = await machine.run('load');
				expect({status, stderr}).toEqual({
					status: 3,
					stderr: expect.stringContaining('Nothing is changed'),
				});
			} finally {
				await must('rm /run/fill');
			}

			expect(await machine.see()).toEqual(old);
		});

		test.each([
			['read-only', 'mount -o remount,ro /etc', 'mount -o remount,rw /etc'],
			[
				'full',
				'cp -a /etc/fw-wizard /mnt/fw-wizard; mount -t tmpfs -o size=4k fww-test /etc/fw-wizard; cp /mnt/fw-wizard/policy.json /etc/fw-wizard',
				'umount /etc/fw-wizard',
			],
		])(
			'keep on a %s /etc says that it is not kept, and the rules are restored in time',
			async (_, make, end) => {
				await machine.run('load');
				await must(make);
				const before = (await machine.see()).files;
				try {
					const {status, stderr} = await machine.run('keep');
					expect({status, stderr}).toEqual({
						status: 5,
						stderr: expect.stringMatching(/not confirmed: .* restored in \d+ s$/m),
					});
					expect((await machine.see()).files).toBe(before);
					expect(await machine.run('status')).toMatchObject({status: 1});
				} finally {
					await must(end);
				}

				await endTime();
				await restored();
			},
		);

		test('keep says so when other rules are loaded meanwhile', async () => {
			await machine.run('load');
			await must('ip6tables -I FW-WIZARD-INPUT -j ACCEPT');
			expect(await machine.run('keep')).toMatchObject({
				status: 5,
				stderr: expect.stringContaining('ip6tables'),
			});
			expect(await machine.run('undo')).toMatchObject({status: 0});
			await restored();
		});

		test('a text with a line break in a rule of another program does not become a rule', async () => {
			const comment =
				'x\n-A FW-WIZARD-INPUT -p tcp --dport 3306 -j ACCEPT\n-A INPUT -j FW-WIZARD-INPUT\n-A INPUT -m comment --comment ';
			await machine.host.must('iptables', [
				'-A',
				'INPUT',
				'-m',
				'comment',
				'--comment',
				comment,
				'-j',
				'RETURN',
			]);
			expect(await machine.run('load')).toMatchObject({status: 0});
			expect(await machine.run('undo')).toMatchObject({status: 0});
			const rules = await must('iptables -S FW-WIZARD-INPUT');
			expect(old.ipv4).toContain(rules.trim().split('\n').slice(1).join('\n'));
			await must(
				'iptables -C INPUT -j FW-WIZARD-INPUT; ! iptables -C FW-WIZARD-INPUT -p tcp --dport 3306 -j ACCEPT 2>/dev/null',
			);
			// In a chain of ours it could not be restored.
			await machine.host.must('iptables', [
				'-A',
				'FW-WIZARD-INPUT',
				'-m',
				'comment',
				'--comment',
				comment,
			]);
			expect(await machine.run('load')).toMatchObject({
				status: 3,
				stderr: expect.stringContaining('line break'),
			});
		});

		test('without systemd, keep says what has to be run at boot', async () => {
			await must('rm /usr/local/sbin/systemctl; mount --bind /dev/null /usr/bin/systemctl');
			try {
				await machine.run('load');
				const {status, stderr} = await machine.run('keep');
				expect({status, stderr}).toEqual({
					status: 0,
					stderr: expect.stringMatching(
						/kept until the next boot\..* \/bin\/sh \/etc\/fw-wizard\/restore/,
					),
				});
				expect(await machine.run('status')).toMatchObject({status: 0});
				expect(await machine.host.run('sh', ['/etc/fw-wizard/restore'])).toMatchObject({status: 0});
				expect(await machine.run('status')).toMatchObject({status: 0});
			} finally {
				await must('umount /usr/bin/systemctl; ln -s .step /usr/local/sbin/systemctl');
			}
		});

		test('where no watchdog can be started, nothing is loaded', async () => {
			await must('ln -sfn /bin/false /usr/local/sbin/setsid');
			try {
				const {status, stderr} = await machine.run('load');
				expect({status, stderr}).toEqual({
					status: 3,
					stderr: expect.stringContaining('no watchdog'),
				});
			} finally {
				await must('ln -sfn .step /usr/local/sbin/setsid');
			}

			expect(await machine.see()).toEqual(old);
		});

		test('a program that lies is found out', async () => {
			for (const name of ['iptables-restore', 'ip6tables-restore']) {
				await must(`ln -sfn /bin/true /usr/local/sbin/${name}`);
				try {
					const {status} = await machine.run('load');
					expect({name, status}).toEqual({name, status: expect.any(Number)});
					expect([4, 5]).toContain(status);
				} finally {
					await must(`ln -sfn .step /usr/local/sbin/${name}`);
				}

				await machine.run('undo');
				await restored();
			}
		});

		test('in another boot nothing waits any more', async () => {
			await machine.run('load');
			await machine.endWatchdogs();
			await must(`echo other >${STATE}/boot`);
			expect(await machine.run('undo')).toMatchObject({
				status: 1,
				stderr: expect.stringContaining('nothing waits'),
			});
			expect(await machine.see()).toMatchObject({ipv4: machine.wanted.ipv4, waits: false});
		});
	},
);
