import {setImmediate as yieldToEventLoop} from 'node:timers/promises';
import {stripVTControlCharacters} from 'node:util';
import {cleanup, render} from 'ink-testing-library';
import {afterEach} from 'vitest';
import type {PolicyPart} from '../../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../../source/policy/services.ts';
import {App, type AppProps} from '../../../source/ui/app.tsx';
import {ASKS, type Flow, startFlow} from '../../../source/ui/state/state.ts';
import type {HostView} from '../../../source/ui/steps/step-props.ts';
import {CHECKER, MACHINE, plannerFor, UNABLE} from './app-props.ts';

/** Keys as KeyStream hands them to Ink. */
const KEYS = {
	up: '\u001B[A',
	down: '\u001B[B',
	home: '\u001B[H',
	end: '\u001B[F',
	pageUp: '\u001B[5~',
	pageDown: '\u001B[6~',
	delete: '\u001B[3~',
	backspace: '\u007F',
	tab: '\t',
	backTab: '\u001B[Z',
	enter: '\r',
	escape: '\u001B[27u',
	space: ' ',
} as const;

export type AppKey = keyof typeof KEYS;

export type AppOptions = {
	readonly columns?: number;
	readonly rows?: number;
	readonly preset?: PolicyPart;
	/** Where the wizard opens, in place of `startAsking` with the preset. */
	readonly start?: Flow;
	readonly banner?: string;
	readonly machine?: Partial<HostView>;
	readonly onApply?: AppProps['onApply'];
	readonly prover?: AppProps['prover'];
	readonly checker?: AppProps['checker'];
};

/** The wizard's screen without a terminal. */
export type OpenApp = {
	/** The lines shown, without colours. */
	readonly lines: () => readonly string[];
	readonly screen: () => string;
	/** As it is written to the terminal, with its colours where there are any. */
	readonly frame: () => string;
	/** Presses keys, one after the other; each must change the screen. */
	readonly press: (...keys: readonly AppKey[]) => Promise<void>;
	/** Presses a key, or hands in what a terminal would send, which may or may not change the screen. */
	readonly poke: (key: AppKey | (string & {})) => Promise<void>;
	/** Presses a key that must change nothing. @throws {Error} when it does */
	readonly pressInVain: (key: AppKey) => Promise<void>;
	/** Types, one character after the other; each must change the screen. */
	readonly type: (text: string) => Promise<void>;
	/** Hands in a text at once, as a paste comes. */
	readonly paste: (text: string) => Promise<void>;
	/** Waits until no frame comes any more by itself. */
	readonly settle: () => Promise<void>;
	readonly resize: (columns: number, rows: number) => Promise<void>;
	/** Gives the wizard facts about the machine that come late. */
	readonly know: (facts: Partial<HostView>) => void;
	/** Ends the wizard before the end of the test. */
	readonly close: () => void;
};

/** Welcome, on the way to each question and to Helpers: so that Enter leads through all steps. */
export function startAsking(preset: PolicyPart = {}): Flow {
	return {
		...startFlow(preset, ['workstation', 'server'], OWN_SERVICES),
		...{asks: 'everything', asksHelpers: 'always', focus: ASKS.indexOf('everything')},
	};
}

const QUIET_TURNS = 4;
const TIMEOUT_MS = 2000;

/** To be called at the top of a file. */
export function appOpener(): (options?: AppOptions) => Promise<OpenApp> {
	afterEach(cleanup);
	return open;
}

async function open(options: AppOptions = {}): Promise<OpenApp> {
	const {
		columns = 80,
		rows = 24,
		preset = {},
		start = startAsking(preset),
		banner,
		machine,
		onApply,
		prover = UNABLE,
		checker = CHECKER,
	} = options;
	const size = {columns, rows};
	let known: HostView = {...MACHINE, planApply: plannerFor(machine?.remoteClient), ...machine};
	const element = () => (
		<App
			start={start}
			machine={known}
			families={[4, 6]}
			{...(banner === undefined ? {} : {banner})}
			onApply={onApply ?? (async () => ({ok: true, message: 'Loaded.'}))}
			prover={prover}
			checker={checker}
			onTyping={() => {}}
			onHold={() => {}}
			onDrawing={() => {}}
			onSuspendable={() => {}}
			onRepaintable={() => {}}
		/>
	);
	const app = render(element());
	Object.defineProperties(app.stdout, {
		columns: {get: () => size.columns},
		rows: {get: () => size.rows},
	});
	const frame = () => app.lastFrame() ?? '';
	const screen = () => stripVTControlCharacters(frame());
	const settle = async () => {
		for (let quiet = 0, seen = -1; quiet < QUIET_TURNS; quiet++) {
			if (app.frames.length !== seen) {
				quiet = 0;
				seen = app.frames.length;
			}

			await yieldToEventLoop();
		}
	};
	const send = async (input: string, name: string) => {
		const before = app.lastFrame();
		app.stdin.write(input);
		const start = Date.now();
		while (app.lastFrame() === before) {
			if (Date.now() - start > TIMEOUT_MS) {
				throw new Error(`${name} changed nothing\n${screen()}`);
			}

			await yieldToEventLoop();
		}

		await settle();
	};
	app.stdout.emit('resize');
	await settle();
	return {
		screen,
		frame,
		settle,
		know(facts) {
			known = {...known, ...facts};
			app.rerender(element());
		},
		close: app.unmount,
		lines: () => screen().split('\n'),
		async press(...keys) {
			for (const key of keys) {
				await send(KEYS[key], key);
			}
		},
		async poke(key) {
			app.stdin.write(Reflect.get(KEYS, key) ?? key);
			await settle();
		},
		async pressInVain(key) {
			const before = app.lastFrame();
			app.stdin.write(KEYS[key]);
			await settle();
			if (app.lastFrame() !== before) {
				throw new Error(`${key} changed\n${before}\nto\n${screen()}`);
			}
		},
		async type(text) {
			for (const character of text) {
				await send(character, character);
			}
		},
		paste: async (text) => send(text, text),
		async resize(newColumns, newRows) {
			Object.assign(size, {columns: newColumns, rows: newRows});
			app.stdout.emit('resize');
			await settle();
		},
	};
}
