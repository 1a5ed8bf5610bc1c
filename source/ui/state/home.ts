import {completePolicy, type Policy} from '../../policy/policy.ts';
import {learn, withRole} from './learn.ts';
import {enter, goBack, homeChoices} from './navigation.ts';
import {withPublished} from './published.ts';
import {type Flow, HOME_CHOICES, UNDO_CHOICES} from './state.ts';

/** What a choice of Home leads to. Undo is asked about; the wizard around this state does it. */
export function chooseInHome(before: Flow, index: number): Flow {
	const flow: Flow = {...before, outcome: undefined};
	if (flow.view === 'undo') {
		return UNDO_CHOICES[index] === 'back' ? goBack(flow) : flow;
	}

	if (flow.view === 'blocked') {
		return chooseBlocked(flow, index);
	}

	switch (HOME_CHOICES[index]) {
		case 'ports':
			return enter({...flow, asks: 'ports'}, 'ports');
		case 'check':
			return enter(flow, 'result');
		case 'blocked':
			return {...flow, view: 'blocked', focus: 0, offset: 0};
		case 'undo':
			// Undo is no answer that Enter gives twice by mistake.
			return {...flow, view: 'undo', focus: UNDO_CHOICES.indexOf('back')};
		case 'over':
			return enter(startOver(flow), 'welcome');
		default:
			return flow;
	}
}

/** What was blocked, as it was just read. Where the list stood there before, its focus stays on the same choice. */
export function withBlocked(flow: Flow, blocked: NonNullable<Flow['blocked']>): Flow {
	const next = {...flow, blocked};
	if (flow.view !== 'blocked') {
		return next;
	}

	const focused = nameOf(homeChoices(flow)[flow.focus]);
	const same = homeChoices(next).findIndex((choice) => nameOf(choice) === focused);
	return {...next, focus: flow.blocked === undefined ? 0 : Math.max(0, same)};
}

function nameOf(choice: ReturnType<typeof homeChoices>[number] = 'back'): string {
	return typeof choice === 'object' ? `${choice.port}/${choice.protocol}` : choice;
}

/** Puts a port that was blocked into the field of Ports, or goes to Review with the log switched on. */
function chooseBlocked(flow: Flow, index: number): Flow {
	const choice = homeChoices(flow)[index];
	if (typeof choice === 'object') {
		const drafts = {...flow.drafts, ports: nameOf(choice)};
		return enter({...flow, asks: 'ports', drafts}, 'ports');
	}

	return choice === 'log'
		? enter({...flow, asks: 'nothing', policy: {...flow.policy, log: true}}, 'review')
		: goBack(flow);
}

/** The state with the recommended answers in place of the applied policy. */
function startOver(flow: Flow): Flow {
	const role = flow.known.recommendation.value?.role ?? flow.policy.role;
	return withRole(
		withPublished({
			...flow,
			...{entrance: 'welcome', asks: 'nothing', asksHelpers: 'never'},
			...{openingsChosen: false, roleChosen: false, published: undefined},
			policy: completePolicy({role, sources: flow.policy.sources}),
		}),
		role,
	);
}

/** Home with the policy that is applied now, in place of what was changed of the one before. */
export function withApplied(flow: Flow, policy: Policy): Flow {
	const {home} = flow;
	if (home === undefined) {
		return flow;
	}

	const applied = {policy, published: policy.published ?? ('leave' as const)};
	const next = {...flow, home: {...home, ...applied}};
	// In another step the answers stay as they are.
	return flow.step === 'home' ? learn({...next, ...applied}, flow.known) : next;
}

/** Home as it opened, with what is known since then: the answers after it are dropped. */
export function backHome({known, parting}: Flow, home: Flow): Flow {
	return enter(learn({...home, home, parting}, known), 'home');
}
