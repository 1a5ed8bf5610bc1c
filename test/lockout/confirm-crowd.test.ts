import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {describe, expect, test} from 'vitest';
import type {RunResult} from '../../source/host/exec/run.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {type MachineState, readState, strayNames} from '../_helpers/lab/machine-state.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {torment} from '../_helpers/lab/victim.ts';
import {TWO_POLICIES} from './two-policies.ts';

/** Rounds of both backends together. */
const ROUNDS = rounds(4, 100);
/** Machines that go through their rounds at the same time. */
const MACHINES = Math.min(2, ROUNDS / 2);

describe.each(mainly('nft'))('2 to 8 confirmations at once on a slow disk, %s', (backend) => {
	const lab = useLab();

	test(`tell everybody the truth, ${ROUNDS / 2} times`, async () => {
		await torment(lab, backend, MACHINES, async (host, random) => {
			const states: MachineState[] = [];
			for (const policy of TWO_POLICIES) {
				await wizardDoes(host, 'apply', ...policy);
				states.push(await readState(host));
			}

			const outcomes: string[] = [];
			for (let round = 0; round < ROUNDS / 2 / MACHINES; round += 1) {
				outcomes.push(...(await confirmAtOnce(host, states, random, `round ${round}`)));
			}

			return outcomes;
		});
	}, 1_200_000);
});

/** One round. @returns what each was told, in a word */
async function confirmAtOnce(
	host: Host,
	states: readonly MachineState[],
	random: () => number,
	story: string,
): Promise<readonly string[]> {
	const now = await readState(host);
	const old = states.findIndex(({rules}) => rules === now.rules);
	const next = 1 - old;
	const applying = await host.start(
		process.execPath,
		[CLI, 'apply', ...(TWO_POLICIES[next] ?? []), '--confirm-within', '600'],
		/old rules (?:come back|are restored)/,
	);
	/** With each fsync of it late, by 0.1 to 0.6 s. */
	const slowly = async (...args: readonly string[]): Promise<RunResult> => {
		const microseconds = Math.round((0.1 + 0.5 * random()) * 1e6);
		const trap = ['-e', 'trace=fsync', '-e', `inject=fsync:delay_enter=${microseconds}`];
		await delay(random() * 300);
		return host.run('strace', ['-qq', '-o', '/dev/null', ...trap, process.execPath, CLI, ...args], {
			timeout: 120_000,
		});
	};
	const crowd = 2 + Math.floor(random() * 7);
	const undoes = random() < 0.25;
	const [undo, ...confirms] = await Promise.all([
		undoes ? slowly('undo') : undefined,
		...Array.from({length: crowd}, async () => slowly('confirm', 'keep')),
	]);
	const waited = await applying.ended;
	const state = await readState(host);
	const is = (policy: number) =>
		state.rules === states[policy]?.rules && state.files === states[policy]?.files;
	const list = await wizardDoes(host, 'undo', '--list');
	const last = list.trimEnd().split('\n').at(-1) ?? '';
	const said = [...confirms, ...(undo ? [undo] : [])].map(({status, stdout, stderr}) =>
		`${status}: ${stdout}${stderr}`.trim(),
	);
	const tale = `${story}\n${[...said, applying.output(), last].join('\n')}`;
	// Whoever undoes has the last word: it undoes the change that waits, or the one that is confirmed.
	const isUndone = undo?.status === 0;
	if (isUndone) {
		expect(undo.stdout, tale).toMatch(/^Undone: change \d+\. /);
	}

	expect({is: is(isUndone ? old : next), last}, tale).toEqual({
		is: true,
		last: expect.stringContaining(isUndone ? ' rolled back ' : ' confirmed '),
	});
	for (const {status, stdout, stderr} of confirms) {
		if (status === 0) {
			expect(stdout, tale).toMatch(/^Confirmed change \d+: /);
		} else {
			expect(stderr, tale).toMatch(
				isUndone
					? /^fw-wizard: (?:No change waits to be confirmed|Change \d+ was not confirmed in time and is rolled back)\n/
					: /^fw-wizard: No change waits to be confirmed\n/,
			);
		}
	}

	expect(
		confirms.some(({status}) => status === 0),
		tale,
	).toBe(isUndone ? confirms.some(({status}) => status === 0) : true);
	expect(waited, tale).toBe(isUndone ? waited : 0);
	expect(strayNames(state), tale).toEqual([]);
	expect(await whatStays(host), tale).toEqual([]);
	return [
		...confirms.map(({status}) => (status === 0 ? 'kept' : 'told that none waits')),
		...(undo ? [isUndone ? 'undone' : 'not undone'] : []),
	];
}
