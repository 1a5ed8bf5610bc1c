import type {AnswerFacts} from '../../app/discover.ts';
import {type Existing, existingFlags} from '../../existing/cleanup-plan.ts';
import {HELPERS} from '../../policy/helpers.ts';
import {mergeOpenings} from '../../policy/merge-openings.ts';
import {
	completePolicy,
	defaultPolicy,
	type Policy,
	type Role,
	VERDICTS,
} from '../../policy/policy.ts';
import {basicOf, openingsForGuests} from '../../services/guest-service.ts';
import {clamp, enter, goBack, lastChoice} from './navigation.ts';
import {closePort, rowsOf, togglePort, withField, withOpenings} from './ports.ts';
import {ASKING, type Flow, type FlowEvent} from './state.ts';

/** The state after an event. */
export function reduceFlow(flow: Flow, event: FlowEvent): Flow {
	switch (event.type) {
		case 'focus':
			return focusOn(flow, clamp(event.index, flow.step === 'ports' ? -1 : 0, lastChoice(flow)));
		case 'choose':
			return choose(flow, event.index);
		case 'toggle':
			return toggle(flow, event.index);
		case 'toggle-log':
			return {...flow, policy: {...flow.policy, log: !flow.policy.log}};
		case 'type':
			return withField(flow.step === 'ports' ? focusOn(flow, -1) : flow, event.text);
		case 'submit':
			return submit(flow);
		case 'remove':
			return flow.step === 'ports' ? closePort(flow, rowsOf(flow)[flow.focus]) : flow;
		case 'next':
			return enter(flow, 1);
		case 'back':
			return goBack(flow);
		case 'view':
			return {...flow, view: event.view, offset: 0};
		case 'scroll':
			// The text may have become shorter than the offset, as when the terminal was made wider.
			return {
				...flow,
				offset: clamp(Math.min(flow.offset, event.last) + event.by, 0, event.last),
			};
		case 'applying':
			// While the seconds count down, the typed text stays.
			return {
				...(event.applying.phase === flow.applying.phase ? flow : withField(flow, '')),
				applying: event.applying,
				outcome: undefined,
			};
		case 'learn':
			return learn(flow, event.known);
		case 'open':
			return withOpenings(flow, event.openings);
		case 'outcome':
			return {...enter({...flow, applying: ASKING}, 1), outcome: event.outcome};
	}
}

/**
 * Moves the focus. The text about the newly focused choice is shown from its beginning; the field
 * of Ports has no such text.
 */
function focusOn(flow: Flow, focus: number): Flow {
	return {
		...flow,
		focus,
		offset: focus === flow.focus ? flow.offset : 0,
		view: flow.step === 'ports' && focus === -1 ? 'rules' : flow.view,
	};
}

/** The policy that choosing the focused choice would make. The rules panel shows how it differs. */
export function focusedPolicy(flow: Flow): Policy {
	switch (flow.step) {
		case 'neighbours':
		case 'role':
		case 'rejection':
			return choose(flow, flow.focus).policy;
		case 'helpers':
			return toggleHelper(flow.policy, flow.focus);
		case 'ports':
			return flow.focus === -1
				? {
						...flow.policy,
						openings: mergeOpenings([...flow.policy.openings, ...flow.entered.openings]),
					}
				: toggle(flow, flow.focus).policy;
		default:
			return flow.policy;
	}
}

/** Whether a field takes the keys. Digits and letters are then text and no commands. */
export function isTyping({step, view}: Flow): boolean {
	return step === 'ports' || (step === 'review' && view === 'packet');
}

function choose(flow: Flow, index: number): Flow {
	switch (flow.step) {
		case 'neighbours':
			return chooseNeighbour(flow, index);
		case 'role':
			return enter(withRole({...flow, roleChosen: true}, flow.roles[index] ?? flow.policy.role), 1);

		case 'rejection':
			return enter(
				{...flow, policy: {...flow.policy, verdict: VERDICTS[index] ?? flow.policy.verdict}},
				1,
			);
		default:
			return flow;
	}
}

function withRole(flow: Flow, role: Role): Flow {
	const openings = flow.openingsChosen ? flow.policy.openings : defaultPolicy(role).openings;
	return withBasics({...flow, policy: {...flow.policy, role, openings}});
}

/**
 * Decides about existing rules. The openings imported from another firewall join those of the
 * policy; importing them twice adds nothing.
 */
function chooseNeighbour(flow: Flow, index: number): Flow {
	const choice = flow.known.choices.value?.[index];
	if (choice === undefined || choice.refusal !== undefined || choice.existing === undefined) {
		return flow;
	}

	const blocked = [...(flow.policy.blocked ?? []), ...(choice.blocked ?? [])];
	const next = {
		...flow,
		existing: choice.existing,
		policy: completePolicy({blocked}, flow.policy),
	};
	return enter(choice.openings.length === 0 ? next : withOpenings(next, choice.openings), 1);
}

/**
 * Adds facts about the machine that arrive late. The focus moves along with its line, and no answer
 * that the user gave is replaced.
 */
function learn(flow: Flow, known: AnswerFacts): Flow {
	const focused = flow.step === 'ports' ? rowsOf(flow)[flow.focus]?.key : undefined;
	const role = known.recommendation.value?.role;
	const roles =
		role === undefined ? flow.roles : [role, ...flow.roles.filter((name) => name !== role)];
	const learned = {
		...flow,
		known,
		existing: findMatchingChoice(known, flow.existing),
		...(flow.step === 'role' ? {} : {roles}),
	};
	const recommended =
		flow.roleChosen || flow.step === 'role' || role === undefined
			? learned
			: withRole(learned, role);
	const next = withBasics(recommended);
	if (focused === undefined) {
		return next;
	}

	const focus = rowsOf(next).findIndex(({key}) => key === focused);
	return focus === -1 ? focusOn(next, focus) : {...next, focus};
}

/** Without an address and names, guests of this machine would be cut off by an answer that nobody gave. */
function withBasics(flow: Flow): Flow {
	const openings = openingsForGuests(basicOf(flow.known.guests.value ?? []));
	return flow.openingsChosen || openings.length === 0
		? flow
		: {...withOpenings(flow, openings), openingsChosen: false};
}

/**
 * Finds the choice that means the same as the flags of the command line. Without flags none is
 * chosen yet.
 */
function findMatchingChoice({choices}: AnswerFacts, existing: Existing): Existing {
	const flagsOf = (one: Existing) =>
		existingFlags(existing.saved === undefined ? {...one, saved: undefined} : one).join(' ');
	const flags = flagsOf(existing);
	const same =
		flags === ''
			? undefined
			: choices.value?.find((choice) => choice.existing && flagsOf(choice.existing) === flags);
	return same?.existing ?? existing;
}

function toggle(flow: Flow, index: number): Flow {
	if (flow.step === 'helpers') {
		return {...flow, policy: toggleHelper(flow.policy, index)};
	}

	return flow.step === 'ports' ? togglePort(flow, rowsOf(flow)[index]) : flow;
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

/**
 * Handles Enter in Ports: adds the openings in the field, or continues to the next step when the
 * field is empty. While the text has an error, nothing happens.
 */
function submit(flow: Flow): Flow {
	if (flow.step !== 'ports') {
		return flow;
	}

	if (flow.field.trim() === '') {
		return enter(flow, 1);
	}

	const {openings, error} = flow.entered;
	return error === undefined ? withField(withOpenings(flow, openings), '') : flow;
}
