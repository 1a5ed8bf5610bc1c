import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {BOOT} from '../_helpers/lab/boot-script.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type MachineState, readState, strayNames} from '../_helpers/lab/machine-state.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {type Disk, useDisk} from '../_helpers/lab/slow-disk.ts';
import {torment} from '../_helpers/lab/victim.ts';
import {TWO_POLICIES} from './two-policies.ts';

/** Power cuts, those of both backends together. */
const CUTS = rounds(6, 200);
/** Machines whose power is cut at the same time. */
const MACHINES = CUTS > 50 ? 2 : 1;

const POLICIES = [
	...TWO_POLICIES,
	'--role workstation --no-open --no-helper --verdict reset --published leave'.split(' '),
] as const;

const VICTIMS = ['apply', 'confirm', 'undo'] as const;
type Victim = (typeof VICTIMS)[number];

/** System calls that each take longer than usual, by so many milliseconds. */
const SLOW = ['fsync', 'rename', 'unlink', 'pwrite64'];
const DELAYS = [0, 5, 20, 80];

describe.each(mainly('legacy'))('the power is cut at any moment, %s', (backend) => {
	const lab = useLab();

	test(`and rules, files and journal say the same, ${CUTS / 2} times`, async () => {
		await torment(lab, backend, MACHINES, async (host, random) => {
			const disk = await useDisk(host);
			try {
				return await cutPower(host, disk, CUTS / 2 / MACHINES, random);
			} finally {
				await disk.remove();
			}
		});
	}, 1_800_000);
});

/** Cuts the power so many times. @returns what came of each, in a word */
async function cutPower(
	host: Host,
	disk: Disk,
	times: number,
	random: () => number,
): Promise<readonly string[]> {
	const states: MachineState[] = [];
	for (const policy of POLICIES) {
		await wizardDoes(host, 'apply', ...policy);
		states.push(await readState(host));
	}

	const outcome = ({rules}: MachineState) => states.findIndex((state) => state.rules === rules);
	/** The policies of the changes that are confirmed, oldest first. */
	const kept = [0, 1, 2];
	/** Milliseconds that each takes when nobody cuts the power. */
	const durations: Record<Victim, number> = {apply: 1500, confirm: 1000, undo: 1000};
	const results: string[] = [];
	while (results.length < times) {
		const now = kept.at(-1) ?? 0;
		const next = (now + 1 + Math.floor(random() * 2)) % POLICIES.length;
		const victim = VICTIMS[Math.floor(random() * VICTIMS.length)] ?? 'apply';
		const apply = ['apply', ...(POLICIES[next] ?? []), '--confirm-within', '600'];
		if (victim === 'confirm') {
			await host.start(process.execPath, [CLI, ...apply], /To keep these/);
		} else if (victim === 'undo') {
			await wizardDoes(host, ...apply, '--yes');
			kept.push(next);
		}

		const args = {apply: [...apply, '--yes'], confirm: ['confirm', 'keep'], undo: ['undo']};
		const slowness = DELAYS[Math.floor(random() * DELAYS.length)] ?? 0;
		const inject = SLOW.map((call) => `${call}:delay_enter=${slowness * 1000}`);
		const traps = [...SLOW.map((call) => `trace=${call}`), ...inject.map((one) => `inject=${one}`)];
		const begin = performance.now();
		const running = host.run('strace', [
			...['-qq', '-o', '/dev/null', '-e', `trace=${SLOW.join(',')}`],
			...traps.filter((trap) => trap.startsWith('inject')).flatMap((trap) => ['-e', trap]),
			...[process.execPath, CLI, ...args[victim]],
		]);
		const moment = random() * (durations[victim] + slowness * 15);
		const ended = await Promise.race([running, delay(moment, undefined)]);
		await disk.cutPower();
		const {status, stdout} = await running;
		if (ended) {
			durations[victim] = 0.7 * durations[victim] + 0.3 * (performance.now() - begin);
		}

		const story = `${victim}, calls ${slowness} ms slower, cut after ${moment.toFixed(0)} ms (${ended ? `ended with ${status}: ${stdout}` : 'running'}), kept ${kept.join(' ')}, next ${next}`;
		// The boot in between: one generation in both families.
		await host.run('sh', ['-c', BOOT]);
		const booted = await readState(host);
		const possible = victim === 'undo' ? [kept.at(-1), kept.at(-2)] : [now, next];
		expect(possible, `${story}: booted\n${booted.rules}`).toContain(outcome(booted));

		// The next command clears up.
		await wizard(host, 'check', '--json');
		const state = await readState(host);
		const came = outcome(state);
		expect(possible, `${story}: cleared up\n${state.rules}`).toContain(came);
		const settled = settledIn(state);
		const {id, named} = settled.at(-1) ?? {id: 0, named: ''};
		const lines = state.journal.map((line) => JSON.parse(line));
		const last = lines.findLast(({change}) => change === id);
		const tale = `${story}\n${named}\n${state.journal.slice(-3).join('\n')}`;
		expect(state.files, tale).toBe(states[came]?.files);
		expect(strayNames(state), `${tale}\n${state.names.join('\n')}`).toEqual([]);
		expect(last?.outcome, tale).toMatch(new RegExp(`^${named}`));
		if (ended && status === 0) {
			// It was said to be done.
			expect(came, tale).toBe(possible[1]);
		}

		if (victim === 'undo') {
			expect(named, tale).toBe(came === kept.at(-1) ? 'kept' : 'rolled back');
			if (came !== kept.at(-1)) {
				kept.pop();
			}
		} else if (came === next) {
			expect(named, tale).toBe('kept');
			kept.push(next);
		}

		results.push(`${victim} ${came === possible[0] ? 'old' : 'new'}${ended ? ', had ended' : ''}`);
	}

	return results;
}

/** The changes that are settled, oldest first, in the words of the journal. */
function settledIn({names}: MachineState): ReadonlyArray<{id: number; named: string}> {
	return names
		.flatMap((name) => {
			const [, id, state] = /changes\/(\d+)\/(done|rolled-back)$/.exec(name) ?? [];
			return id === undefined
				? []
				: [{id: Number(id), named: state === 'done' ? 'kept' : 'rolled back'}];
		})
		.sort((a, b) => a.id - b.id);
}
