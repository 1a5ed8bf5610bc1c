import type {LoggedPort} from '../../app/inspect/log.ts';
import {HELPERS} from '../../policy/helpers.ts';
import {VERDICTS} from '../../policy/policy.ts';
import {stepsOf} from './asked-steps.ts';
import {rowsOf, withDraft} from './ports.ts';
import {
	ASKS,
	type Flow,
	HOME_CHOICES,
	type Step,
	type StepView,
	UNDO_CHOICES,
	WELCOME_CHOICES,
} from './state.ts';

/**
 * Goes back: from another view of the step to its rules or list, else to the step before. Once rules
 * are loaded there is no way back.
 */
export function goBack(flow: Flow): Flow {
	if (flow.applying.phase !== 'asking' || (flow.step === 'result' && flow.outcome?.ok)) {
		return flow;
	}

	if (flow.step === 'home') {
		return flow.view === 'undo' || flow.view === 'blocked'
			? {
					...flow,
					view: 'rules',
					focus: HOME_CHOICES.indexOf(flow.view),
					offset: 0,
					outcome: undefined,
				}
			: flow;
	}

	const first = firstView(flow.step);
	if ((flow.step === 'review' || flow.step === 'ports') && flow.view !== first) {
		return withDraft(flow, {...flow, view: first, offset: 0});
	}

	// From the checklist of Home, Esc leads back; from rules that could not be loaded,
	// to Review.
	return flow.step === 'result'
		? enter(flow, flow.outcome === undefined ? flow.entrance : 'review')
		: enter(flow, -1);
}

/**
 * Goes to a step, or a number of steps forward or back. The list of the new step starts at the
 * current answer.
 */
export function enter(flow: Flow, to: Step | number): Flow {
	const steps = stepsOf(flow);
	const step =
		typeof to === 'string'
			? to
			: (steps[clamp(steps.indexOf(flow.step) + to, 0, steps.length - 1)] ?? flow.step);
	const focus = {
		welcome: ASKS.indexOf(flow.asks),
		neighbours: Math.max(
			0,
			flow.known.choices.value?.findIndex(({existing}) => existing === flow.existing) ?? 0,
		),
		role: flow.roles.indexOf(flow.policy.role),
		rejection: VERDICTS.indexOf(flow.policy.verdict),
		ports: -1,
	} as Partial<Record<Step, number>>;
	return withDraft(flow, {
		...flow,
		step,
		focus: focus[step] ?? 0,
		view: firstView(step),
		offset: 0,
	});
}

function firstView(step: Step): StepView {
	return step === 'review' ? 'summary' : 'rules';
}

/**
 * Moves the focus. The text about the newly focused choice is shown from its beginning; the field
 * of Ports has no such text.
 */
export function focusOn(flow: Flow, focus: number): Flow {
	return {
		...flow,
		focus,
		offset: focus === flow.focus ? flow.offset : 0,
		view: flow.step === 'ports' && focus === -1 ? 'rules' : flow.view,
	};
}

/** After a port scan there are thousands. */
const MOST_BLOCKED = 10;

/** The choices of Home and of its views: of what was blocked, a port that can be opened, to have it logged, or to go back. */
export function homeChoices({view, blocked}: Pick<Flow, 'view' | 'blocked'>) {
	return view === 'undo'
		? UNDO_CHOICES
		: view === 'blocked'
			? [
					...(typeof blocked === 'object'
						? blocked.ports.filter(canOpen).slice(0, MOST_BLOCKED)
						: []),
					...(typeof blocked === 'object' && blocked.logging === false ? ['log' as const] : []),
					'back' as const,
				]
			: HOME_CHOICES;
}

function canOpen({protocol, port, forwarded}: LoggedPort): boolean {
	return port !== undefined && (protocol === 'tcp' || protocol === 'udp') && !forwarded;
}

/** The index of the last choice in the step's list. */
export function lastChoice(flow: Flow): number {
	const {step, roles, known} = flow;
	const counts: Partial<Record<Step, number>> = {
		home: homeChoices(flow).length,
		welcome: WELCOME_CHOICES.length,
		neighbours: known.choices.value?.length ?? 0,
		role: roles.length,
		rejection: VERDICTS.length,
		helpers: HELPERS.length,
		ports: step === 'ports' ? rowsOf(flow).length : 0,
		apply: 2,
	};
	return (counts[step] ?? 1) - 1;
}

export function clamp(value: number, least: number, most: number): number {
	return Math.max(least, Math.min(value, most));
}
