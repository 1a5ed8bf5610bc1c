import type {AnswerFacts} from '../../app/discover.ts';
import type {BlockedLog} from '../../app/inspect/log.ts';
import {type Existing, KEEP_EXISTING} from '../../existing/cleanup-plan.ts';
import type {InputError} from '../../lib/errors.ts';
import {unknown} from '../../lib/fact.ts';
import type {Opening} from '../../policy/opening.ts';
import {completePolicy, type Policy, type PolicyPart, type Role} from '../../policy/policy.ts';
import type {PublishedChoice} from '../../policy/published.ts';
import type {Services} from '../../policy/services.ts';
import type {AccessPort} from '../../ruleset/lockout.ts';
import type {LineEdit} from './line-editor.ts';

/** The steps, in their order. `stepsOf` leaves out those that ask nothing here. */
export const STEPS = [
	'home',
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

export const REVIEW_VIEWS = ['summary', 'rules', 'restore', 'commands', 'packet'] as const;
type ReviewView = (typeof REVIEW_VIEWS)[number];
/**
 * `rules` is also the list of every other step. `blocked` is a view of Home: what was blocked. `all-rules` is a view of Review: each rule in a line of its own.
 * `alternatives` is a view of Ports: other ways to protect the focused port. `undo` is the question of Home.
 * `unfinished` is a view of Proof, and of Apply after it: Enter was pressed while the proof runs.
 * `awaited` is a view of Apply: the rules are loaded as soon as they are proven.
 */
export type StepView =
	| ReviewView
	| 'all-rules'
	| 'alternatives'
	| 'undo'
	| 'blocked'
	| 'unfinished'
	| 'awaited';

/** The result of applying, in one line; or what went wrong, and what the user can do. */
export type Outcome =
	| {readonly ok: true; readonly message: string}
	| {
			readonly ok: false;
			readonly message: string;
			readonly hint: string;
			/** The new rules were loaded, and the old ones were restored. */
			readonly rolledBack: boolean;
			/** What is loaded now is not known. */
			readonly unsure?: true;
	  };

/** A field whose text stays when its user leaves it. A word that confirms must be typed anew each time. */
export type FieldPlace = 'ports' | 'packet';

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

/** What the wizard asks between Welcome and Review: nothing, which ports are open, or each question. */
export const ASKS = ['nothing', 'ports', 'everything'] as const;
export type Asks = (typeof ASKS)[number];
/** The choices of Welcome: to continue with that many questions, or to leave. */
export const WELCOME_CHOICES = [...ASKS, 'quit'] as const;

/** The choices of Home. */
export const HOME_CHOICES = ['ports', 'check', 'blocked', 'undo', 'over', 'quit'] as const;
/** The answers to whether a change is to be undone. */
export const UNDO_CHOICES = ['undo', 'back'] as const;

/** The state of the wizard. Everything that the wizard shows is derived from this value. */
export type Flow = {
	readonly step: Step;
	/** The step that the walk begins with. */
	readonly entrance: 'home' | 'welcome';
	/** The state in which Home opens, with the applied policy; undefined where there is no Home. */
	readonly home: Flow | undefined;
	/** What is asked. Where it is not everything, the other answers are as recommended, or as flags say. */
	readonly asks: Asks;
	/** Whether Helpers is asked where it would not be: among all questions, since flags have chosen one, or in any case. */
	readonly asksHelpers: 'never' | 'among all' | 'always';
	readonly policy: Policy;
	/** The user gave or edited the openings, so another role does not replace them. */
	readonly openingsChosen: boolean;
	/** The index of the focused choice in the step's list. In Ports, -1 stands for the field. */
	readonly focus: number;
	/** The text in the step's field, and where its cursor is: see `EditedLine`. */
	readonly field: string;
	readonly cursor: number;
	/** The texts that were left in fields, for when their user comes back. */
	readonly drafts: Readonly<Partial<Record<FieldPlace, string>>>;
	/** The openings that the last key has put in the place of wider ones. */
	readonly narrowed: readonly Opening[];
	/** The openings in the field of Ports. Parsed when its text changes; empty in other steps. */
	readonly entered: Entered;
	readonly view: StepView;
	/** The index of the first visible line of a text that scrolls. */
	readonly offset: number;
	readonly applying: Applying;
	readonly outcome: Outcome | undefined;
	/** What was blocked, once Home has asked for it. */
	readonly blocked: BlockedLog | 'unreadable' | undefined;
	/** What is said at the end where no policy is applied: how an undo failed, or that something was fixed. */
	readonly parting: Outcome | 'looked' | undefined;
	/** The roles in the order in which they are offered, the recommended one first. */
	readonly roles: readonly Role[];
	/** The user gave or chose the role, so a recommendation does not replace it. */
	readonly roleChosen: boolean;
	readonly services: Services;
	/** The ports through which the user is connected, which stay open unless the user says otherwise. */
	readonly access: readonly AccessPort[];
	readonly known: AnswerFacts;
	/** What the user decided about the existing rules of other programs. */
	readonly existing: Existing;
	/** What the user said decides on ports that containers publish. Undefined: what is recommended. */
	readonly published: PublishedChoice | undefined;
};

const NOT_YET = unknown('fw-wizard has not read it yet');

export const NOTHING_KNOWN: AnswerFacts = {
	listeners: NOT_YET,
	protocols: NOT_YET,
	published: NOT_YET,
	publishing: NOT_YET,
	recommendation: NOT_YET,
	choices: NOT_YET,
	guests: NOT_YET,
	peers: NOT_YET,
};

export type FlowEvent =
	| {readonly type: 'focus'; readonly index: number}
	| {readonly type: 'choose'; readonly index: number}
	| {readonly type: 'toggle'; readonly index: number}
	| {readonly type: 'toggle-log'}
	/** Puts a text into the field, in place of what it has. */
	| {readonly type: 'type'; readonly text: string}
	| {readonly type: 'edit'; readonly edit: LineEdit}
	| {readonly type: 'submit'}
	| {readonly type: 'remove'}
	/** Limits what the focused line of Ports opens, or ends that. */
	| {readonly type: 'limit'}
	/** Opens the focused line of Ports through one interface alone. */
	| {readonly type: 'only'; readonly on: string}
	| {readonly type: 'next'}
	/** Goes to Helpers, which is not asked everywhere. */
	| {readonly type: 'ask-helpers'}
	| {readonly type: 'back'}
	| {readonly type: 'view'; readonly view: StepView}
	/** Scrolls by a number of lines, backwards if negative. `last` is the highest possible offset. */
	| {readonly type: 'scroll'; readonly by: number; readonly last: number}
	| {readonly type: 'applying'; readonly applying: Applying}
	/** Adds the openings without which the user would be locked out. */
	| {readonly type: 'open'; readonly openings: readonly Opening[]}
	| {readonly type: 'learn'; readonly known: AnswerFacts}
	| {readonly type: 'outcome'; readonly outcome: Outcome}
	/** Another policy is applied than Home began with. */
	| {readonly type: 'applied'; readonly policy: Policy}
	| {readonly type: 'blocked'; readonly log: BlockedLog | 'unreadable'}
	/** The checklist has fixed what it could. */
	| {readonly type: 'fixed'}
	| {readonly type: 'undo-failed'; readonly outcome: Outcome & {readonly ok: false}};

/**
 * The first state, with the answers that are known already.
 * @param roles the roles to offer, the recommended one first
 * @param access the ports through which the user is connected
 * @param existing what the flags say of the existing rules of other programs
 */
export function startFlow(
	preset: PolicyPart,
	roles: readonly Role[],
	services: Services,
	step: 'home' | 'welcome' | 'apply' = 'welcome',
	access: readonly AccessPort[] = [],
	existing: Existing = KEEP_EXISTING,
): Flow {
	const role = preset.role ?? roles[0] ?? 'workstation';
	const policy = completePolicy({...preset, role});
	const flow: Flow = {
		step,
		entrance: step === 'home' ? 'home' : 'welcome',
		home: undefined,
		asks: 'nothing',
		asksHelpers: policy.helpers.length > 0 ? 'among all' : 'never',
		policy,
		openingsChosen: preset.openings !== undefined,
		focus: 0,
		field: '',
		cursor: 0,
		drafts: {},
		narrowed: NOTHING_ENTERED.openings,
		entered: NOTHING_ENTERED,
		view: 'rules',
		offset: 0,
		applying: ASKING,
		outcome: undefined,
		parting: undefined,
		blocked: undefined,
		roles,
		roleChosen: preset.role !== undefined,
		services,
		access,
		known: NOTHING_KNOWN,
		existing,
		published: preset.published,
	};
	return step === 'home' ? {...flow, home: flow} : flow;
}
