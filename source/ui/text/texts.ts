import type {ApplyRequest} from '../../app/apply-request.ts';
import {keepsAll} from '../../existing/cleanup-plan.ts';
import type {Elevation} from '../../lib/command-line.ts';
import type {Helper} from '../../policy/helpers.ts';
import type {Role, Verdict} from '../../policy/policy.ts';
import type {Asks, Flow, HOME_CHOICES, Step, UNDO_CHOICES} from '../state/state.ts';
import {glyphs, screenReader} from '../theme.ts';
import {truncate} from './truncate.ts';

/**
 * The texts of the wizard, without their layout. They are plain ASCII, which every terminal can
 * draw.
 */

export const STEP_NAMES: Readonly<Record<Step, string>> = {
	home: 'Home',
	welcome: 'Welcome',
	neighbours: 'Existing rules',
	role: 'Role',
	rejection: 'Rejection',
	helpers: 'Helpers',
	ports: 'Ports',
	review: 'Review',
	proof: 'Proof',
	apply: 'Apply',
	result: 'Result',
};

export const QUESTIONS: Readonly<Record<Exclude<Step, 'welcome'>, string>> = {
	home: 'The firewall of this machine',
	neighbours: 'There are rules already. Keep or remove them?',
	role: 'What is this machine?',
	rejection: 'What happens to a blocked connection?',
	helpers: 'Which old protocols are in use? Most machines: none',
	ports: 'Which ports should be open?',
	review: 'This is what changes. Nothing is loaded yet',
	proof: 'Does it do what you chose? Tried with real packets',
	apply: 'Load these rules now?',
	result: 'Will it hold? The checklist for the next boot',
};

export const ROLE_TEXTS: Readonly<
	Record<Role, {readonly label: string; readonly meaning: string}>
> = {
	workstation: {
		label: 'Workstation',
		meaning:
			'It uses services of other machines. They cannot connect to it; ping and answers to its own connections pass.',
	},
	server: {
		label: 'Server',
		meaning: 'Other machines use its services. They can connect only to the ports that you open.',
	},
};

export const VERDICT_TEXTS: Readonly<Record<Verdict, string>> = {
	reject: 'Reject: say "port unreachable" at once',
	reset: 'Reset: answer as a closed port does',
	drop: 'Drop: do not answer',
};

/** Which connections a helper is for: those from this machine, those to it, or both. */
export function helperDirection({client, server}: Helper): string {
	return [
		...(client ? ['connections from this machine'] : []),
		...(server ? ['connections to this machine, once its port is open'] : []),
	].join('; ');
}

export const APPLY_TEXT = 'Apply: load the rules';
export const ELEVATE_TEXTS: Readonly<Record<Elevation, string>> = {
	sudo: 'Continue as root, through sudo',
	su: 'Continue as root, through su',
};
/** Printed before sudo or su asks for a password. */
export const ELEVATION_ANNOUNCEMENTS: Readonly<Record<Elevation, string>> = {
	sudo: 'To load the rules, fw-wizard continues as root. sudo may ask for your own password.',
	su: 'To load the rules, fw-wizard continues as root. su asks for the password of root.',
};
/**
 * What happens if the rules are not confirmed. The most important sentence comes first, since a low
 * terminal cuts off the end.
 */
export function safetyText({existing, rehearsal}: ApplyRequest, seconds: number): string {
	return `Unless confirmed within ${seconds} s, the old rules are restored automatically. ${rehearsal === false ? 'They are loaded without a trial.' : 'They are tried in an isolated copy first.'} ${keepsAll(existing) ? 'The rules of other programs stay.' : 'Existing rules: as you chose.'}`;
}
export const ELEVATION_TEXT =
	'Only root can load rules. Your answers come along, and nothing is loaded before you say so there.';

/** The choices of Welcome. */
export const WELCOME_TEXTS: Readonly<
	Record<Asks | 'quit', {readonly label: string; readonly note?: string}>
> = {
	nothing: {label: 'Review this setup', note: ' (nothing changes yet)'},
	ports: {label: 'Change what is open'},
	everything: {label: 'Answer each question'},
	quit: {label: 'Quit'},
};

/** The choices of Home, and of its question. */
export const HOME_TEXTS: Readonly<
	Record<(typeof HOME_CHOICES)[number], {readonly label: string; readonly note?: string}>
> = {
	ports: {label: 'Change what is open'},
	check: {label: 'Check everything', note: ' (the running rules and the next boot)'},
	blocked: {label: 'What was blocked'},
	undo: {label: 'Undo the last change'},
	over: {label: 'Start over', note: ' (from the recommended setup)'},
	quit: {label: 'Quit'},
};
export const UNDO_TEXTS: Readonly<Record<(typeof UNDO_CHOICES)[number], {readonly label: string}>> =
	{undo: {label: 'Undo it now'}, back: {label: 'Go back'}};

/** What follows the ports in the list of what was blocked. */
export const BLOCKED_TEXTS = {
	log: {label: 'Log blocked packets', note: ' (at most 10 a minute)'},
	back: {label: 'Go back'},
} as const;

/** The last paragraph of Welcome. */
export function safetyNote(seconds: number): string {
	return `Nothing is changed before Apply. Then the old rules are restored within ${seconds} s, unless you log in again.`;
}

/**
 * The seconds that the countdown shows. A screen reader reads each change, so it gets steps of ten
 * or five seconds, rounded down.
 */
export function secondsText(seconds: number): number {
	const step = !screenReader ? 1 : seconds > 10 ? 10 : 5;
	return step * Math.floor(seconds / step);
}

/**
 * The name and the number of the step, where the line has no room for the names of all steps; else
 * undefined.
 */
export function railOf(step: Step, steps: readonly Step[], columns: number): string | undefined {
	const all = steps.map((name) => STEP_NAMES[name]).join(` ${glyphs.step} `);
	return all.length <= columns && !screenReader
		? undefined
		: truncate(`Step ${steps.indexOf(step) + 1} of ${steps.length}: ${STEP_NAMES[step]}`, columns);
}

/** The machine and the user, with a line behind them up to the last column. */
export function headLine(head: string, columns: number): string {
	const text = truncate(head, columns - 2);
	return `${text} ${glyphs.line.repeat(Math.max(0, columns - text.length - 1))}`;
}

/** The question of the step, at this moment. @param headline what Welcome says in its place */
export function questionOf({step, applying, outcome}: Flow, headline: string): string {
	if (applying.phase === 'waiting') {
		return 'Can you still log in?';
	}

	return step === 'welcome'
		? headline
		: step === 'result' && outcome?.ok === false
			? 'These rules are not loaded'
			: QUESTIONS[step];
}

/** The words that the user must type before an action that a single key could start by mistake. */
export const KEEP_WORD = 'keep';
export const LOCK_OUT_WORD = 'lock me out';
export const REBOOT_WORD = 'reboot';
