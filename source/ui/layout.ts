import {FRAME_LINES} from './components/frame.tsx';
import {hasListeners} from './state/ports.ts';
import type {Flow, Step} from './state/state.ts';
import {screenReader} from './theme.ts';

/** From this width on, the rules panel is beside the form and not below it. */
const SIDE_BY_SIDE = 110;
/** The least height of the rules panel below the form, and of the form above it. */
const LEAST_PANEL = 5;
const LEAST_STEP = 6;

/** The least height of the rules panel together with the words of the step under it. */
const ROOM_FOR_WORDS = 28;

/** The lines that each step needs on 60 columns, with the panel below it. */
const NEEDS: Readonly<Record<Step, number>> = {
	home: Number.POSITIVE_INFINITY,
	welcome: Number.POSITIVE_INFINITY,
	neighbours: Number.POSITIVE_INFINITY,
	role: 5,
	rejection: 10,
	helpers: 15,
	ports: 9,
	review: Number.POSITIVE_INFINITY,
	proof: Number.POSITIVE_INFINITY,
	apply: 12,
	result: Number.POSITIVE_INFINITY,
};

/** The lines of Ports with listeners, and of Role with a reason for the recommendation. */
const PORTS_WITH_LISTENERS = 13;
const ROLE_WITH_REASON = 7;

function linesNeeded(flow: Flow): number {
	return flow.step === 'ports' && hasListeners(flow)
		? PORTS_WITH_LISTENERS
		: flow.step === 'role' && flow.known.recommendation.value !== undefined
			? ROLE_WITH_REASON
			: NEEDS[flow.step];
}

export type Layout = {
	/** The number of columns that a line may use. */
	readonly columns: number;
	/** The rules panel is beside the form, not below it. */
	readonly beside: boolean;
	/** The step uses the whole width and height, and no rules panel is shown. */
	readonly whole: boolean;
	/** The number of lines between the head of the frame and its last line. */
	readonly height: number;
	readonly stepHeight: number;
	readonly panelHeight: number;
	readonly stepWidth: number;
	readonly panelWidth: number;
	/** There is room for the words of the step under the rules panel. */
	readonly words: boolean;
};

/** Divides the screen between the step and the rules panel, in lines and columns. */
export function layOut(
	flow: Flow,
	size: {readonly columns: number; readonly rows: number},
	shown: {readonly banner: boolean; readonly help: boolean},
): Layout {
	// The last column stays free. Many terminals, when they clear the rest of a full line, erase its
	// last character as well, and 443 would read 44.
	const columns = size.columns - 1;
	const beside = size.columns >= SIDE_BY_SIDE;
	const height = Math.max(0, size.rows - 1 - FRAME_LINES - (shown.banner ? 1 : 0));
	const alone = beside || height < LEAST_STEP + LEAST_PANEL;
	const part = alone ? height : Math.min(linesNeeded(flow), height - LEAST_PANEL);
	const whole =
		// A screen reader would read every change of the rules and hide the question. Review shows
		// them.
		screenReader ||
		shown.help ||
		['home', 'welcome', 'neighbours', 'review', 'proof', 'result'].includes(flow.step) ||
		flow.view === 'alternatives' ||
		flow.applying.phase !== 'asking';
	const panelWidth = beside ? Math.floor(columns * 0.52) : columns;
	return {
		columns,
		beside,
		whole,
		height,
		stepHeight: whole ? height : part,
		panelHeight: beside ? height : height - part,
		stepWidth: beside && !whole ? columns - panelWidth - 2 : columns,
		panelWidth,
		words: beside && !whole && height >= ROOM_FOR_WORDS,
	};
}
