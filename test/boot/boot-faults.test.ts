import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {describe, expect, test} from 'vitest';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {takeTurns} from '../_helpers/lab/turns.ts';
import {scan} from '../_helpers/traffic/scan.ts';
import {BOOT_FAULTS, type BootFault} from './boot-faults.ts';
import {type Probed, rebootUnderProbe, SHUT} from './probe.ts';

const POLICY = ['--role', 'server', '--verdict', 'drop', '--no-helper', '--open', '22/tcp'];
const PACKAGES = ['cron', 'ifupdown', 'networkd-dispatcher', 'udev'];
/** Milliseconds that a machine may be open after a stranger has taken the rules away. */
const MOST = 3000;
/** Milliseconds after the boot in which the faults come, and are mended. */
const SETTLED = 12_000;
/** In the usual run, one of so many. */
const STEP = Number(process.env.FWW_STEP ?? rounds(25, 1));

type Seen = {
	readonly known: boolean;
	readonly check: number | undefined;
	readonly probed: Probed;
	readonly open: readonly number[];
	/** What check says after the boot. */
	readonly said: string;
};

describe.each(suitesHere())('a machine whose next boot has a fault, %s', (suite) => {
	const debians = useDebians(useLab());
	const turns = takeTurns(2);

	const cases = BOOT_FAULTS.filter((_, index) => index % STEP === STEP >> 1);

	test.concurrent.each(cases)(
		'is told before, and protected after it: $name',
		async (fault) =>
			turns(async () => {
				const one = await live(await debians.boot(suite, {}, {packages: PACKAGES}), fault);
				const {probed, open, known, check} = one;
				process.stdout.write(
					`${suite}: ${fault.name}: open for ${probed.open} ms, check ended ${check}\n`,
				);
				if (fault.known !== null) {
					expect({known, well: check === 0}).toEqual({known: true, well: false});
				}

				expect(one.said).toMatch(fault.tells ?? /^/);
				if (!fault.hopeless && fault.tells === undefined) {
					expect(open).toEqual([22]);
					expect(probed.open).toBeLessThanOrEqual(fault.opens ? MOST : 0);
				}
			}),
		240_000,
	);
});

async function live(debian: Debian, fault: BootFault): Promise<Seen> {
	const {host, client, addresses} = debian;
	await debian.install();
	await host.must('node', [PROGRAM, 'apply', ...POLICY, '--yes']);
	for (const [name, text] of Object.entries(fault.files ?? {})) {
		const file = debian.file(name);
		mkdirSync(path.dirname(file), {recursive: true});
		writeFileSync(file, text);
		chmodSync(file, text.startsWith('#!') ? 0o755 : 0o644);
	}

	await host.must('sh', ['-c', fault.commands ?? ':']);
	await host.must('systemctl', ['daemon-reload']);
	const before = await host.run('node', [PROGRAM, 'check']);
	const probed = await rebootUnderProbe(debian, async () => delay(SETTLED));
	const {ports} = await scan(client, addresses[0] ?? '', ['-sS', '-p', `20-30,${SHUT}`], 'tcp');
	const open = [...(ports.open ?? []), ...(ports.closed ?? [])].sort((a, b) => a - b);
	const {stdout: said} = await host.run('node', [PROGRAM, 'check']);
	await debian.shutDown();
	const known = fault.known?.test(before.stdout + before.stderr) ?? false;
	return {check: before.status, probed, open, said, known};
}
