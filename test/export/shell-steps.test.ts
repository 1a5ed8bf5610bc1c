import {beforeAll, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {
	type Exported,
	FAULTS,
	type Injection,
	isClosed,
	openExported,
	type Seen,
	STARTS,
	type Start,
} from './exported.ts';

/** What is run before the command that is cut off. */
const BEFORE = {
	load: [],
	keep: ['load'],
	undo: ['load'],
	status: ['load', 'keep'],
	remove: ['load', 'keep'],
} as const;
type Word = keyof typeof BEFORE;
const WORDS = Object.keys(BEFORE) as readonly Word[];
/** What is run after it, in turns. */
const AFTER: ReadonlyArray<readonly Word[]> = [
	['status', 'undo', 'status'],
	['keep', 'status', 'undo'],
	['load', 'status', 'keep'],
	['status', 'remove', 'status'],
];

type Round = {
	readonly word: Word;
	readonly start: Start;
	readonly after: readonly Word[];
} & Injection;

const CASES = WORDS.flatMap((word) => FAULTS.map((fault) => [word, fault] as const));

describe.each(BACKENDS)('the exported script, cut off at each of its programs, %s', (backend) => {
	const lab = useLab();
	let machine: Exported;

	beforeAll(async () => {
		machine = await openExported(lab, backend);
	});

	test.each(CASES)(
		'%s, %s',
		async (word, fault) => {
			await machine.reset('closed');
			await runAll(machine, BEFORE[word]);
			const count = await machine.count(word);
			expect(count).toBeGreaterThan(10);
			const all = planRounds(word, fault, count);
			// In the usual run one round of every second case, and the others with the other backend.
			const turn = (WORDS.indexOf(word) + FAULTS.indexOf(fault) + BACKENDS.indexOf(backend)) % 2;
			const found: string[] = [];
			for (const round of rounds(0, 1) === 1
				? all
				: all.filter((_, index) => index === Math.floor(count / 2)).slice(turn)) {
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

/** @returns what was untrue, or open */
async function play(machine: Exported, round: Round): Promise<readonly string[]> {
	const {word, start, at, fault, after} = round;
	await machine.reset(start);
	const old = await machine.see();
	await runAll(machine, BEFORE[word]);
	const problems: string[] = [];
	const said: string[] = [];
	for (const [index, step] of [word, ...after].entries()) {
		const before = await machine.see();
		const {status, stderr} = await machine.run(step, index === 0 ? {at, fault} : undefined);
		const now = await machine.see();
		said.push(`${step} ${status}: ${stderr.trim()}`);
		const wrong = [
			...untruths({step, status, said: stderr, old, before, now, wanted: machine.wanted}),
			// What was opened on purpose by an earlier step is no longer closed.
			...(step === 'remove'
				? []
				: (['ipv4', 'ipv6'] as const)
						.filter(
							(family) =>
								isClosed(before[family]) && isClosed(old[family]) && !isClosed(now[family]),
						)
						.map((family) => `${family} was opened`)),
		];
		problems.push(
			...wrong.map(
				(text) => `${JSON.stringify({...round, after: after.join()})}: ${text}\n${said.join('\n')}`,
			),
		);
	}

	return problems;
}

async function runAll(machine: Exported, words: readonly Word[]): Promise<void> {
	for (const word of words) {
		expect(await machine.run(word)).toMatchObject({status: 0});
	}
}

type Outcome = {
	readonly step: Word;
	readonly status: number | undefined;
	readonly said: string;
	readonly old: Seen;
	readonly before: Seen;
	readonly now: Seen;
	readonly wanted: Seen;
};

/** What a run said that is not so. */
function untruths({step, status, said, before, now, old, wanted}: Outcome): readonly string[] {
	const same = (one: Seen, other: Seen, ...keys: ReadonlyArray<keyof Seen>) =>
		keys.every((key) => one[key] === other[key]);
	const rules = ['ipv4', 'ipv6'] as const;
	const isNew = same(now, wanted, ...rules);
	const isKept = isNew && now.files === wanted.files && !now.waits;
	const claims: ReadonlyArray<readonly [when: boolean, holds: boolean, text: string]> = [
		[
			said.includes('Nothing is changed'),
			same(now, before, ...rules, 'files'),
			'nothing is changed',
		],
		[step === 'load' && status === 0, isNew && now.waits && now.watchdogs > 0, 'loaded'],
		[/: loaded\./.test(said), status === 0, 'loaded, with another status'],
		[/old rules are restored$/m.test(said), !isNew || same(old, wanted, ...rules), 'restored'],
		[step === 'keep' && status === 0, isKept, 'kept'],
		[said.includes('wizard: kept'), isKept, 'kept'],
		[
			said.includes('NOT kept') && !said.includes('could not be restored'),
			now.waits && now.files === before.files,
			'not kept',
		],
		[said.includes('nothing waits'), !now.waits && same(now, before, ...rules), 'nothing waits'],
		[step === 'status' && status === 0, isKept, 'kept and loaded'],
		[said.includes('wizard: not kept: a change'), now.waits, 'a change waits'],
		[/wizard: not kept: \//.test(said), now.files !== wanted.files, 'not kept'],
		[said.includes('wizard: not loaded'), !isNew, 'not loaded'],
		[
			step === 'remove' && status === 0,
			now.ipv4 + now.ipv6 + now.files === '' && !now.waits,
			'removed',
		],
		[said.includes('No file was removed'), now.files === before.files, 'no file was removed'],
	];
	return claims.filter(([when, holds]) => when && !holds).map(([, , text]) => `untrue: ${text}`);
}
