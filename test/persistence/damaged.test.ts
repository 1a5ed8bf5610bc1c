import {writeFileSync} from 'node:fs';
import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {
	BOOT,
	type Booted,
	bootWith,
	type Files,
	keptBy,
	place,
	RESTORE,
} from '../_helpers/lab/boot-script.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {inView} from '../_helpers/lab/view-files.ts';

const FLOOR = '/etc/fw-wizard/floor';

const POLICY = completePolicy({
	role: 'server',
	verdict: 'reject',
	helpers: ['ftp'],
	log: true,
	openings: parseOpenings('22/tcp limit, 21/tcp, 8000-8010/tcp from 10.0.0.0/8', OWN_SERVICES),
});

describe.each(mainly('legacy'))('a damaged restore script at boot, %s', (backend) => {
	const lab = useLab();
	let host: Host;
	let files: Files;
	let whole: Booted;
	let floor: Booted;

	beforeAll(async () => {
		host = await lab.host({backend});
		({files} = keptBy(POLICY, backend));
		place(host, files);
		whole = await bootWith(host, BOOT);
		floor = await bootWith(host, `sh ${FLOOR}`);
		expect([whole.status, floor.status]).toEqual([0, 0]);
		expect(floor.ipv4).toContain('-A FW-WIZARD-INPUT -j REJECT');
		expect(floor.ipv6).toContain('-A FW-WIZARD-INPUT -j REJECT');
	});

	/** The floor of both families, a status that makes the service fail, and the file by its name. */
	async function expectFloor(command = BOOT): Promise<void> {
		const {status, stderr, ipv4, ipv6} = await bootWith(host, command);
		expect({status, stderr, ipv4, ipv6}).toEqual({
			status: 1,
			stderr: `fw-wizard: ${RESTORE} is missing or damaged: it is not run\n`,
			ipv4: floor.ipv4,
			ipv6: floor.ipv6,
		});
	}

	const put = (file: string, text: string | Buffer) => writeFileSync(inView(host, file), text);

	// Every place takes its time on a busy machine.
	const LONG = {timeout: 600_000};

	test('is not run where it was cut off, at whatever line', LONG, async () => {
		const script = files[RESTORE] ?? '';
		const ends = [...script.matchAll(/\n/g)].map(({index}) => index + 1);
		const cuts = [0, script.length - 1, ...ends.slice(0, -1)];
		const step = Math.ceil(cuts.length / rounds(12, cuts.length));
		for (const cut of cuts.filter((_, index) => index % step === 0)) {
			put(RESTORE, script.slice(0, cut));
			await expectFloor();
		}
	});

	test('is not run where a byte of it is another one', LONG, async () => {
		const bytes = Buffer.from(files[RESTORE] ?? '');
		const change = fc.record({
			at: fc.nat(bytes.length - 1),
			by: fc.oneof(fc.constantFrom(1, 2, 4, 8, 16, 32, 64, 128), fc.integer({min: 1, max: 255})),
		});
		await fc.assert(
			fc.asyncProperty(change, async ({at, by}) => {
				const damaged = Buffer.from(bytes);
				damaged[at] = (damaged[at] ?? 0) ^ by;
				put(RESTORE, damaged);
				await expectFloor();
			}),
			{
				numRuns: rounds(12, 200),
				examples: [
					// In the first line, in its end, and in the last line.
					...[0, 2, bytes.indexOf('\n') - 1, bytes.indexOf('\n'), bytes.length - 2].map((at) => [
						{at, by: 1},
					]),
					// A zero byte, which a shell leaves out.
					[{at: 10, by: bytes[10] ?? 0}],
				] as Array<[{at: number; by: number}]>,
			},
		);
	});

	test.each([
		['empty', () => put(RESTORE, '')],
		['only zeros, as after a power cut', () => put(RESTORE, '\0'.repeat(5000))],
		['gone', () => host.must('rm', [RESTORE])],
		['a folder', () => host.must('sh', ['-c', `rm ${RESTORE}; mkdir ${RESTORE}`])],
		['a pipe', () => host.must('sh', ['-c', `rm ${RESTORE}; mkfifo ${RESTORE}`])],
		['another script', () => put(RESTORE, '#!/bin/sh\nexit 0\n')],
		['twice in one file', () => put(RESTORE, `${files[RESTORE]}${files[RESTORE]}`)],
		['with one line more', () => put(RESTORE, `${files[RESTORE]}iptables -F INPUT\n`)],
	])('is not run where it is %s', async (_, spoil) => {
		place(host, files);
		await spoil();
		await expectFloor();
		await host.must('rm', ['-rf', RESTORE]);
	});

	test(
		'does nothing but fail where it is run by itself, cut off at whatever line',
		LONG,
		async () => {
			const script = files[RESTORE] ?? '';
			const ends = [...script.matchAll(/\n/g)].map(({index}) => index + 1);
			const inFunctions = ends.slice(ends.length / 4, -1);
			const step = Math.ceil(inFunctions.length / rounds(5, inFunctions.length));
			for (const cut of inFunctions.filter((_, index) => index % step === 0)) {
				put(RESTORE, script.slice(0, cut));
				const {ipv4, ipv6} = await bootWith(host, `sh ${RESTORE}`);
				expect(`${ipv4}${ipv6}`).not.toContain('FW-WIZARD');
			}
		},
	);

	test('fails with 2 where the floor is damaged too, and loads nothing', async () => {
		for (const file of [RESTORE, FLOOR]) {
			put(file, (files[file] ?? '').slice(0, -3));
		}

		const {status, stderr} = await bootWith(host, BOOT);
		expect({status, stderr}).toEqual({
			status: 2,
			stderr: [
				`fw-wizard: ${RESTORE} is missing or damaged: it is not run`,
				`fw-wizard: ${FLOOR} is missing or damaged: it is not run`,
				'fw-wizard: not filtered: neither the rules nor the floor could be loaded',
				'',
			].join('\n'),
		});
	});

	test('is all the same where it is not damaged, also on a machine without cksum', async () => {
		place(host, files);
		const hidden = `unshare --mount --propagation private sh -c 'mount --bind /dev/null /usr/bin/cksum && ! command -v cksum && exec "$0" "$@"' ${BOOT}`;
		expect(await bootWith(host, hidden)).toEqual(whole);
	});

	test('does not matter where only the floor is damaged', async () => {
		place(host, {...files, [FLOOR]: ''});
		expect(await bootWith(host, BOOT)).toEqual(whole);
	});
});
