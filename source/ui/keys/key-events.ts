import type {Key} from 'ink';
import {HELPERS} from '../../policy/helpers.ts';
import {type Flow, type FlowEvent, REVIEW_VIEWS, type View} from '../state/state.ts';
import {scrollSteps} from '../text/scroll-window.ts';

/** How much of a text that scrolls is on the screen. */
export type Viewport = {readonly lines: number; readonly height: number};

/**
 * What a key means where the step's own list or field does not handle it.
 * Lists of ink-select-input and fields of ink-text-input take their keys themselves.
 */
export function keyToEvent(
	flow: Flow,
	input: string,
	key: Key,
	viewport: Viewport,
): FlowEvent | undefined {
	if (key.escape) {
		return {type: 'back'};
	}

	const move = key.upArrow ? -1 : key.downArrow ? 1 : 0;
	switch (flow.step) {
		case 'welcome':
		case 'proof':
			return key.return ? {type: 'next'} : undefined;
		case 'neighbours':
			return key.pageUp || key.pageDown ? scrollKey(key, viewport) : undefined;
		case 'rejection':
			return input === 'l' ? {type: 'toggle-log'} : undefined;
		case 'helpers':
			if (input === ' ') {
				return {type: 'toggle', index: flow.focus};
			}

			return key.return
				? {type: 'next'}
				: moveTo((flow.focus + move + HELPERS.length) % HELPERS.length, move);
		case 'ports':
			return portsKey(flow, input, key, viewport) ?? moveTo(flow.focus + move, move);
		case 'review':
			return reviewKey(flow, input, key, viewport);
		case 'result':
			return scrollKey(key, viewport);
		default:
			return undefined;
	}
}

function moveTo(index: number, move: number): FlowEvent | undefined {
	return move === 0 ? undefined : {type: 'focus', index};
}

/** In the list of openings; the field above it takes its own keys. */
function portsKey(
	{focus, field, view}: Flow,
	input: string,
	key: Key,
	viewport: Viewport,
): FlowEvent | undefined {
	if (focus === -1) {
		return undefined;
	}

	if (key.tab) {
		return {type: 'view', view: view === 'rules' ? 'alternatives' : 'rules'};
	}

	if (input === ' ') {
		return {type: 'toggle', index: focus};
	}

	if (view === 'alternatives' && (key.pageUp || key.pageDown)) {
		return scrollKey(key, viewport);
	}

	if (key.return) {
		// Not `next`: what still stands in the field must not be lost.
		return {type: 'submit'};
	}

	if (key.delete || key.backspace) {
		return {type: 'remove'};
	}

	return input === '' || key.ctrl || key.meta ? undefined : {type: 'type', text: field + input};
}

function reviewKey(
	{view}: Flow,
	input: string,
	key: Key,
	viewport: Viewport,
): FlowEvent | undefined {
	if (view === 'packet') {
		return undefined;
	}

	if (key.return) {
		return {type: 'next'};
	}

	if (input === 't') {
		return {type: 'view', view: 'packet'};
	}

	if (input === 'e') {
		return {type: 'view', view: 'exposure'};
	}

	if (key.tab) {
		const texts: readonly View[] = REVIEW_VIEWS.filter((name) => name !== 'packet');
		const index = texts.indexOf(view) + (key.shift ? -1 : 1);
		return {type: 'view', view: texts.at(index % texts.length) ?? 'rules'};
	}

	return scrollKey(key, viewport);
}

function scrollKey(key: Key, {lines, height}: Viewport): FlowEvent | undefined {
	const {last, page} = scrollSteps(lines, height);
	const steps: ReadonlyArray<readonly [boolean, number]> = [
		[key.upArrow, -1],
		[key.downArrow, 1],
		[key.pageUp, -page],
		[key.pageDown, page],
		[key.home, -lines],
		[key.end, lines],
	];
	const by = steps.find(([pressed]) => pressed)?.[1];
	return by === undefined ? undefined : {type: 'scroll', by, last};
}
