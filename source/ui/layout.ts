import {FRAME_LINES} from './components/frame.tsx';
import {hasListeners} from './state/ports.ts';
import type {Flow, Step} from './state/state.ts';
import {screenReader} from './theme.ts';

/** From this width on the rules stand beside the form. */
const SIDE_BY_SIDE = 110;
/** The least that the rules get below the form, and the least that the form leaves them for. */
const LEAST_PANEL = 5;
const LEAST_STEP = 6;

/** How many lines each step needs on 60 columns, where the panel is below it. */
const NEEDS: Readonly<Record<Step, number>> = {
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

/** With lines about what listens, and with the reason of what is recommended. */
const PORTS_WITH_LISTENERS = 13;
const ROLE_WITH_REASON = 7;

function linesNeeded(flow: Flow): number {
	return flow.step === 'ports' && hasListeners(flow)
		? PORTS_WITH_LISTENERS
		: flow.step === 'role' && flow.known.recommendation !== undefined
			? ROLE_WITH_REASON
			: NEEDS[flow.step];
}

export type Layout = {
	/** How wide a line may be. */
	readonly columns: number;
	/** The rules stand beside the form, not below it. */
	readonly beside: boolean;
	/** The step has all the room; no rules are shown. */
	readonly whole: boolean;
	/** What is left between the frame's head and its last line. */
	readonly height: number;
	readonly stepHeight: number;
	readonly panelHeight: number;
	readonly stepWidth: number;
	readonly panelWidth: number;
};

/** Which place of the screen the step has, and which the rules; in lines and columns. */
export function layOut(
	flow: Flow,
	size: {readonly columns: number; readonly rows: number},
	shown: {readonly banner: boolean; readonly help: boolean},
): Layout {
	// The last column stays free: clearing the rest of a line that fills it takes its last character
	// with it on many terminals, and 443 would read 44.
	const columns = size.columns - 1;
	const beside = size.columns >= SIDE_BY_SIDE;
	const height = Math.max(0, size.rows - 1 - FRAME_LINES - (shown.banner ? 1 : 0));
	const alone = beside || height < LEAST_STEP + LEAST_PANEL;
	const part = alone ? height : Math.min(linesNeeded(flow), height - LEAST_PANEL);
	const whole =
		// Rules that change with every choice would drown what is asked; Review has them.
		screenReader ||
		shown.help ||
		['welcome', 'neighbours', 'review', 'proof', 'result'].includes(flow.step) ||
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
	};
}
