import type {Known} from '../../app/discover.ts';
import type {Existing} from '../../existing/cleanup-plan.ts';
import {KEEP_EXISTING} from '../../existing/cleanup-plan.ts';
import type {InputError} from '../../lib/errors.ts';
import type {Opening} from '../../policy/opening.ts';
import {completePolicy, type Policy, type PolicyPart, type Role} from '../../policy/policy.ts';
import type {Services} from '../../policy/services.ts';

/** The steps, in their order. Neighbours only where there is something to decide: see `stepsOf`. */
export const STEPS = [
	'welcome',
	'neighbours',
	'role',
	'rejection',
	'helpers',
	'ports',
	'review',
	'proof',
	'apply',
	'result',
] as const;
export type Step = (typeof STEPS)[number];

export const REVIEW_VIEWS = ['rules', 'restore', 'commands', 'exposure', 'packet'] as const;
export type ReviewView = (typeof REVIEW_VIEWS)[number];
/** In Ports: how to do without the focused port. */
export type StepView = ReviewView | 'alternatives';

/** What applying came to, in a line, or what went wrong and what to do. */
export type Outcome =
	| {readonly ok: true; readonly message: string}
	| {
			readonly ok: false;
			readonly message: string;
			readonly hint: string;
			/** Rules were loaded, and put back. */
			readonly rolledBack: boolean;
	  };

/** How far applying is. */
export type Applying =
	| {readonly phase: 'asking'}
	| {readonly phase: 'loading'}
	/** Loaded, and rolled back when the time is over. `keepable` without typing the word. */
	| {
			readonly phase: 'waiting';
			readonly secondsLeft: number;
			readonly logins: readonly string[];
			readonly keepable: boolean;
	  }
	| {readonly phase: 'deciding'};

export const ASKING: Applying = {phase: 'asking'};

/** The openings that a text names; where it names none, what is wrong with it. */
export type Entered = {
	readonly openings: readonly Opening[];
	readonly error?: InputError;
};

export const NOTHING_ENTERED: Entered = {openings: []};

/** The state of the wizard. Everything that it shows is derived from this value. */
export type Flow = {
	readonly step: Step;
	readonly policy: Policy;
	/** The opening list was said or edited, so that another role does not replace it. */
	readonly openingsChosen: boolean;
	/** Which choice of the step's list has the focus; in Ports -1 is the field. */
	readonly focus: number;
	/** What stands in the step's field. */
	readonly field: string;
	/** What the text in the field of Ports opens, parsed when it changes. */
	readonly entered: Entered;
	readonly view: StepView;
	/** The first line shown of a text that scrolls. */
	readonly offset: number;
	readonly applying: Applying;
	readonly outcome: Outcome | undefined;
	/** The recommended one first. */
	readonly roles: readonly Role[];
	/** The role was said or chosen, so that a recommendation does not replace it. */
	readonly roleChosen: boolean;
	readonly services: Services;
	readonly known: Known;
	/** What becomes of rules that are there already. */
	readonly existing: Existing;
};

export const NOTHING_KNOWN: Known = {
	listeners: undefined,
	published: undefined,
	recommendation: undefined,
	choices: undefined,
};

export type FlowEvent =
	| {readonly type: 'focus'; readonly index: number}
	| {readonly type: 'choose'; readonly index: number}
	| {readonly type: 'toggle'; readonly index: number}
	| {readonly type: 'toggle-log'}
	| {readonly type: 'type'; readonly text: string}
	| {readonly type: 'submit'}
	| {readonly type: 'remove'}
	| {readonly type: 'next'}
	| {readonly type: 'back'}
	| {readonly type: 'view'; readonly view: StepView}
	/** By how many lines, and how far the text can be scrolled at most. */
	| {readonly type: 'scroll'; readonly by: number; readonly last: number}
	| {readonly type: 'applying'; readonly applying: Applying}
	/** Lets in what is missing: the openings of the one-key fix. */
	| {readonly type: 'open'; readonly openings: readonly Opening[]}
	| {readonly type: 'learn'; readonly known: Known}
	| {readonly type: 'outcome'; readonly outcome: Outcome};

/** The first state, with the answers that are known already. `roles` begins with the recommended one. */
export function startFlow(
	preset: PolicyPart,
	roles: readonly Role[],
	services: Services,
	step: 'welcome' | 'apply' | 'result' = 'welcome',
): Flow {
	const role = preset.role ?? roles[0] ?? 'workstation';
	const policy = completePolicy({...preset, role});
	return {
		step,
		policy,
		openingsChosen: preset.openings !== undefined,
		focus: 0,
		field: '',
		entered: NOTHING_ENTERED,
		view: 'rules',
		offset: 0,
		applying: ASKING,
		outcome: undefined,
		roles,
		roleChosen: preset.role !== undefined,
		services,
		known: NOTHING_KNOWN,
		existing: KEEP_EXISTING,
	};
}

/** The steps that this machine needs. */
export function stepsOf({known}: Pick<Flow, 'known'>): readonly Step[] {
	return known.choices === undefined || known.choices.length === 0
		? STEPS.filter((step) => step !== 'neighbours')
		: STEPS;
}
