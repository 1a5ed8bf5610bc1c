import type {AnswerFacts} from '../../app/discover.ts';
import {type Existing, existingFlags} from '../../existing/cleanup-plan.ts';
import type {Role} from '../../policy/policy.ts';
import {focusOn} from './navigation.ts';
import {rowsOf} from './ports.ts';
import {withPublished} from './published.ts';
import {recommendedOpenings} from './recommended.ts';
import type {Flow} from './state.ts';

/**
 * Adds facts about the machine that arrive late. The focus moves along with its line, and no answer
 * that the user gave is replaced.
 */
export function learn(flow: Flow, known: AnswerFacts): Flow {
	const focused = flow.step === 'ports' ? rowsOf(flow)[flow.focus]?.key : undefined;
	const role = known.recommendation.value?.role;
	const roles =
		role === undefined ? flow.roles : [role, ...flow.roles.filter((name) => name !== role)];
	const learned = withPublished({
		...flow,
		known,
		existing: findMatchingChoice(known, flow.existing),
		...(flow.step === 'role' ? {} : {roles}),
	});
	const recommended =
		flow.roleChosen || flow.step === 'role' || role === undefined
			? learned
			: withRole(learned, role);
	const next = withRecommended(recommended);
	if (focused === undefined) {
		return next;
	}

	const focus = rowsOf(next).findIndex(({key}) => key === focused);
	return focus === -1 ? focusOn(next, focus) : {...next, focus};
}

/** The state with a role, and what is recommended for it. */
export function withRole(flow: Flow, role: Role): Flow {
	return withRecommended({...flow, policy: {...flow.policy, role}});
}

/** The state with the recommended openings, unless the user has chosen some. */
function withRecommended(flow: Flow): Flow {
	return flow.openingsChosen
		? flow
		: {...flow, policy: {...flow.policy, openings: recommendedOpenings(flow)}};
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
