import {beforeAll, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {CALLS, type Call, type Exported, FAULTS, openExported, STARTS} from './exported.ts';
import {AFTER, BEFORE, play, type Round, runAll, WORDS, type Word} from './play.ts';

const CALLED = ['load', 'keep', 'undo', 'remove'] as const;
const CALL_FAULTS = ['error', 'kill'] as const;
/** To be killed, it is enough to be killed at what changes something. */
const KILLED_AT: readonly Call[] = ['clone', 'vfork', 'openat', 'write'];
const CALL_NAMES = Object.keys(CALLS) as readonly Call[];

describe.each(BACKENDS)('the exported script, cut off at each of its programs, %s', (backend) => {
	const lab = useLab();
	let machine: Exported;

	beforeAll(async () => {
		machine = await openExported(lab, backend);
	});

	// In the usual run a word has one fault in one round, and another one with the other backend.
	const cases = WORDS.flatMap((word, turn) =>
		FAULTS.filter(
			(_, index) =>
				rounds(0, 1) === 1 || index === (turn + 2 * BACKENDS.indexOf(backend)) % FAULTS.length,
		).map((fault) => [word, fault] as const),
	);

	test.each(cases)(
		'%s, %s',
		async (word, fault) => {
			await machine.reset('closed');
			await runAll(machine, BEFORE[word]);
			const count = await machine.count(word);
			expect(count).toBeGreaterThan(10);
			const all = planRounds(word, fault, count);
			const found: string[] = [];
			for (const round of rounds(0, 1) === 1 ? all : all.slice(count / 2, count / 2 + 1)) {
				found.push(...(await play(machine, round)));
			}

			expect(found).toEqual([]);
		},
		3_600_000,
	);

	// In the usual run each backend has half of the words with one of the faults, at one call.
	const faults =
		rounds(0, 1) === 1 ? CALL_FAULTS : ([backend === 'nft' ? 'error' : 'kill'] as const);
	const called = CALLED.filter(
		(_, index) => rounds(0, 1) === 1 || index % 2 === BACKENDS.indexOf(backend),
	);
	const callCases = called.flatMap((word) => faults.map((fault) => [word, fault] as const));

	test.each(callCases)(
		'%s, %s at a system call of the shell',
		async (word, fault) => {
			const names = fault === 'kill' ? KILLED_AT : CALL_NAMES;
			const offset = CALLED.indexOf(word);
			const found: string[] = [];
			let played = 0;
			for (const call of rounds(0, 1) === 1 ? names : names.slice(offset, offset + 1)) {
				await machine.reset('closed');
				await runAll(machine, BEFORE[word]);
				const count = await machine.count(word, call);
				const step = rounds(count, call === 'read' ? 8 : 1);
				for (let at = Math.ceil(step / 2); at <= count; at += step) {
					played += 1;
					found.push(
						...(await play(machine, {
							...{word, fault, call, at},
							start: STARTS[(at + offset) % STARTS.length] ?? 'closed',
							after: AFTER[Math.floor(at / 2 + offset) % AFTER.length] ?? [],
						})),
					);
				}
			}

			expect(played).toBeGreaterThan(0);
			expect(found).toEqual([]);
		},
		7_200_000,
	);
});

function planRounds(word: Word, fault: (typeof FAULTS)[number], count: number): readonly Round[] {
	const offset = FAULTS.indexOf(fault);
	return Array.from({length: count}, (_, index) => ({
		word,
		at: index + 1,
		fault,
		start: STARTS[(index + offset) % STARTS.length] ?? 'closed',
		after: AFTER[Math.floor(index / 2 + offset) % AFTER.length] ?? [],
	}));
}
