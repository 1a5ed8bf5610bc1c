import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {readState, strayNames} from '../_helpers/lab/machine-state.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {killAfter, killBefore, torment} from '../_helpers/lab/victim.ts';
import {HAND_MADE, loadRules, readAll} from '../_helpers/samples/existing-rules.ts';

/** How often it is killed, all machines together: for each it takes two seconds, with FWW_INTERRUPTIONS=200 eight minutes. */
const INTERRUPTIONS = Number(process.env.FWW_INTERRUPTIONS ?? 4);
const MACHINES = 4;

const FIRST = ['apply', '--role', 'workstation', '--verdict', 'drop'];
const NEXT = ['apply', '--role', 'server', '--open', '22/tcp', '--verdict', 'reject'];
const TAKES = ['flush-input', 'flush-filter'] as const;
const VICTIMS = ['apply', 'wait', 'confirm', 'undo'] as const;

type Rules = Awaited<ReturnType<typeof readAll>>;

describe.each(mainly('legacy'))('kill -9 while rules of others are taken away, %s', (backend) => {
	const lab = useLab();

	test(
		`leaves them all or none, and undo brings all back, ${INTERRUPTIONS / 2} times`,
		async () => {
			const share = Math.ceil(INTERRUPTIONS / 2 / MACHINES);
			const outcomes = await torment(lab, backend, MACHINES, async (host, random) => {
				// In both backends: what goes from the other goes in a transaction of its own.
				await loadRules(host, HAND_MADE, 'nft');
				await loadRules(host, HAND_MADE, 'legacy');
				return kill(host, share, random);
			});
			expect(outcomes).toHaveLength(share * MACHINES);
		},
		Math.max(240_000, INTERRUPTIONS * 8000),
	);
});

/** Kills it so many times. @returns what came of each, in a word */
async function kill(host: Host, times: number, random: () => number): Promise<string[]> {
	const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
	const before = await readAll(host);
	await wizardDoes(host, ...FIRST);
	const old = await readAll(host);
	const after = new Map<string, Rules>();
	for (const take of TAKES) {
		await wizardDoes(host, ...NEXT, '--existing', take);
		after.set(take, await readAll(host));
		await wizardDoes(host, 'undo');
		expect(await readAll(host)).toEqual(old);
	}

	/** Milliseconds that each takes when it is left alone. */
	const durations = {apply: 1500, wait: 2000, confirm: 500, undo: 800};
	const results: string[] = [];
	while (results.length < times) {
		const [take, victim] = [pick(TAKES), pick(VICTIMS)];
		const gone = after.get(take) ?? {};
		const words = [...NEXT, '--existing', take];
		const pending = [...words, '--confirm-within', '10'];
		const waiting = victim === 'wait' || victim === 'confirm';
		const applying = waiting
			? await host.start(process.execPath, [CLI, ...pending], /The old rules are restored/)
			: undefined;
		if (victim === 'undo') {
			await wizardDoes(host, ...words);
		}

		const milliseconds = random() * durations[victim];
		const args = {
			apply: [...pending, '--yes'],
			wait: [],
			confirm: ['confirm', 'keep'],
			undo: ['undo'],
		}[victim];
		let struck: {killed: boolean; moment: string};
		if (victim === 'wait') {
			await delay(milliseconds);
			struck = {killed: applying?.kill() ?? false, moment: `after ${milliseconds.toFixed(0)} ms`};
		} else {
			struck = await (random() < 0.5
				? killBefore(host, args, random)
				: killAfter(host, args, milliseconds));
		}

		// What it has left behind: each place is as it was or as it was to be, and nothing between.
		const story = `${victim} ${take} killed ${struck.moment}`;
		const left = await readAll(host);
		for (const [place, rules] of Object.entries(left)) {
			expect([old[place], gone[place]], `${story}: ${place}`).toContain(rules);
		}

		applying?.kill();
		if (random() < 0.25) {
			// Nobody does anything: the watchdog's time passes.
			expect(await whatStays(host, undefined, 20_000), story).toEqual([]);
			expect([old, gone], story).toContainEqual(await readAll(host));
		}

		await wizard(host, 'check', '--json');
		const cleared = await readAll(host);
		expect([old, gone], story).toContainEqual(cleared);
		const isNew = JSON.stringify(cleared) !== JSON.stringify(old);
		if (isNew) {
			await wizardDoes(host, 'undo');
		}

		expect(await readAll(host), story).toEqual(old);
		const state = await readState(host);
		expect(strayNames(state), story).toEqual([]);
		expect(() => state.journal.map((line) => JSON.parse(line)), story).not.toThrow();
		expect(await whatStays(host), story).toEqual([]);
		if (struck.killed) {
			results.push(`${victim} ${isNew ? 'new' : 'old'}`);
		}
	}

	await wizardDoes(host, 'undo', '--all');
	expect(await readAll(host)).toEqual(before);
	return results;
}
