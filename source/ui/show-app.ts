import process from 'node:process';
import {setImmediate as yieldToEventLoop} from 'node:timers/promises';
import {render} from 'ink';
import {createElement} from 'react';
import {App, type AppProps, type Suspend} from './app.tsx';
import type {KeyStream} from './keys/input-stream.ts';
import type {ExitReason} from './state/exit-reason.ts';
import type {Screen} from './terminal/alternate-screen.ts';
import {ForeignWrites} from './terminal/foreign-writes.ts';
import {PASTE_OFF, PASTE_ON, PasteMode} from './terminal/paste-mode.tsx';
import {screenReader} from './theme.ts';

type Shown = {
	readonly keys: KeyStream;
	readonly screen: Screen;
	/** The props without what is asked of the keys. */
	readonly propsNow: () => Omit<
		AppProps,
		`on${'Typing' | 'Hold' | 'Drawing' | 'Repaintable' | 'Suspendable'}`
	>;
	/** Receives the function that draws the wizard with the props of its moment; it does nothing after the end. */
	readonly onDrawable: (draw: () => void) => void;
};

/** Shows the wizard on a screen that is already open, until the user leaves it. */
export async function showApp({keys, screen, propsNow, onDrawable}: Shown): Promise<ExitReason> {
	const listeners = {
		onTyping(typing: boolean) {
			keys.typing = typing;
		},
		onHold(held: boolean) {
			keys.held = held;
		},
		onDrawing(drawing: boolean) {
			keys.drawing = drawing;
		},
		onRepaintable(repaint: () => void) {
			keys.repaint = repaint;
		},
		onSuspendable(suspend: Suspend | undefined) {
			// A second Ctrl-Z, before the first has stopped the program, does nothing.
			keys.suspend = suspend && (() => void suspend(stopHere).catch(() => {}));
		},
	};
	const element = () =>
		createElement(PasteMode, null, createElement(App, {...propsNow(), ...listeners}));
	// A signal that arrived while the modules were loading is delivered during these two turns, and
	// ends the program. Once Ink has the screen, the signal would be lost.
	await yieldToEventLoop();
	await yieldToEventLoop();
	// A screen reader would read each drawing aloud.
	const foreign = screenReader ? undefined : new ForeignWrites(() => keys.repaint?.());
	const app = render(element(), {
		stdin: keys as unknown as NodeJS.ReadStream,
		stdout: screen.handOver(() => foreign?.wrote()),
		exitOnCtrlC: false,
		interactive: true,
		alternateScreen: true,
		incrementalRendering: true,
		patchConsole: false,
	});
	screen.handedOver();
	onDrawable(() => app.rerender(element()));
	try {
		return (await app.waitUntilExit()) as ExitReason;
	} finally {
		// Drawing after the end would take over the terminal again.
		onDrawable(() => {});
		foreign?.stop();
		keys.stop();
	}
}

/**
 * Stops this program and the other processes of its job, as the terminal does for Ctrl-Z outside of
 * raw mode. Returns when the shell continues the job; at once where no shell controls jobs.
 */
async function stopHere(): Promise<void> {
	process.stdout.write(PASTE_OFF);
	process.kill(0, 'SIGTSTP');
	process.stdout.write(PASTE_ON);
}
