import process from 'node:process';
import type {WizardRequest} from '../app/wizard-request.ts';
import {rollBackOverdue} from '../change/recover.ts';
import {gatherFacts} from '../host/machine/facts.ts';
import {isRehearsal} from '../host/rehearsal/is-rehearsal.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError} from '../lib/errors.ts';
import {KeyStream} from './keys/input-stream.ts';
import {Screen} from './terminal/alternate-screen.ts';
import {firstFrame} from './terminal/first-frame.ts';
import {describeMachine} from './text/welcome.ts';

const BANNER = 'Rehearsal: a private copy. The real machine stays as it is.';

/**
 * Runs the wizard. Draws its first frame before it reads more of the machine and before it loads the
 * code that draws the other frames.
 * @returns the exit code: 0 confirmed, 4 rolled back, 130 left before anything was loaded
 * @throws {HostError} where there is no terminal to draw on
 */
export async function startWizard(request: WizardRequest): Promise<number> {
	if (!process.stdin.isTTY || !process.stdout.isTTY || process.env.TERM === 'dumb') {
		throw new HostError(
			'The wizard needs a terminal with a cursor, and this is none',
			`Without one, see: ${commandLine('help apply')}`,
		);
	}

	const colour = prepareColour(request);
	const banner = isRehearsal() ? BANNER : undefined;
	const keys = new KeyStream(process.stdin);
	const screen = new Screen(process.stdout, keys);
	// A serial line reports 0 for the size of its terminal. Ink then assumes the same size.
	const [columns, rows] = [process.stdout.columns || 80, process.stdout.rows || 24];
	const {first, atApply, seconds} = request;
	if (!atApply) {
		screen.open(
			firstFrame({columns, rows, banner, machine: describeMachine(first), seconds, colour}),
		);
	}

	try {
		const gathered = gatherFacts(first);
		// An error is reported below, where both promises are awaited.
		gathered.catch(() => {});
		const {openWizard} = await import('./session.ts');
		if (first.root) {
			// A change that cannot be rolled back is an item of the checklist.
			await rollBackOverdue().catch(() => {});
		}

		return await openWizard({...request, banner, keys, screen, facts: await gathered});
	} finally {
		screen.close();
		keys.stop();
	}
}

/** Whether the wizard draws in color. The libraries read it from the environment when they are loaded. */
function prepareColour({color}: WizardRequest): boolean {
	// Any value but an empty one: https://no-color.org
	const colour = color && !process.env.NO_COLOR;
	if (!colour) {
		process.env.FORCE_COLOR = '0';
	}

	return colour;
}
