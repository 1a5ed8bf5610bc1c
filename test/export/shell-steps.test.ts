import {beforeAll, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {type Exported, FAULTS, openExported, STARTS} from './exported.ts';
import {AFTER, BEFORE, play, type Round, runAll, WORDS, type Word} from './play.ts';

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
