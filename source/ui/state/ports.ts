import {InputError} from '../../lib/errors.ts';
import {type Added, addOpenings} from '../../policy/narrow-openings.ts';
import {type Opening, printOpening} from '../../policy/opening.ts';
import {parseOpenings} from '../../policy/parse-opening.ts';
import {completePolicy} from '../../policy/policy.ts';
import {withoutPort} from '../../policy/port-openings.ts';
import {openingOfListeners} from '../../services/guest-service.ts';
import {type PortRow, portRows} from './port-rows.ts';
import {openingOfPublished, openingsForPublic, withPublished} from './published.ts';
import {withoutPublished} from './published-rows.ts';
import {canLimit, isLimited, openingOn, withLimit} from './row-openings.ts';
import {type Entered, type FieldPlace, type Flow, NOTHING_ENTERED} from './state.ts';

/**
 * Puts a text into the field of the step. The text in the field of Ports is parsed here and nowhere
 * else.
 */
export function withField(flow: Flow, text: string, cursor = text.length): Flow {
	return text === flow.field
		? {...flow, cursor}
		: {
				...flow,
				field: text,
				cursor,
				entered:
					flow.step === 'ports' && text.trim() !== '' ? parseEntered(text, flow) : NOTHING_ENTERED,
			};
}

/** The state with the text that was left in its field. What the field before it had is kept for later. */
export function withDraft(before: Flow, flow: Flow): Flow {
	const [left, entered] = [placeOf(before), placeOf(flow)];
	if (left === entered && entered !== undefined) {
		return flow;
	}

	const drafts = left === undefined ? before.drafts : {...before.drafts, [left]: before.field};
	return withField({...flow, drafts}, entered === undefined ? '' : (drafts[entered] ?? ''));
}

/** The field whose text stays when its user leaves it; undefined where there is none. */
function placeOf({step, view}: Flow): FieldPlace | undefined {
	return step === 'ports' ? 'ports' : step === 'review' && view === 'packet' ? 'packet' : undefined;
}

/** Whether a field takes the keys. Digits and letters are then text and no commands. */
export function isTyping(flow: Flow): boolean {
	return placeOf(flow) !== undefined;
}

function parseEntered(text: string, {services, policy}: Flow): Entered {
	try {
		return {openings: parseOpenings(text, services, policy.sources)};
	} catch (error) {
		if (error instanceof InputError) {
			return {openings: [], error};
		}

		throw error;
	}
}

let lastAdded:
	| {readonly before: readonly Opening[]; readonly entered: Entered; readonly added: Added}
	| undefined;

/** What the text in the field of Ports would do. It is found once for each text, since a key asks for it several times. */
export function addEntered({policy, entered}: Pick<Flow, 'policy' | 'entered'>): Added {
	const {openings: before} = policy;
	if (lastAdded?.before !== before || lastAdded.entered !== entered) {
		lastAdded = {before, entered, added: addOpenings(before, entered.openings)};
	}

	return lastAdded.added;
}

/** Adds what the field of Ports has to the policy. */
export function withEntered(flow: Flow): Flow {
	const {openings, narrower} = addEntered(flow);
	return {...withPolicyOpenings(flow, openings), narrowed: narrower};
}

/** Whether the list in Ports shows what listens or is forwarded, beside the openings. */
export function hasListeners({known}: Pick<Flow, 'known'>): boolean {
	return [known.listeners, known.protocols, known.published].some(
		({value}) => (value?.length ?? 0) > 0,
	);
}

/**
 * Opens a closed port, and closes an open one. A port that is left to those who publish it, and a
 * listener on loopback, stay as they are, since no opening decides about them.
 */
export function togglePort(flow: Flow, row: PortRow | undefined): Flow {
	if (row?.kind === 'publishing') {
		if (row.cluster !== undefined) {
			return flow;
		}

		const said = withPublished({...flow, published: row.governed ? 'leave' : 'policy'});
		const {openingsChosen} = flow;
		const next = {...withOpenings(said, openingsForPublic(said)), openingsChosen};
		return {...next, focus: rowsOf(next).findIndex(({key}) => key === row.key)};
	}

	if (row?.kind === 'published' && row.governed && row.openings.length === 0) {
		return withOpenings(flow, [openingOfPublished(row.ports)]);
	}

	if ((row?.kind === 'protocol' || row?.kind === 'inside') && row.openings.length === 0) {
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
			: (row?.kind === 'protocol' || row?.kind === 'inside') && row.openings.length > 0
				? openings.filter((opening) => !row.openings.includes(opening))
				: row?.kind === 'published' && row.openings.length > 0
					? withoutPublished(openings, row.ports, flow.policy.inner)
					: row?.kind === 'opening'
						? openings.filter((opening) => opening !== row.opening)
						: openings;
	if (left === openings) {
		return flow;
	}

	const next = {...flow, openingsChosen: true, policy: {...flow.policy, openings: left}};
	return {...next, focus: Math.min(flow.focus, rowsOf(next).length - 1)};
}

/** Limits the new connections to an open line of the list, or ends that. */
export function limitPort(flow: Flow, row: PortRow | undefined): Flow {
	const limit = !isLimited(row);
	return canLimit(row)
		? follow(
				withPolicyOpenings(flow, withLimit(flow.policy.openings, row, limit)),
				row,
				row?.kind === 'opening' ? ({...row.opening, limit} as Opening) : undefined,
			)
		: flow;
}

/** Opens a line of the list through one interface alone. */
export function openOnly(flow: Flow, row: PortRow | undefined, on: string): Flow {
	const opening = openingOn(row, on);
	return opening === undefined
		? flow
		: follow(withOpenings(closePort(flow, row), [opening]), row, opening);
}

/**
 * Moves the focus to where a line of the list is now.
 * @param changed what opens it now: the line of an opening is named by it
 */
function follow(flow: Flow, row: PortRow | undefined, changed: Opening | undefined): Flow {
	const rows = rowsOf(flow);
	const keys = [row?.key, ...(changed === undefined ? [] : [printOpening(changed)])];
	const focus = rows.findIndex(({key}) => keys.includes(key));
	return {...flow, focus: focus === -1 ? Math.min(flow.focus, rows.length - 1) : focus};
}

function withPolicyOpenings(flow: Flow, openings: readonly Opening[]): Flow {
	return {...flow, openingsChosen: true, policy: completePolicy({openings}, flow.policy)};
}

/** The lines of the list in Ports, for the policy and the listeners of this state. */
export function rowsOf({policy, known}: Pick<Flow, 'policy' | 'known'>): readonly PortRow[] {
	return portRows({
		openings: policy.openings,
		listeners: known.listeners.value,
		protocols: known.protocols.value,
		guests: known.guests.value,
		forwarded: known.published.value,
		publishing: known.publishing.value,
		published: policy.published,
		inner: policy.inner,
	});
}

/** Adds openings to the policy, and merges them with the ones that it has. */
export function withOpenings(flow: Flow, openings: readonly Opening[]): Flow {
	return withPolicyOpenings(flow, [...flow.policy.openings, ...openings]);
}
