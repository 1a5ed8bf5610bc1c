import {setTimeout as delay} from 'node:timers/promises';
import {beforeAll, beforeEach, describe, expect, test, vi} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {type Exported, openExported, type Seen, STATE, STEPS} from './exported.ts';

describe.each(BACKENDS.slice(-rounds(1, 2)))(
	'the exported script against another run or its watchdog, %s',
	(backend) => {
		const lab = useLab();
		let machine: Exported;
		let old: Seen;
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
				timeout: 100_000,
				interval: 500,
			});

		test('of two loads at once, one is refused', async () => {
			for (let round = 0; round < rounds(1, 20); round++) {
				const results = await Promise.all([machine.run('load'), machine.run('load')]);
				expect(results.map(({status}) => status).sort()).toEqual([0, 3]);
				expect(await machine.see()).toMatchObject({
					ipv4: machine.wanted.ipv4,
					ipv6: machine.wanted.ipv6,
					waits: true,
				});
				expect(await machine.run('undo')).toMatchObject({status: 0});
			}

			await restored();
		}, 600_000);

		test.each([
			['keep', 'undo'],
			['keep', 'keep'],
			['undo', 'undo'],
		])(
			'of %s and %s at once, one decides',
			async (...words) => {
				for (let round = 0; round < rounds(1, 20); round++) {
					await machine.reset('closed');
					await machine.run('load');
					const results = await Promise.all(words.map(async (word) => machine.run(word)));
					expect(results.map(({status}) => status).sort()).toEqual([0, 1]);
					const kept = results.some(({stderr}) => stderr.includes('wizard: kept'));
					const {ipv4, ipv6, files, waits} = await machine.see();
					const wanted = kept ? machine.wanted : old;
					expect({ipv4, ipv6, files, waits}).toEqual({
						ipv4: wanted.ipv4,
						ipv6: wanted.ipv6,
						files: wanted.files,
						waits: false,
					});
				}
			},
			600_000,
		);

		test('keep against the watchdog: whoever is told "kept" has it', async () => {
			for (let round = 0; round < rounds(1, 40); round++) {
				await machine.reset('closed');
				await machine.run('load', undefined, '2');
				await delay(1000 + (round % 20) * 60);
				const {status, stderr} = await machine.run('keep');
				const kept = status === 0;
				expect(kept).toBe(stderr.includes('wizard: kept'));
				const wanted = kept ? machine.wanted : old;
				await vi.waitFor(
					async () => expect(await machine.see()).toEqual({...wanted, waits: false, watchdogs: 0}),
					{
						timeout: 30_000,
						interval: 300,
					},
				);
			}
		}, 600_000);

		test('the rules are restored where the folder of the change is removed', async () => {
			await machine.run('load');
			await must(`rm -rf ${STATE} ${STATE}.*`);
			await restored();
		});

		test('without a watchdog, the next run finds that the time is over', async () => {
			await machine.run('load');
			await machine.endWatchdogs();
			await endTime();
			expect(await machine.see()).toMatchObject({ipv4: machine.wanted.ipv4, waits: true});
			expect(await machine.run('status')).toMatchObject({
				status: 1,
				stderr: expect.stringContaining('not kept in time: the old rules are restored'),
			});
			expect(await machine.see()).toEqual(old);
		});

		test('stopped in the middle, it is ended when its time is over, and the rules are restored', async () => {
			// Where it reads back what is loaded. What its watchdogs start meanwhile is counted, too.
			const at = (await machine.count('load')) - 12;
			await machine.run('undo');
			await must(`/usr/bin/rm -f ${STEPS}/log`);
			const run = machine.run('load', {at, fault: 'stop'});
			await vi.waitFor(async () => must(`[ "$(wc -l <${STEPS}/log)" -ge ${at} ]`), {
				timeout: 60_000,
				interval: 200,
			});
			await endTime();
			await restored();
			expect((await run).status).not.toBe(0);
		}, 180_000);
	},
);

describe('the exported script while another program holds the lock of legacy iptables', () => {
	const lab = useLab();

	test('loads nothing and opens nothing, and says what it could not read', async () => {
		const machine = await openExported(lab, 'legacy');
		await machine.reset('closed');
		const old = await machine.see();
		const holder = async () =>
			machine.host.start(
				'/usr/bin/flock',
				['-o', machine.host.variables.XTABLES_LOCKFILE ?? '', '-c', 'echo held; exec sleep 300'],
				/held/,
			);
		let lock = await holder();
		const {status, stderr} = await machine.run('load');
		expect({status, stderr}).toEqual({
			status: 3,
			stderr: expect.stringContaining('cannot be read'),
		});
		expect(await machine.run('status')).toMatchObject({
			status: 3,
			stderr: expect.stringContaining('cannot be read'),
		});
		lock.kill();
		expect(await machine.see()).toEqual(old);

		await machine.run('load');
		lock = await holder();
		expect(await machine.run('undo')).toMatchObject({
			status: 5,
			stderr: expect.stringContaining('failed'),
		});
		if (rounds(0, 1) === 1) {
			expect(await machine.run('remove')).toMatchObject({
				status: 5,
				stderr: expect.stringContaining('not removed'),
			});
		}

		lock.kill();
		expect(await machine.run('undo')).toMatchObject({status: 0});
		await vi.waitFor(async () => expect(await machine.see()).toEqual(old), 10_000);
	}, 400_000);
});
