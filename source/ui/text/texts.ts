import type {ApplyRequest} from '../../app/apply-request.ts';
import {keepsAll} from '../../existing/cleanup-plan.ts';
import type {Elevation} from '../../host/exec/elevation.ts';
import type {Helper} from '../../policy/helpers.ts';
import type {Role, Verdict} from '../../policy/policy.ts';
import type {Flow, Step} from '../state/state.ts';
import {glyphs, screenReader} from '../theme.ts';
import {truncate} from './truncate.ts';

/**
 * The texts of the wizard, without their layout. They are plain ASCII, which every terminal can
 * draw.
 */

export const STEP_NAMES: Readonly<Record<Step, string>> = {
	welcome: 'Welcome',
	neighbours: 'Neighbours',
	role: 'Role',
	rejection: 'Rejection',
	helpers: 'Helpers',
	ports: 'Ports',
	review: 'Review',
	proof: 'Proof',
	apply: 'Apply',
	result: 'Result',
};

export const QUESTIONS: Readonly<Record<Step, string>> = {
	welcome: 'A firewall for this machine',
	neighbours: 'There are rules here already. What becomes of them?',
	role: 'What is this machine?',
	rejection: 'What happens to a connection that is not let in?',
	helpers: 'Which old protocols need help? Most machines: none',
	ports: 'What is let in?',
	review: 'These are the rules. Nothing is loaded yet',
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
			'It asks, nobody asks it. Answers to its own connections and ping come in, nothing else does.',
	},
	server: {
		label: 'Server',
		meaning: 'Others use its services. The ports that you open are let in, nothing else is.',
	},
};

export const VERDICT_TEXTS: Readonly<Record<Verdict, string>> = {
	reject: 'Reject: refuse with "port unreachable"',
	reset: 'Reset: refuse as a closed port does',
	drop: 'Drop: do not answer at all',
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
	sudo: 'Go on as root, through sudo',
	su: 'Go on as root, through su',
};
/** Printed before sudo or su asks for a password. */
export const ELEVATION_ANNOUNCEMENTS: Readonly<Record<Elevation, string>> = {
	sudo: 'To load the rules, fw-wizard goes on as root. sudo may ask for your own password.',
	su: 'To load the rules, fw-wizard goes on as root. su asks for the password of root.',
};
/**
 * What happens if the rules are not confirmed. The most important sentence comes first, since a low
 * terminal cuts off the end.
 */
export function safetyText({existing, rehearsal}: ApplyRequest, seconds: number): string {
	return `Unless confirmed within ${seconds} s, the old rules come back by themselves. ${rehearsal === false ? 'They are loaded without a trial.' : 'They are tried in a throw-away namespace first.'} ${keepsAll(existing) ? 'The rules of other programs stay.' : 'The rules of others: as you chose.'}`;
}
export const ELEVATION_TEXT =
	'Only root can load rules. Your answers come along, and nothing is loaded before you say so there.';

/** The last paragraph of Welcome. */
export const REASSURANCE =
	'Nothing is changed before you say so in the step Apply. Even then the old rules come back by themselves, unless you show that you can still log in.';

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

/** The question of the step, at this moment. */
export function questionOf({step, applying, outcome}: Flow): string {
	if (applying.phase === 'waiting') {
		return 'Can you still log in?';
	}

	return step === 'result' && outcome?.ok === false
		? 'These rules are not loaded'
		: QUESTIONS[step];
}

/** The words that the user must type before an action that a single key could start by mistake. */
export const KEEP_WORD = 'keep';
export const LOCK_OUT_WORD = 'shut';
export const REBOOT_WORD = 'reboot';
