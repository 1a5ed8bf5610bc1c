import {HELPERS} from '../policy/helpers.ts';
import {InputError} from '../policy/input-error.ts';
import {mergeOpenings} from '../policy/merge.ts';
import {completePolicy, defaultPolicy, type Policy, VERDICTS} from '../policy/policy.ts';
import {type Opening, parseOpenings} from '../policy/port.ts';
import {ASKING, type Flow, type FlowEvent, STEPS, type Step} from './flow-state.ts';

export function reduceFlow(flow: Flow, event: FlowEvent): Flow {
	switch (event.type) {
		case 'focus':
			return {...flow, focus: clamp(event.index, flow.step === 'ports' ? -1 : 0, lastChoice(flow))};
		case 'choose':
			return choose(flow, event.index);
		case 'toggle':
			return flow.step === 'helpers'
				? {...flow, policy: toggleHelper(flow.policy, event.index)}
				: flow;
		case 'toggle-log':
			return {...flow, policy: {...flow.policy, log: !flow.policy.log}};
		case 'type':
			return {...flow, field: event.text, focus: flow.step === 'ports' ? -1 : flow.focus};
		case 'submit':
			return submit(flow);
		case 'remove':
			return removeOpening(flow);
		case 'next':
			return enter(flow, 1);
		case 'back':
			return back(flow);
		case 'view':
			return {...flow, view: event.view, offset: 0};
		case 'scroll':
			// A wider terminal may have made the text shorter than the offset.
			return {
				...flow,
				offset: clamp(Math.min(flow.offset, event.last) + event.by, 0, event.last),
			};
		case 'applying':
			// What is being typed stays while the seconds pass.
			return {
				...flow,
				applying: event.applying,
				field: event.applying.phase === flow.applying.phase ? flow.field : '',
				outcome: undefined,
			};
		case 'open':
			return withOpenings(flow, event.openings);
		case 'outcome':
			return {...enter({...flow, applying: ASKING}, 1), outcome: event.outcome};
	}
}

/** What the policy would be if the focused choice were taken: the rules panel shows the difference. */
export function focusedPolicy(flow: Flow): Policy {
	switch (flow.step) {
		case 'role':
		case 'rejection':
			return choose(flow, flow.focus).policy;
		case 'helpers':
			return toggleHelper(flow.policy, flow.focus);
		case 'ports':
			return flow.focus === -1
				? {
						...flow.policy,
						openings: mergeOpenings([...flow.policy.openings, ...readField(flow).openings]),
					}
				: removeOpening(flow).policy;
		default:
			return flow.policy;
	}
}

/** The openings in the field, or what is wrong with them. */
export function readField({field, services}: Pick<Flow, 'field' | 'services'>): {
	readonly openings: readonly Opening[];
	readonly error?: InputError;
} {
	try {
		return {openings: parseOpenings(field, services)};
	} catch (error) {
		if (error instanceof InputError) {
			return {openings: [], error};
		}

		throw error;
	}
}

/** Whether keys are text: then digits and letters mean themselves. */
export function isTyping({step, view}: Flow): boolean {
	return step === 'ports' || (step === 'review' && view === 'packet');
}

function choose(flow: Flow, index: number): Flow {
	switch (flow.step) {
		case 'role': {
			const role = flow.roles[index] ?? flow.policy.role;
			const openings = flow.openingsChosen ? flow.policy.openings : defaultPolicy(role).openings;
			return enter({...flow, policy: {...flow.policy, role, openings}}, 1);
		}

		case 'rejection':
			return enter(
				{...flow, policy: {...flow.policy, verdict: VERDICTS[index] ?? flow.policy.verdict}},
				1,
			);
		default:
			return flow;
	}
}

function toggleHelper(policy: Policy, index: number): Policy {
	const name = HELPERS[index]?.name;
	const chosen = policy.helpers.filter((helper) => helper !== name);
	return name === undefined
		? policy
		: completePolicy(
				{helpers: chosen.length < policy.helpers.length ? chosen : [...chosen, name]},
				policy,
			);
}

/** Enter in Ports: takes over what was typed; with an empty field, goes on. An error stays where it is. */
function submit(flow: Flow): Flow {
	if (flow.step !== 'ports') {
		return flow;
	}

	if (flow.field.trim() === '') {
		return enter(flow, 1);
	}

	const {openings, error} = readField(flow);
	return error === undefined ? {...withOpenings(flow, openings), field: ''} : flow;
}

function withOpenings(flow: Flow, openings: readonly Opening[]): Flow {
	return {
		...flow,
		openingsChosen: true,
		policy: completePolicy({openings: [...flow.policy.openings, ...openings]}, flow.policy),
	};
}

function removeOpening(flow: Flow): Flow {
	const openings = flow.policy.openings.filter((_, index) => index !== flow.focus);
	return flow.step !== 'ports' || openings.length === flow.policy.openings.length
		? flow
		: {
				...flow,
				openingsChosen: true,
				focus: Math.min(flow.focus, openings.length - 1),
				policy: {...flow.policy, openings},
			};
}

function back(flow: Flow): Flow {
	if (flow.applying.phase !== 'asking' || (flow.step === 'result' && flow.outcome?.ok)) {
		return flow;
	}

	if (flow.step === 'review' && flow.view !== 'rules') {
		return {...flow, view: 'rules', offset: 0, field: ''};
	}

	// The checklist after a boot leads to the wizard; rules that did not load, to Review.
	return flow.step === 'result'
		? goTo(flow, flow.outcome === undefined ? 'welcome' : 'review')
		: enter(flow, -1);
}

/** Goes to a step by its name. */
function goTo(flow: Flow, step: Step): Flow {
	return enter(flow, STEPS.indexOf(step) - STEPS.indexOf(flow.step));
}

/** Goes to another step; its list starts at the answer that stands. */
function enter(flow: Flow, by: number): Flow {
	const step = STEPS[clamp(STEPS.indexOf(flow.step) + by, 0, STEPS.length - 1)] ?? flow.step;
	const focus = {
		role: flow.roles.indexOf(flow.policy.role),
		rejection: VERDICTS.indexOf(flow.policy.verdict),
		ports: -1,
	} as Partial<Record<Step, number>>;
	return {...flow, step, focus: focus[step] ?? 0, field: '', view: 'rules', offset: 0};
}

function lastChoice({step, policy, roles}: Flow): number {
	const counts: Partial<Record<Step, number>> = {
		role: roles.length,
		rejection: VERDICTS.length,
		helpers: HELPERS.length,
		ports: policy.openings.length,
		apply: 2,
	};
	return (counts[step] ?? 1) - 1;
}

function clamp(value: number, least: number, most: number): number {
	return Math.max(least, Math.min(value, most));
}
