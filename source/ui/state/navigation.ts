import {HELPERS} from '../../policy/helpers.ts';
import {VERDICTS} from '../../policy/policy.ts';
import {rowsOf, withField} from './ports.ts';
import {type Flow, type Step, stepsOf} from './state.ts';

/**
 * Goes back: from another view of the step to its rules or list, else to the step before. Once rules
 * are loaded there is no way back.
 */
export function goBack(flow: Flow): Flow {
	if (flow.applying.phase !== 'asking' || (flow.step === 'result' && flow.outcome?.ok)) {
		return flow;
	}

	if ((flow.step === 'review' || flow.step === 'ports') && flow.view !== 'rules') {
		const next: Flow = {...flow, view: 'rules', offset: 0};
		return flow.step === 'review' ? withField(next, '') : next;
	}

	// From the checklist after a boot, Esc leads to the wizard; from rules that could not be loaded,
	// to Review.
	return flow.step === 'result'
		? goTo(flow, flow.outcome === undefined ? 'welcome' : 'review')
		: enter(flow, -1);
}

/** Goes to the step with this name. */
function goTo(flow: Flow, step: Step): Flow {
	const steps = stepsOf(flow);
	return enter(flow, steps.indexOf(step) - steps.indexOf(flow.step));
}

/**
 * Goes a number of steps forward or back. The list of the new step starts at the current answer.
 */
export function enter(flow: Flow, by: number): Flow {
	const steps = stepsOf(flow);
	const step = steps[clamp(steps.indexOf(flow.step) + by, 0, steps.length - 1)] ?? flow.step;
	const focus = {
		neighbours: Math.max(
			0,
			flow.known.choices.value?.findIndex(({existing}) => existing === flow.existing) ?? 0,
		),
		role: flow.roles.indexOf(flow.policy.role),
		rejection: VERDICTS.indexOf(flow.policy.verdict),
		ports: -1,
	} as Partial<Record<Step, number>>;
	return withField({...flow, step, focus: focus[step] ?? 0, view: 'rules', offset: 0}, '');
}

/** The index of the last choice in the step's list. */
export function lastChoice(flow: Flow): number {
	const {step, roles, known} = flow;
	const counts: Partial<Record<Step, number>> = {
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
