import {rowsOf} from '../state/ports.ts';
import type {Flow, Step} from '../state/state.ts';

/**
 * The keys of each step, two spaces between them. What one cannot do without comes first: a narrow
 * terminal shows as many as fit.
 */
export const KEYS: Readonly<Record<Step, string>> = {
	welcome: 'Enter go on  Ctrl-C leave',
	neighbours: 'Up/Down move  Enter choose  Esc back  PgUp/PgDn read  Ctrl-C leave',
	role: 'Up/Down move  Enter choose  Esc back  Ctrl-C leave',
	rejection: 'Up/Down move  Enter choose  l log  Esc back  Ctrl-C leave',
	helpers: 'Space on/off  Enter go on  Up/Down move  Esc back  Ctrl-C leave',
	ports: 'Enter add, or go on when empty  Esc back  Ctrl-C leave',
	review: 'Enter go on  Esc back  Tab next view  Up/Down read  t try a packet  e exposure',
	proof: 'Enter go on  Esc back  Ctrl-C leave',
	apply: 'Up/Down move  Enter choose  Esc back  Ctrl-C leave',
	result: 'Enter leave  Up/Down read  s scanned  c console tried  r look again',
};

/** In the field of Ports, where there is a list under it. */
export const FIELD_KEYS = 'Enter add, or go on when empty  Down list  Esc back  Ctrl-C leave';
/** In the list of Ports, and where it shows how to do without a port. */
export const LIST_KEYS =
	'Space open/shut  Enter go on  Tab do without  Up/Down move  Esc back  Del remove';
const ALTERNATIVES_KEYS =
	'Tab or Esc back to the list  Up/Down other port  PgUp/PgDn read  Space open/shut';
/** Where a packet is tried. */
const PACKET_KEYS = 'Esc back to the rules  Ctrl-C leave';
/** Where a word must be typed out, or rules cannot be loaded, there is nothing to move to or to choose. */
const NO_CHOICE = 'Esc back  Ctrl-C leave';
const FAILED_KEYS = 'Esc back to Review  Ctrl-C leave';
/** Where letters are those of the word for a reboot. */
const REBOOT_KEYS = 'Enter leave  Up/Down read';

/** What the keys of a step depend on beside its state. */
export type KeyPlace = {
	/** The session in use would be shut out, and `o` opens its port. */
	readonly shut: boolean;
	/** Rules cannot be loaded here at all. */
	readonly blocked: boolean;
	/** Something in the checklist is not well. */
	readonly mendable: boolean;
	/** The word for a reboot is asked for. */
	readonly ready: boolean;
};

/** Nothing out of the ordinary. */
export const PLAIN_PLACE: KeyPlace = {shut: false, blocked: false, mendable: false, ready: false};

/** The keys of a step, at this moment; empty where it must be waited for. */
export function keysOf(flow: Flow, place: KeyPlace = PLAIN_PLACE): string {
	const {step, applying, focus, view} = flow;
	switch (applying.phase) {
		case 'loading':
		case 'deciding':
			return '';
		case 'waiting':
			return `${applying.keepable ? 'Enter keep  ' : ''}Esc old rules back  Ctrl-C old rules back, and leave`;
		case 'asking':
			break;
	}

	switch (step) {
		case 'ports':
			return view === 'alternatives'
				? ALTERNATIVES_KEYS
				: focus >= 0
					? LIST_KEYS
					: rowsOf(flow).length > 0
						? FIELD_KEYS
						: KEYS.ports;
		case 'review':
			return view === 'packet' ? PACKET_KEYS : `${place.shut ? 'o open it  ' : ''}${KEYS.review}`;
		case 'apply':
			return place.blocked ? NO_CHOICE : place.shut ? `o open it  ${NO_CHOICE}` : KEYS.apply;
		case 'result':
			return resultKeys(flow, place);
		default:
			return KEYS[step];
	}
}

/** What works as well, and no line has room for. */
export function moreKeysOf({step, view, applying}: Flow): string {
	if (applying.phase !== 'asking') {
		return '';
	}

	const pages = 'PgUp/PgDn a page  Home/End first, last line';
	return step === 'review' && view !== 'packet'
		? `Shift-Tab view before  ${pages}`
		: step === 'result'
			? pages
			: '';
}

function resultKeys({outcome}: Flow, {mendable, ready}: KeyPlace): string {
	if (outcome?.ok === false) {
		return FAILED_KEYS;
	}

	// The checklist after a boot leads to the wizard.
	const back = outcome === undefined ? '  Esc to the wizard' : '';
	const all = ready
		? REBOOT_KEYS
		: mendable
			? KEYS.result.replace('Enter leave', 'Enter leave  f mend')
			: KEYS.result;
	return `${all}${back}`;
}
