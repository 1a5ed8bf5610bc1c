import type {HelperName} from '../../policy/helpers.ts';
import {helpersInUse} from '../../services/helpers-in-use.ts';
import {type Flow, STEPS, type Step} from './state.ts';

/** The steps that the wizard goes through on this machine. */
export function stepsOf(
	flow: Pick<Flow, 'known' | 'asks' | 'asksHelpers' | 'entrance'>,
): readonly Step[] {
	const {asks, asksHelpers, entrance} = flow;
	const all = asks === 'everything';
	const left: Partial<Record<Step, boolean>> = {
		home: entrance === 'home',
		welcome: entrance === 'welcome',
		neighbours: all
			? (flow.known.choices.value ?? []).length > 0
			: entrance === 'welcome' && mustDecide(flow),
		role: all,
		rejection: all,
		helpers:
			asksHelpers === 'always' ||
			(all && (asksHelpers === 'among all' || helpersOffered(flow).length > 0)),
		ports: all || asks === 'ports',
	};
	return STEPS.filter((step) => left[step] ?? true);
}

/** The helpers that may be needed, by the services and clients of this machine. */
export function helpersOffered({known}: Pick<Flow, 'known'>): readonly HelperName[] {
	return helpersInUse(known.listeners.value ?? [], known.peers.value ?? []);
}

/**
 * Whether the user must decide about the existing rules of other programs. Where keeping them is
 * recommended and nothing else depends on it, they are kept without a question.
 */
export function mustDecide({known}: Pick<Flow, 'known'>): boolean {
	const {value: choices = []} = known.choices;
	return choices.length > 0 && !choices.some(({byDefault}) => byDefault);
}
