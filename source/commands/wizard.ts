import process from 'node:process';
import {readAppliedPolicy} from '../change/applied.ts';
import {gatherFacts} from '../host/machine/facts.ts';
import {firstFacts} from '../host/machine/facts-sync.ts';
import {isRehearsal} from '../host/rehearsal/is-rehearsal.ts';
import {HostError} from '../lib/errors.ts';
import {KeyStream} from '../ui/keys/input-stream.ts';
import {Screen} from '../ui/terminal/alternate-screen.ts';
import {firstFrame} from '../ui/terminal/first-frame.ts';
import {describeMachine} from '../ui/text/welcome.ts';
import {parseBoot} from './options/boot.ts';
import {parseSeconds} from './options/confirm-within.ts';
import {type ExistingFlags, readExisting} from './options/existing.ts';
import {type PolicyFlags, readPolicyPart} from './options/policy.ts';

const BANNER = 'REHEARSAL: a private copy. The real machine stays as it is.';

export type WizardFlags = PolicyFlags &
	ExistingFlags & {
		readonly confirmWithin?: string;
		readonly boot?: string;
		/** False with --no-color. */
		readonly color?: boolean;
		/** Open on Apply: root goes on where an ordinary user could not. */
		readonly atApply?: boolean;
	};

/**
 * `fw-wizard`: the wizard. Draws its first frame before it looks at the machine and before it loads
 * what draws the others.
 * @returns the exit code: 0 kept, 4 rolled back, 130 left before anything was loaded
 */
export async function startWizard(flags: WizardFlags): Promise<number> {
	const seconds = parseSeconds(flags.confirmWithin);
	const existing = readExisting(flags);
	const boot = parseBoot(flags.boot);
	if (!process.stdin.isTTY || !process.stdout.isTTY || process.env.TERM === 'dumb') {
		throw new HostError(
			'The wizard needs a terminal with a cursor, and this is none',
			'Without one: fw-wizard rules --role server, then fw-wizard apply --role server',
		);
	}

	const first = firstFacts();
	const preset = {
		// The answers of an ordinary user are whole: what was applied before must not add to them.
		...(flags.atApply ? {} : readAppliedPolicy(first.services)),
		...readPolicyPart(flags, first.services),
	};
	const colour = prepareColour(flags);
	const banner = isRehearsal() ? BANNER : undefined;
	const keys = new KeyStream(process.stdin);
	const screen = new Screen(process.stdout, keys);
	// A serial line does not say how large its terminal is: 0. Ink takes the same then.
	const [columns, rows] = [process.stdout.columns || 80, process.stdout.rows || 24];
	if (!flags.atApply) {
		screen.open(firstFrame({columns, rows, banner, findings: describeMachine(first), colour}));
	}

	try {
		const gathered = gatherFacts(first);
		// Whatever goes wrong with it is told below, once both are there.
		gathered.catch(() => {});
		const {openWizard} = await import('./wizard-session.ts');
		const {atApply = false} = flags;
		const facts = await gathered;
		return await openWizard({
			preset,
			existing,
			atApply,
			seconds,
			boot,
			banner,
			keys,
			screen,
			facts,
		});
	} finally {
		screen.close();
		keys.stop();
	}
}

/** Whether there is colour. The libraries read it from the environment when they are loaded. */
function prepareColour({color}: WizardFlags): boolean {
	// Any value but an empty one: https://no-color.org
	const colour = color !== false && !process.env.NO_COLOR;
	if (!colour) {
		process.env.FORCE_COLOR = '0';
	}

	return colour;
}
