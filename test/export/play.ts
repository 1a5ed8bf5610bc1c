import {expect} from 'vitest';
import {type Exported, type Injection, isClosed, type Seen, type Start} from './exported.ts';

/** What is run before the command that is cut off. */
export const BEFORE = {
	load: [],
	keep: ['load'],
	undo: ['load'],
	status: ['load', 'keep'],
	remove: ['load', 'keep'],
} as const;
export type Word = keyof typeof BEFORE;
export const WORDS = Object.keys(BEFORE) as readonly Word[];
/** What is run after it, in turns. */
export const AFTER: ReadonlyArray<readonly Word[]> = [
	['status', 'undo', 'status'],
	['keep', 'status', 'undo'],
	['load', 'status', 'keep'],
	['status', 'remove', 'status'],
];

export type Round = {
	readonly word: Word;
	readonly start: Start;
	readonly after: readonly Word[];
} & Injection;

/** @returns what was untrue, or open */
export async function play(machine: Exported, round: Round): Promise<readonly string[]> {
	const {word, start, at, fault, call, after} = round;
	await machine.reset(start);
	const old = await machine.see();
	await runAll(machine, BEFORE[word]);
	const problems: string[] = [];
	const said: string[] = [];
	let before = await machine.see();
	for (const [index, step] of [word, ...after].entries()) {
		const {status, stderr} = await machine.run(step, index === 0 ? {at, fault, call} : undefined);
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
		before = now;
	}

	return problems;
}

/** Runs commands that must succeed. */
export async function runAll(machine: Exported, words: readonly Word[]): Promise<void> {
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
	// A second jump to a chain does nothing: what asks whether the first is there can fail.
	const onceJumped = ({ipv4, ipv6}: Seen) =>
		`${ipv4}\n\n${ipv6}`.replaceAll(/^(-A \w+ -j FW-WIZARD-\w+\n)\1/gm, '$1');
	const isNew = onceJumped(now) === onceJumped(wanted);
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
			said.includes('not confirmed:') && !said.includes('could not be restored'),
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
