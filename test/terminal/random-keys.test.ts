import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {findInner} from '../_helpers/lab/machine.ts';
import {succeed} from '../_helpers/lab/programs.ts';
import {readSaves, type Saves} from '../_helpers/samples/saves.ts';
import {expectRestored, PROGRAM} from '../_helpers/terminal/restored.ts';
import type {Terminal} from '../_helpers/terminal/terminal.ts';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';
import {isDrawnFor, QUESTIONS, walkTo} from '../_helpers/ui/journey.ts';
import {expectOwnRules} from './rules-on-screen.ts';

const ESC = '\u001B';
const APPLY = 'Load these rules now?';
/** In all. FWW_KEYS=20000 for long walks. */
const KEYS = Number(process.env.FWW_KEYS ?? 1600);
/** Keys that are sent to one program where Enter may end it. */
const SEGMENT = 250;
/** Keys between two looks at the screen. */
const BETWEEN_LOOKS = 40;
/** The same walks on each run. Others find more: FWW_SEED=$RANDOM. */
const SEEDS = [20_261_125, Number(process.env.FWW_SEED ?? 4711)];

/** Milliseconds. */
const LIMIT = 60_000 + KEYS * 150;

const SIZES = [
	[80, 24],
	[200, 50],
	[120, 40],
	[60, 20],
	[40, 10],
	[100, 30],
	[100, 12],
	[150, 40],
	[3, 2],
] as const;

/** Each group is as likely as the others. */
const MOVES = [
	['A', 'B', 'C', 'D', 'H', 'F', '5~', '6~', '3~', 'Z'].map((end) => `${ESC}[${end}`),
	['\t', ' ', '\u007F', '\b', ...'jklpafvhscro'],
	['4', '2', '0', '9', '/', '-', ',', 't', 'c', 'p', 'u', 'd', ':', '.'],
	[
		'443/tcp,',
		' from 10.0.0.0/8',
		' on eth0',
		' limit',
		'mdns',
		'ssh, 53',
		'8000-8010/tcp',
		'22 from 2001:db8::/32,',
		'80/tcp from 0.0.0.0/0,',
	],
] as const;
/** Cut off, alone, in the wrong order, or a string that no key sends: some of these are Esc. */
const BROKEN = [
	[
		ESC,
		'?',
		...['[', 'O', '[1;', '[200', ESC, '[[', '[201~', 'x', ']0;x\u0007', 'P+q'].map(
			(end) => ESC + end,
		),
	],
] as const;

/** Without a meaning here: function keys, the mouse, focus, answers of a terminal, and what is pasted. */
const HARMLESS = [
	['[1;5P', '[[A', '[<0;3;3M', '[I', '[?1;2c', 'OP', '[24~', '[99999A'].map((end) => ESC + end),
	[
		'\u0000',
		'\u0001',
		'\u0004',
		'\u0005',
		'\u0008',
		'\u000B',
		'\u0015',
		'\u0017',
		'\u001A',
		'\u001C',
		'\u0011',
		'\u0013',
	],
	[
		'é',
		'ß',
		'Ж',
		'漢',
		'ｗ',
		'😀',
		'e\u0301',
		'\u202E',
		'\u200B',
		'\u0085',
		'\u00A0',
		'\uFFFD',
		'\u2028',
	],
	[
		'22/tcp\n443/tcp\n',
		'1\r\n2\r\n',
		'\u001B[31mred',
		'漢字',
		'mdns, 53/udp limit',
		'x'.repeat(300),
	].map((text) => `${ESC}[200~${text}${ESC}[201~`),
] as const;

const CONFIRMING = [
	['\r', '\n', '\r', `${ESC}OM`],
	['\r', '\r', '\r', '?'],
	['keep\r', '\r', 'lock me out\r'],
] as const;

/** Where the walks without Enter begin. */
const STARTS = [...QUESTIONS.slice(1, -2), APPLY, APPLY] as const;

/** Numbers from 0 to 1 that the seed decides (mulberry32). */
function randomFrom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d_2b_79_f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** The rules in the rehearsal, of both families. */
async function rulesInside(inner: number): Promise<string> {
	const words = ['nsenter', '-t', `${inner}`, '-n', '-m', '--', 'sh', '-c'];
	return succeed([...words, 'iptables-save; ip6tables-save']);
}

/** Until the program has been silent for a moment; what goes on by itself is not waited for. */
async function settle(terminal: Terminal): Promise<void> {
	const ends = Date.now() + 800;
	for (let length = -1; length !== terminal.output().length && Date.now() < ends; ) {
		length = terminal.output().length;
		await delay(70);
	}
}

/** Looks at a frame, once it is one of the size that the terminal has. @returns how many rules it has */
async function look(terminal: Terminal, columns: number, ended: () => boolean): Promise<number> {
	if (columns < 40) {
		return 0;
	}

	const screen = await terminal.waitFor((now) => ended() || isDrawnFor(now, columns));
	return ended() ? 0 : expectOwnRules(screen);
}

