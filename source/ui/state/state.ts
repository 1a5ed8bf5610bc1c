import type {AnswerFacts} from '../../app/discover.ts';
import type {Existing} from '../../existing/cleanup-plan.ts';
import {KEEP_EXISTING} from '../../existing/cleanup-plan.ts';
import type {InputError} from '../../lib/errors.ts';
import {unknown} from '../../lib/fact.ts';
import type {Opening} from '../../policy/opening.ts';
import {completePolicy, type Policy, type PolicyPart, type Role} from '../../policy/policy.ts';
import type {Services} from '../../policy/services.ts';

/**
 * The steps, in their order. The step Neighbours is left out where no other firewall's rules exist:
 * see `stepsOf`.
 */
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
/** `alternatives` is a view of Ports: other ways to protect the focused port. */
export type StepView = ReviewView | 'alternatives';

/** The result of applying, in one line; or what went wrong, and what the user can do. */
export type Outcome =
	| {readonly ok: true; readonly message: string}
	| {
			readonly ok: false;
			readonly message: string;
			readonly hint: string;
			/** The new rules were loaded, and the old ones were restored. */
			readonly rolledBack: boolean;
	  };

/** The phase of applying. */
export type Applying =
	| {readonly phase: 'asking'}
	| {readonly phase: 'loading'}
	/**
	 * The rules are loaded, and are rolled back when the time is over. Where `keepable` is true,
	 * Enter confirms them; otherwise the word must be typed.
	 */
	| {
			readonly phase: 'waiting';
			readonly secondsLeft: number;
			readonly logins: readonly string[];
			readonly doubt?: string;
			readonly keepable: boolean;
			/** What stays open or closed beside the policy, a line each. */
			readonly beside?: readonly string[];
	  }
	| {readonly phase: 'deciding'};

export const ASKING: Applying = {phase: 'asking'};

/**
 * The openings that a text names. Where it is no valid list of openings, there are none, and
 * `error` says what is wrong.
 */
export type Entered = {
	readonly openings: readonly Opening[];
	readonly error?: InputError;
};

export const NOTHING_ENTERED: Entered = {openings: []};

/** The state of the wizard. Everything that the wizard shows is derived from this value. */
export type Flow = {
	readonly step: Step;
	readonly policy: Policy;
	/** The user gave or edited the openings, so another role does not replace them. */
	readonly openingsChosen: boolean;
	/** The index of the focused choice in the step's list. In Ports, -1 stands for the field. */
	readonly focus: number;
	/** The text in the step's field. */
	readonly field: string;
	/** The openings in the field of Ports. Parsed when its text changes; empty in other steps. */
	readonly entered: Entered;
	readonly view: StepView;
	/** The index of the first visible line of a text that scrolls. */
	readonly offset: number;
	readonly applying: Applying;
	readonly outcome: Outcome | undefined;
	/** The roles in the order in which they are offered, the recommended one first. */
	readonly roles: readonly Role[];
	/** The user gave or chose the role, so a recommendation does not replace it. */
	readonly roleChosen: boolean;
	readonly services: Services;
	readonly known: AnswerFacts;
	/** What the user decided about the existing rules of other programs. */
	readonly existing: Existing;
};

const NOT_YET = unknown('fw-wizard is still looking for it');

export const NOTHING_KNOWN: AnswerFacts = {
	listeners: NOT_YET,
	protocols: NOT_YET,
	published: NOT_YET,
	recommendation: NOT_YET,
	choices: NOT_YET,
	guests: NOT_YET,
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
	/** Scrolls by a number of lines, backwards if negative. `last` is the highest possible offset. */
	| {readonly type: 'scroll'; readonly by: number; readonly last: number}
	| {readonly type: 'applying'; readonly applying: Applying}
	/** Adds the openings without which the user would be locked out. */
	| {readonly type: 'open'; readonly openings: readonly Opening[]}
	| {readonly type: 'learn'; readonly known: AnswerFacts}
	| {readonly type: 'outcome'; readonly outcome: Outcome};

/**
 * The first state, with the answers that are known already.
 * @param roles the roles to offer, the recommended one first
 */
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

/** The steps that the wizard goes through on this machine. */
export function stepsOf({known}: Pick<Flow, 'known'>): readonly Step[] {
	const {value: choices = []} = known.choices;
	return choices.length === 0 ? STEPS.filter((step) => step !== 'neighbours') : STEPS;
}
