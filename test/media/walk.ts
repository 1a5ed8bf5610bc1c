import {setTimeout as delay} from 'node:timers/promises';
import type {Debian} from '../_helpers/lab/debian.ts';
import {loginWords} from '../_helpers/ssh/ssh.ts';
import type {Terminal, Terminals} from '../_helpers/terminal/terminal.ts';
import {COUNTDOWN} from '../_helpers/terminal/walk.ts';
import type {Picture} from '../_helpers/ui/cells.ts';

/** What was seen on the way. */
export type Shot = {
	readonly picture: Picture;
	/** How long it is looked at. */
	readonly milliseconds: number;
	/** Of the picture that is kept of it. */
	readonly name: string | undefined;
};

const SIZE = {columns: 100, rows: 30};
/** Milliseconds in which a frame that stays the same is taken to be finished. */
const STILL = 300;
/** What a step says that still looks for something, or tries it. */
const BUSY = /looking|please wait|^[█·]+ +\d+ %/im;
/** What a step says at the end of what it tries; before it begins it says nothing yet. */
const DONE: Readonly<Record<string, RegExp>> = {
	proof: /packets in|could not be/,
	// Where it could not be tried on a busy machine, the picture is another one: that is no reason to wait for ever.
	review: /tried with packets|could not be/i,
};
const SHELL = "env LANG=C.UTF-8 PS1='root@debian:~# ' bash --norc -i";

/** What is done in a step besides Enter, which leads on. */
const ACTIONS: Readonly<Record<string, (camera: Camera) => Promise<void>>> = {
	// Each question is shown.
	async welcome(camera) {
		await camera.press('down');
		await camera.press('down');
	},
	async ports(camera) {
		await camera.type('http, https, 8080/tcp');
		await camera.still();
		camera.shoot(2500, 'ports');
		camera.terminal.press('enter');
		await camera.still();
		camera.shoot(2000);
	},
	async apply(camera) {
		const {terminal} = camera;
		terminal.press('enter');
		await terminal.waitFor(COUNTDOWN);
		await camera.still();
		camera.shoot(2500);
		camera.logIn();
		await terminal.waitFor(/New login from /);
		await camera.still();
		camera.shoot(2500, 'confirm');
	},
};

/** What only the film shows: how the rules change with the choice, and the other views of them. */
const LOOKS_AROUND: Readonly<Record<string, ReadonlyArray<'up' | 'down' | 'tab'>>> = {
	rejection: ['down', 'down', 'up', 'up'],
	review: ['tab', 'tab'],
};

/**
 * Goes through the whole wizard as somebody who has logged in.
 * @param film look around as well
 * @returns what there was to see, in order
 */
export async function walk(
	debian: Debian,
	terminals: Terminals,
	film: boolean,
): Promise<readonly Shot[]> {
	const start = (command: string) =>
		terminals.start(loginWords(debian, command, {terminal: true}), {
			...SIZE,
			enter: debian.client.enter,
		});
	const terminal = start(SHELL);
	const camera = new Camera(terminal, () => start('sleep 5'));
	await terminal.waitFor(/#$/);
	await camera.type('fw-wizard');
	terminal.press('enter');
	await terminal.waitFor(() => stepOf(terminal) !== undefined);
	for (let step = stepOf(terminal); step !== undefined; step = stepOf(terminal)) {
		await camera.finished(DONE[step] ?? /./);
		// Ports is kept with something typed.
		camera.shoot(2500, step === 'ports' ? undefined : step);
		for (const key of film ? (LOOKS_AROUND[step] ?? []) : []) {
			await camera.press(key);
		}

		await ACTIONS[step]?.(camera);
		terminal.press('enter');
		await terminal.waitFor(() => stepOf(terminal) !== step);
	}

	await camera.still();
	camera.shoot(5000);
	terminal.type('exit\r');
	await terminal.ended;
	return camera.shots;
}

/** The step that the rail marks: `helpers`; undefined in the shell. */
function stepOf(terminal: Terminal): string | undefined {
	const {rows, cursor} = terminal.picture();
	const marked = rows[1]?.find(({colour, bold}) => colour === 'cyan' && bold);
	return cursor === undefined
		? marked?.text.replace(/^.*: /, '').toLowerCase().replaceAll(' ', '-')
		: undefined;
}

/** Works a terminal by hand, and films it. */
class Camera {
	readonly shots: Shot[] = [];
	readonly terminal: Terminal;
	readonly logIn: () => Terminal;

	constructor(terminal: Terminal, logIn: () => Terminal) {
		this.terminal = terminal;
		this.logIn = logIn;
	}

	/** @param name of the picture that is kept of it */
	shoot(milliseconds: number, name?: string): void {
		this.shots.push({picture: this.terminal.picture(), milliseconds, name});
	}

	/** Waits until nothing moves; what moves for ever is not waited for. */
	async still(): Promise<void> {
		const end = performance.now() + 5000;
		let [before, now] = ['', this.terminal.screen()];
		while (now !== before && performance.now() < end) {
			before = now;
			await delay(STILL);
			now = this.terminal.screen();
		}

		// Half a frame is none.
		await this.terminal.waitFor(() => true);
	}

	/** Waits until all is known that the step shows. */
	async finished(done: RegExp): Promise<void> {
		await this.still();
		while (BUSY.test(this.terminal.screen()) || !done.test(this.terminal.screen())) {
			this.shoot(250);
			await this.still();
		}
	}

	async press(key: 'up' | 'down' | 'tab'): Promise<void> {
		this.terminal.press(key);
		await this.still();
		this.shoot(1400);
	}

	async type(text: string): Promise<void> {
		for (const letter of text) {
			const before = this.terminal.output().length;
			this.terminal.type(letter);
			await this.terminal.waitFor(() => this.terminal.output().length > before);
			this.shoot(100);
		}
	}
}