function expectNoCrash(terminal: Terminal): void {
	expect(terminal.output()).not.toMatch(
		/\n\s+at \S+|(?:Type|Range|Reference)?Error\b|node:internal|\[object/,
	);
}

describe('random keys in a rehearsal', () => {
	const {host, start} = useWizardHost();
	let before: Saves;

	beforeAll(async () => {
		before = await readSaves(host());
	});
	// Whatever was done in a rehearsal, this machine has no part in it.
	afterAll(async () => {
		expect(await readSaves(host())).toEqual(before);
	});

	const open = async (...args: readonly string[]) => {
		const terminal = start([...PROGRAM, '--rehearse', ...args], {columns: 80, rows: 24});
		// Before that keys wait, and nothing would be seen of what they do.
		await terminal.waitFor(QUESTIONS[0]);
		return {terminal, inner: findInner(findInner(terminal.pid))};
	};

	/** Sends packets of one to nine keys, sizes between them. @returns how many rules were on the screen */
	const walk = async (
		terminal: Terminal,
		random: () => number,
		keys: number,
		{
			alphabet,
			every = async () => true,
		}: {
			readonly alphabet: ReadonlyArray<readonly string[]>;
			/** Done at each look. @returns false to end */
			readonly every?: () => Promise<boolean>;
		},
	): Promise<{sent: number; rules: number}> => {
		const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
		let [sent, looked, rules] = [0, 0, 0];
		let columns = 80;
		let over = false;
		void terminal.ended.then(() => {
			over = true;
		});
		const ended = () => over;
		while (sent < keys) {
			const count = 1 + Math.floor(random() * 9);
			const packet = Array.from({length: count}, () => pick(pick(alphabet))).join('');
			// A sequence may come in two packets.
			const middle = Math.floor(random() * 3) === 0 ? Math.floor(random() * packet.length) : 0;
			for (const part of [packet.slice(0, middle), packet.slice(middle)].filter(Boolean)) {
				terminal.type(part);
			}

			sent += count;
			if (random() < 0.05) {
				const [width, height] = pick(SIZES);
				columns = width;
				terminal.resize(width, height);
			}

			if (sent - looked >= BETWEEN_LOOKS) {
				looked = sent;
				await settle(terminal);
				rules += await look(terminal, columns, ended);
				if (over || !(await every())) {
					break;
				}

				rules += await look(terminal, columns, ended);
			}
		}

		if (!over) {
			terminal.resize(80, 24);
			await settle(terminal);
			rules += await look(terminal, 80, ended);
		}

		return {sent, rules};
	};

	/** Leaves with Ctrl-C from wherever it is. */
	const leave = async (terminal: Terminal) => {
		// A paste that was begun takes what follows for its text.
		terminal.type(`${ESC}[201~`);
		await delay(100);
		let over = false;
		void terminal.ended.then(() => {
			over = true;
		});
		// While rules are being loaded it does nothing; too early a second one would end the shell.
		for (let tries = 0; tries < 4 && !over; tries += 1) {
			terminal.press('ctrlC');
			await Promise.race([terminal.ended, delay(12_000)]);
		}

		expect(over, terminal.screen()).toBe(true);
		expectNoCrash(terminal);
		expectRestored(terminal);
	};

	test(
		`without Enter load nothing, not even at Apply (seeds ${SEEDS.join(', ')})`,
		async () => {
			const walks = SEEDS.map(async (seed) => {
				const random = randomFrom(seed);
				let [sent, rules] = [0, 0];
				for (const question of STARTS) {
					const {terminal, inner} = await open('--role', 'server');
					await walkTo(terminal, question);
					for (const alphabet of [
						[...MOVES, ...HARMLESS],
						[...MOVES, ...HARMLESS, ...BROKEN],
					]) {
						const walked = await walk(terminal, random, KEYS / 4 / STARTS.length / 2, {alphabet});
						sent += walked.sent;
						rules += walked.rules;
					}

					expect(await rulesInside(inner)).not.toContain('FW-WIZARD');
					await leave(terminal);
					// What is typed while Ctrl-Z has the terminal is echoed before it, and may wrap it.
					expect(terminal.output()).toContain('Nothing was changed.');
				}

				expect(sent).toBeGreaterThanOrEqual(KEYS / 4);
				expect(rules).toBeGreaterThan(sent / 40);
				return {seed, sent, rules};
			});
			report(await Promise.all(walks));
		},
		LIMIT,
	);

	test(
		`with Enter, and the word that keeps, never break it (seeds ${SEEDS.join(', ')})`,
		async () => {
			const walks = SEEDS.map(async (seed) => {
				const random = randomFrom(seed + 1);
				let [left, rules, loaded, starts] = [KEYS / 4, 0, 0, 0];
				while (left > 0) {
					const question = STARTS[starts % STARTS.length] ?? APPLY;
					starts += 1;
					const {terminal, inner} = await open();
					await walkTo(terminal, question);
					let over = false;
					void terminal.ended.then(() => {
						over = true;
					});
					const walked = await walk(terminal, random, Math.min(left, SEGMENT), {
						alphabet: [...MOVES, ...MOVES, ...HARMLESS, ...BROKEN, ...CONFIRMING],
						every: async () => {
							const now = over ? '' : await rulesInside(inner).catch(() => '');
							const jumps = now.match(/^-A INPUT -j FW-WIZARD-INPUT$/gm) ?? [];
							// One in each family, however often they were loaded.
							expect(jumps.length).toBeLessThanOrEqual(2);
							loaded += jumps.length > 0 ? 1 : 0;

							// Most keys lead back, or nowhere.
							for (let count = Math.floor(random() * 9); count > 0 && !over; count -= 1) {
								terminal.press('enter');
								await settle(terminal);
							}

							return !over;
						},
					});
					left -= walked.sent;
					rules += walked.rules;
					if (over) {
						expectNoCrash(terminal);
						expectRestored(terminal);
					} else {
						await leave(terminal);
					}
				}

				return {seed, rules, loaded, starts};
			});
			const walked = await Promise.all(walks);
			// A short walk may pass by them: it is at Apply and behind it most of the time.
			expect(walked.reduce((sum, {rules}) => sum + rules, 0)).toBeGreaterThan(0);
			report(walked);
		},
		LIMIT,
	);
});

/** What a long walk came across. */
function report(walks: unknown): void {
	if (process.env.FWW_KEYS) {
		process.stderr.write(`${JSON.stringify(walks)}\n`);
	}
}
