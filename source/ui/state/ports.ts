import {InputError} from '../../lib/errors.ts';
import type {Opening} from '../../policy/opening.ts';
import {parseOpenings} from '../../policy/parse-opening.ts';
import {completePolicy} from '../../policy/policy.ts';
import {withoutPort} from '../../policy/port-openings.ts';
import type {Services} from '../../policy/services.ts';
import {openingOfListeners} from '../../services/guest-service.ts';
import {type PortRow, portRows} from './port-rows.ts';
import {type Entered, type Flow, NOTHING_ENTERED} from './state.ts';

/**
 * Puts a text into the field of the step. The text in the field of Ports is parsed here and nowhere
 * else.
 */
export function withField(flow: Flow, text: string): Flow {
	return {
		...flow,
		field: text,
		entered:
			flow.step === 'ports' && text.trim() !== ''
				? parseEntered(text, flow.services)
				: NOTHING_ENTERED,
	};
}

function parseEntered(text: string, services: Services): Entered {
	try {
		return {openings: parseOpenings(text, services)};
	} catch (error) {
		if (error instanceof InputError) {
			return {openings: [], error};
		}

		throw error;
	}
}

/** Whether the list in Ports shows what listens or is forwarded, beside the openings. */
export function hasListeners({known}: Pick<Flow, 'known'>): boolean {
	return [known.listeners, known.protocols, known.published].some(
		({value}) => (value?.length ?? 0) > 0,
	);
}

/**
 * Opens a closed port, and closes an open one. A forwarded port and a listener on loopback stay as
 * they are, since no opening decides about them.
 */
export function togglePort(flow: Flow, row: PortRow | undefined): Flow {
	if (row?.kind === 'protocol' && row.openings.length === 0) {
		return withOpenings(flow, [row.opening]);
	}

	return row?.kind === 'listener' && row.openings.length === 0
		? withOpenings(flow, openingOfListeners(row.port, row.listeners, flow.known.guests.value ?? []))
		: closePort(flow, row);
}

/** Removes the openings that a line of the list stands for. */
export function closePort(flow: Flow, row: PortRow | undefined): Flow {
	const {openings} = flow.policy;
	const left =
		row?.kind === 'listener' && row.openings.length > 0
			? withoutPort(openings, row.port)
			: row?.kind === 'protocol' && row.openings.length > 0
				? openings.filter((opening) => !row.openings.includes(opening))
				: row?.kind === 'opening'
					? openings.filter((opening) => opening !== row.opening)
					: openings;
	if (left === openings) {
		return flow;
	}

	const next = {...flow, openingsChosen: true, policy: {...flow.policy, openings: left}};
	return {...next, focus: Math.min(flow.focus, rowsOf(next).length - 1)};
}

/** The lines of the list in Ports, for the policy and the listeners of this state. */
export function rowsOf({policy, known}: Pick<Flow, 'policy' | 'known'>): readonly PortRow[] {
	return portRows({
		openings: policy.openings,
		listeners: known.listeners.value,
		protocols: known.protocols.value,
		published: known.published.value,
	});
}

/** Adds openings to the policy, and merges them with the ones that it has. */
export function withOpenings(flow: Flow, openings: readonly Opening[]): Flow {
	return {
		...flow,
		openingsChosen: true,
		policy: completePolicy({openings: [...flow.policy.openings, ...openings]}, flow.policy),
	};
}
