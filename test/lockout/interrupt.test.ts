import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type MachineState, readState, strayNames} from '../_helpers/lab/machine-state.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import type {Server} from '../_helpers/lab/programs.ts';
import {killAfter, killBefore, torment} from '../_helpers/lab/victim.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';

/** How often it is killed, all machines together. FWW_INTERRUPTIONS=1000 takes half an hour. */
const INTERRUPTIONS = Number(process.env.FWW_INTERRUPTIONS ?? 12);
const MACHINES = 3;

const POLICIES = [
	'--role workstation --no-open --no-helper --verdict reject --published leave'.split(' '),
	'--role server --open 22/tcp --helper ftp --verdict reset --published policy'.split(' '),
	[
		...'--role server --open 53 --verdict drop --no-helper --published leave'.split(' '),
		...['--open', '80/tcp limit'],
	],
] as const;

const VICTIMS = ['apply', 'wait', 'confirm', 'undo'] as const;
type Victim = (typeof VICTIMS)[number];

describe.each(mainly('nft'))('kill -9 at any moment, %s', (backend) => {
	const lab = useLab();

	test(
		`leaves the old rules or the new ones, ${INTERRUPTIONS / 2} times`,
		async () => {
			const share = Math.ceil(INTERRUPTIONS / 2 / MACHINES);
			const outcomes = await torment(lab, backend, MACHINES, async (host, random) =>
				kill(host, share, random),
			);
			expect(outcomes).toHaveLength(share * MACHINES);
		},
		Math.max(240_000, INTERRUPTIONS * 5000),
	);
});

/** Kills it so many times. @returns what came of each, in a word */
async function kill(host: Host, times: number, random: () => number): Promise<string[]> {
	for (const [program, text] of Object.entries(NEIGHBOURS)) {
		await host.must(`${program}-restore`, [], {input: text});
	}

	const states: MachineState[] = [];
	/** Milliseconds that each takes when it is left alone. */
	const durations: Record<Victim, number> = {apply: 600, wait: 2000, confirm: 300, undo: 400};
	for (const policy of POLICIES) {
		await wizardDoes(host, 'apply', ...policy);
		states.push(await readState(host));
	}

	let now = POLICIES.length - 1;
	const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
	const other = (than: number) => (than + 1 + Math.floor(random() * 2)) % POLICIES.length;
	const apply = (policy: number) => [
		...['apply', ...(POLICIES[policy] ?? [])],
		...['--confirm-within', '10'],
	];
	/** Kills it at a moment, or before a step of its work. */
	const strike = async (victim: Victim, next: number, applying?: Server) => {
		const milliseconds = random() * durations[victim];
		if (victim === 'wait') {
			await delay(milliseconds);
			return {killed: applying?.kill() ?? false, moment: `after ${milliseconds.toFixed(0)} ms`};
		}

		const args = {apply: [...apply(next), '--yes'], confirm: ['confirm', 'keep'], undo: ['undo']}[
			victim
		];
		if (random() < 0.5) {
			return killBefore(host, args, random);
		}

		const result = await killAfter(host, args, milliseconds);
		if (!result.killed) {
			durations[victim] = 0.7 * durations[victim] + 0.3 * result.milliseconds;
		}

		return result;
	};

	const results: string[] = [];
	while (results.length < times) {
		const [old, next, victim] = [now, other(now), pick(VICTIMS)];
		const waiting = victim === 'wait' || victim === 'confirm';
		const applying = waiting
			? await host.start(process.execPath, [CLI, ...apply(next)], /The old rules are restored/)
			: undefined;
		if (victim === 'undo') {
			await wizardDoes(host, ...apply(next), '--yes');
		}

		// Whoever waits for the confirmation may be gone before it comes.
		if (victim === 'confirm' && random() < 0.5) {
			applying?.kill();
		}

		const {killed, moment} = await strike(victim, next, applying);
		applying?.kill();
		const story = `${victim} killed ${moment}, from policy ${old} to ${next}`;
		const outcome = (state: MachineState) =>
			[old, next].find((policy) => states[policy]?.rules === state.rules);
		if (random() < 0.3) {
			// Nobody does anything: the watchdog's time passes.
			expect(await whatStays(host, undefined, 20_000), story).toEqual([]);
			expect(outcome(await readState(host)), story).toBeDefined();
		}

		if (random() < 0.5) {
			// What can still be confirmed waits; all else is cleared up.
			await wizard(host, 'check', '--json');
			const state = await readState(host);
			const loaded = outcome(state);
			const waits = /\/pending$/m.test(state.names.join('\n'));
			expect(loaded, `${story}\n${state.rules}`).toBeDefined();
			expect(state.files, story).toBe(states[waits ? old : (loaded ?? 0)]?.files);
			expect(waits ? [loaded, ...notWaiting(state)] : strayNames(state), story).toEqual(
				waits ? [next] : [],
			);
		}

		// The next command clears up, and works.
		const last = other(next);
		const cleared = await wizard(host, ...apply(last), '--yes');
		expect(cleared, story).toMatchObject({status: 0});
		const state = await readState(host);
		expect(state.rules, story).toBe(states[last]?.rules);
		expect(state.files, story).toBe(states[last]?.files);
		await wizardDoes(host, 'undo');
		const settled = await readState(host);
		const came = outcome(settled);
		expect(came, `${story}\n${settled.rules}`).toBeDefined();
		expect(settled.files, story).toBe(states[came ?? 0]?.files);
		expect(strayNames(settled), story).toEqual([]);
		expect(() => settled.journal.map((line) => JSON.parse(line)), story).not.toThrow();
		expect(await whatStays(host), story).toEqual([]);
		now = came ?? old;
		if (killed) {
			results.push(`${victim} ${now === old ? 'old' : 'new'}`);
		}
	}

	return results;
}

/** What stands there beside a change that waits, and should not. */
function notWaiting(state: MachineState): readonly string[] {
	return strayNames(state).filter((name) => !name.endsWith('/pending'));
}
