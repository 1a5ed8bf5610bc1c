// Measures what it takes to start, and what the wizard costs a slow line and a small machine, with the
// built program as argument. To be run as root in a network and files of its own; prints the figures
// as JSON.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {stripVTControlCharacters} from 'node:util';
import {spawn as spawnInTerminal} from '@lydell/node-pty';
import {QUESTIONS} from '../_helpers/ui/journey.ts';
import {type Figure, median, milliseconds} from './statistics.ts';

const CLI = path.resolve(process.argv[2] ?? 'build/cli.js');
const ROUNDS = 31;
const BARE = ['-e', '0'];
const [WELCOME, , REJECTION, , PORTS, , PROOF] = QUESTIONS;
const DOWN = '\u001B[B';
/** What leads to a step from the one before, where it is not Enter. */
const KEYS_TO: Readonly<Record<string, string>> = {
	[QUESTIONS[1]]: `${DOWN}${DOWN}\r`,
	[QUESTIONS[3]]: 'h',
};
const UP = '\u001B[A';
const TYPED = '8443/tcp, 9100/tcp from 10.0.0.0/8';
/** Milliseconds in which a screen that stays the same is taken to be finished. */
const STILL = 300;
const TIMEOUT_MS = 60_000;
/** What the terminal got for a key, and whether that tells how the rules change. */
type Answer = {readonly bytes: number; readonly rules: boolean};

/** Certificates that Node reads as it starts make a bare one slow, and everything beside it look fast. */
const {NODE_EXTRA_CA_CERTS: _, ...environment} = process.env;

type Limit = {readonly text: string; readonly keeps: (time: number, ratio: number) => boolean};

const times = (limit: number): Limit => ({
	text: `${limit} times`,
	keeps: (_, ratio) => ratio <= limit,
});

/** What is started in turns with a bare Node, so that what else the machine does counts for both. */
const STARTS: ReadonlyArray<{
	readonly name: string;
	readonly start: () => Promise<number>;
	readonly limit?: Limit;
}> = [
	{name: 'first frame of the wizard', start: async () => startWizard('Welcome'), limit: times(3)},
	{name: 'the recommended setup in Welcome', start: async () => startWizard(WELCOME)},
	{name: '--version', start: async () => startNode(CLI, '--version'), limit: times(1.3)},
	{
		name: 'rules',
		start: async () => startNode(CLI, 'rules', '--role', 'server'),
		limit: times(1.3),
	},
	{name: '--help', start: async () => startNode(CLI, '--help')},
	{
		name: 'check, where nothing was applied',
		start: async () => startNode(CLI, 'check'),
		limit: {text: '1 s', keeps: (time) => time <= 1000},
	},
];

/** @returns milliseconds until it is over */
async function startNode(...args: readonly string[]): Promise<number> {
	const begin = performance.now();
	const child = spawn(process.execPath, args, {stdio: 'ignore', env: environment});
	const [code] = await once(child, 'exit');
	// Of check: there is something to do.
	if (code !== 0 && !(args[1] === 'check' && code === 1)) {
		throw new Error(`${args.join(' ')} ended with ${code}`);
	}

	return performance.now() - begin;
}

/** @returns milliseconds until a text stands there */
async function startWizard(text: string): Promise<number> {
	const begin = performance.now();
	const wizard = openWizard();
	await wizard.waitFor(text);
	const time = performance.now() - begin;
	await wizard.close();
	return time;
}

