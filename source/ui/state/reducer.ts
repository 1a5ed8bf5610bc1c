import {HELPERS} from '../../policy/helpers.ts';
import {completePolicy, type Policy, VERDICTS} from '../../policy/policy.ts';
import {mustDecide} from './asked-steps.ts';
import {backHome, chooseInHome, withApplied, withBlocked} from './home.ts';
import {learn, withRole} from './learn.ts';
import {editLine, type LineEdit} from './line-editor.ts';
import {clamp, enter, focusOn, goBack, lastChoice} from './navigation.ts';
import {
	addEntered,
	closePort,
	isTyping,
	limitPort,
	openOnly,
	rowsOf,
	togglePort,
	withDraft,
	withEntered,
	withField,
	withOpenings,
} from './ports.ts';
import {ASKING, ASKS, type Flow, type FlowEvent, NOTHING_ENTERED, type Outcome} from './state.ts';

/** The state after an event. */
export function reduceFlow(flow: Flow, event: FlowEvent): Flow {
	const next = reduce(flow, event);
	// What was narrowed is said until the next key.
	const said = next.narrowed !== flow.narrowed || next.narrowed.length === 0;
	return said || event.type === 'learn' ? next : {...next, narrowed: NOTHING_ENTERED.openings};
}

function reduce(flow: Flow, event: FlowEvent): Flow {
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
		case 'edit':
			return edit(flow, event.edit);
		case 'submit':
			return submit(flow);
		case 'remove':
			return flow.step === 'ports' ? closePort(flow, rowsOf(flow)[flow.focus]) : flow;
		case 'limit':
			return limitPort(flow, rowsOf(flow)[flow.focus]);
		case 'only':
			return openOnly(flow, rowsOf(flow)[flow.focus], event.on);
		case 'next':
			// Apply does not wait for a proof that was skipped.
			return flow.view === 'unfinished' ? {...enter(flow, 1), view: 'unfinished'} : enter(flow, 1);
		case 'ask-helpers':
			return enter(
				{...withVerdict(flow, flow.focus), asksHelpers: 'always'},
				// What must be decided is asked before, as on the way to Review.
				flow.step === 'welcome' && mustDecide(flow) ? 'neighbours' : 'helpers',
			);
		case 'back':
			return flow.step === 'welcome' && flow.home !== undefined
				? backHome(flow, flow.home)
				: goBack(flow);
		case 'view':
			return withDraft(flow, {...flow, view: event.view, offset: 0});
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
			// The proof that was waited for, or skipped, was of another policy.
			return withOpenings(flow.step === 'apply' ? {...flow, view: 'rules'} : flow, event.openings);
		case 'applied':
			return withApplied(flow, event.policy);
		case 'blocked':
			return withBlocked(flow, event.log);
		case 'fixed':
			return {...flow, parting: flow.parting ?? 'looked'};
		case 'undo-failed':
			return withOutcome({...flow, applying: ASKING}, event.outcome);
		case 'outcome':
			return withOutcome(enter({...flow, applying: ASKING}, 1), event.outcome);
	}
}

/** What was changed, or may have been, is what the wizard says at its end, wherever it is left. */
function withOutcome(flow: Flow, outcome: Outcome): Flow {
	const changed = outcome.ok || outcome.rolledBack || outcome.unsure;
	return {...flow, outcome, parting: changed ? outcome : flow.parting};
}

/** No word that confirms is longer. */
const LONGEST_WORD = 20;

function edit(flow: Flow, change: LineEdit): Flow {
	const {text, cursor} = editLine({text: flow.field, cursor: flow.cursor}, change);
	return !isTyping(flow) && text.length > LONGEST_WORD
		? flow
		: withField(flow.step === 'ports' ? focusOn(flow, -1) : flow, text, cursor);
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
			return flow.focus !== -1
				? toggle(flow, flow.focus).policy
				: flow.entered.openings.length === 0
					? flow.policy
					: {...flow.policy, openings: addEntered(flow).openings};
		default:
			return flow.policy;
	}
}

function choose(flow: Flow, index: number): Flow {
	switch (flow.step) {
		case 'home':
			return chooseInHome(flow, index);
		case 'welcome': {
			const asks = ASKS[index];
			return asks === undefined ? flow : enter({...flow, asks}, 1);
		}

		case 'neighbours':
			return chooseNeighbour(flow, index);
		case 'role':
			return enter(withRole({...flow, roleChosen: true}, flow.roles[index] ?? flow.policy.role), 1);

		case 'rejection':
			return enter(withVerdict(flow, index), 1);
		default:
			return flow;
	}
}

/** The state with the verdict that is chosen in Rejection; other steps choose none. */
function withVerdict(flow: Flow, index: number): Flow {
	const verdict = flow.step === 'rejection' ? VERDICTS[index] : undefined;
	return verdict === undefined ? flow : {...flow, policy: {...flow.policy, verdict}};
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

	return flow.entered.error === undefined ? withField(withEntered(flow), '') : flow;
}