function openWizard() {
	const terminal = spawnInTerminal(process.execPath, [CLI, '--role', 'server'], {
		cols: 100,
		rows: 24,
		env: {...environment, TERM: 'xterm-256color', LANG: 'C.UTF-8'},
	});
	let output = '';
	let last = performance.now();
	let look = () => {};
	/** How many of the questions have been asked. */
	let reached = 0;
	const ended = new Promise<void>((resolve) => terminal.onExit(() => resolve()));
	terminal.onData((data) => {
		output += data;
		last = performance.now();
		look();
	});
	const still = async () => {
		while (performance.now() < last + STILL) {
			await delay(20);
		}
	};
	const waitFor = async (text: string) =>
		new Promise<void>((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`no ${text}\n${output}`)), TIMEOUT_MS);
			look = () => {
				if (stripVTControlCharacters(output).includes(text)) {
					look = () => {};
					clearTimeout(timer);
					resolve();
				}
			};
			look();
		});
	return {
		waitFor,
		/** Goes through each question, by Enter from the second step on, until a step is reached. */
		async walkTo(question: (typeof QUESTIONS)[number]): Promise<void> {
			for (const next of QUESTIONS.slice(reached, QUESTIONS.indexOf(question) + 1)) {
				if (reached > 0) {
					terminal.write(KEYS_TO[next] ?? '\r');
				}

				reached++;
				await waitFor(next);
				await still();
			}
		},
		/** @returns what came for a key */
		async answerTo(key: string): Promise<Answer> {
			const from = output.length;
			last = performance.now();
			terminal.write(key);
			await still();
			const answer = output.slice(from);
			if (answer === '') {
				throw new Error(`nothing came for ${JSON.stringify(key)}`);
			}

			return {
				bytes: Buffer.byteLength(answer),
				rules: stripVTControlCharacters(answer).includes('Rules: '),
			};
		},
		/** The most memory that it had at once, in megabytes. */
		memory: (): number =>
			Number(
				/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${terminal.pid}/status`, 'utf8'))?.[1],
			) / 1024,
		async close(): Promise<void> {
			terminal.kill('SIGKILL');
			await ended;
		},
	};
}

async function measureStarts(): Promise<readonly Figure[]> {
	const bare: number[] = [];
	const taken = STARTS.map((): number[] => []);
	for (let round = 0; round < ROUNDS; round++) {
		for (const [index, {start}] of STARTS.entries()) {
			bare.push(await startNode(...BARE));
			taken[index]?.push(await start());
		}
	}

	const base = median(bare);
	return [
		{name: 'a bare node -e 0', value: milliseconds(base)},
		...STARTS.map(({name, limit}, index) => {
			const time = median(taken[index] ?? []);
			const ratio = time / base;
			return {
				name: `start: ${name}`,
				value: `${milliseconds(time)}, ${ratio.toFixed(2)} times a bare node`,
				...(limit && {limit: limit.text, kept: limit.keeps(time, ratio)}),
			};
		}),
	];
}

async function measureSession(): Promise<readonly Figure[]> {
	const wizard = openWizard();
	await wizard.walkTo(REJECTION);
	const answers: Answer[] = [];
	for (const key of [DOWN, DOWN, UP, UP, DOWN, DOWN, UP, UP]) {
		answers.push(await wizard.answerTo(key));
	}

	await wizard.walkTo(PORTS);
	const memory = wizard.memory();
	for (const key of TYPED) {
		answers.push(await wizard.answerTo(key));
	}

	await wizard.answerTo('\r');
	await wizard.walkTo(PROOF);
	await wizard.waitFor('packets in');
	const proven = wizard.memory();
	await wizard.close();
	return [
		bytes(
			'a key typed in Ports',
			answers.filter(({rules}) => !rules),
			400,
		),
		bytes(
			'a change of the rules, by a choice or by a key that ends an opening',
			answers.filter(({rules}) => rules),
			1200,
		),
		{
			name: 'memory of the wizard in Ports',
			value: `${memory.toFixed(1)} MB`,
			limit: '90 MB',
			kept: memory <= 90,
		},
		{name: 'memory of the wizard after the proof', value: `${proven.toFixed(1)} MB`},
	];
}

function bytes(name: string, answers: readonly Answer[], limit: number): Figure {
	const values = answers.map((answer) => answer.bytes);
	const most = Math.max(...values);
	return {
		name: `100 x 24, bytes for ${name}`,
		value: `${median(values)}, at most ${most}`,
		limit: `${limit}`,
		kept: most <= limit,
	};
}

console.log(JSON.stringify([...(await measureStarts()), ...(await measureSession())]));
process.exit();
