import type {Key} from 'ink';
import {describe, expect, test} from 'vitest';
import {HELPERS} from '../../source/policy/helpers.ts';
import {keyEventOf} from '../../source/ui/keys/bindings.ts';
import {plainKeyState} from '../../source/ui/keys/key-state.ts';
import {stepsOf} from '../../source/ui/state/asked-steps.ts';
import {reduceFlow} from '../../source/ui/state/reducer.ts';
import {type Flow, NOTHING_KNOWN, type Step} from '../../source/ui/state/state.ts';
import {startAsking} from '../_helpers/ui/app.tsx';
import {pressOf} from '../_helpers/ui/keys.ts';

/** Where no neighbour asks for a decision. */
const PLAIN = stepsOf({
	known: NOTHING_KNOWN,
	asks: 'everything',
	asksHelpers: 'always',
	entrance: 'welcome',
});
const VIEWPORT = {lines: 50, height: 12};

function at(step: Step, change: Partial<Flow> = {}): Flow {
	const start = startAsking({role: 'server'});
	const flow = PLAIN.slice(0, PLAIN.indexOf(step)).reduce<Flow>(
		(before) => reduceFlow(before, {type: 'next'}),
		start,
	);
	return {...flow, ...change};
}

function press(flow: Flow, key: Partial<Key> | string, viewport = VIEWPORT) {
	return keyEventOf({...plainKeyState(flow), viewport}, pressOf(key), false);
}

test.each(PLAIN)('Esc goes back in %s, from the first step nowhere', (step) => {
	const event = press(at(step), {escape: true});
	expect(event).toEqual(step === 'welcome' ? undefined : {type: 'back'});
});

test.each(PLAIN)('a digit chooses nothing in %s', (step) => {
	for (const digit of '0123456789') {
		const event = press(at(step, {focus: step === 'ports' ? 0 : 1}), digit);
		expect(event).toEqual(step === 'ports' ? {type: 'edit', edit: {insert: digit}} : undefined);
	}
});

describe('Helpers', () => {
	test('Space switches the focused one', () => {
		expect(press(at('helpers', {focus: 3}), ' ')).toEqual({type: 'toggle', index: 3});
	});

	test('the list goes round', () => {
		const last = HELPERS.length - 1;
		expect(press(at('helpers'), {upArrow: true})).toEqual({type: 'focus', index: last});
		expect(press(at('helpers', {focus: last}), {downArrow: true})).toEqual({
			type: 'focus',
			index: 0,
		});
	});

	test('Enter goes on', () => {
		expect(press(at('helpers'), {return: true})).toEqual({type: 'next'});
	});
});

describe('Ports', () => {
	test('the field takes the keys of a line, and Down and Enter are for the list', () => {
		for (const [key, edit] of [
			[{backspace: true}, 'backward-delete-char'],
			[{delete: true}, 'delete-char'],
			[{leftArrow: true}, 'backward-char'],
			['x', {insert: 'x'}],
		] as const) {
			expect(press(at('ports'), key)).toEqual({type: 'edit', edit});
		}

		expect(press(at('ports'), {tab: true})).toBeUndefined();
		expect(press(at('ports'), {return: true})).toEqual({type: 'submit'});
		expect(press(at('ports'), {downArrow: true})).toEqual({type: 'focus', index: 0});
	});

	test('Home and End move in a text, and else in the list', () => {
		const empty = at('ports');
		expect(press(empty, {end: true})).toEqual({type: 'focus', index: 0});
		const typed = reduceFlow(empty, {type: 'type', text: '44'});
		expect(press(typed, {home: true})).toEqual({type: 'edit', edit: 'beginning-of-line'});
		const back = reduceFlow(reduceFlow(typed, {type: 'focus', index: 0}), {
			...{type: 'edit', edit: {insert: '3'}},
		});
		expect(back).toMatchObject({field: '443', focus: -1});
	});

	test('what is typed is there again after Esc', () => {
		const typed = reduceFlow(at('ports'), {type: 'type', text: '44'});
		const left = reduceFlow(typed, {type: 'back'});
		expect(left).toMatchObject({step: 'helpers', field: ''});
		expect(reduceFlow(left, {type: 'next'})).toMatchObject({step: 'ports', field: '44', cursor: 2});
		const packet = reduceFlow(at('review'), {type: 'view', view: 'packet'});
		const asked = reduceFlow(packet, {type: 'edit', edit: {insert: 'tcp 22'}});
		const again = [{type: 'back'}, {type: 'view', view: 'packet'}] as const;
		expect(again.reduce(reduceFlow, asked).field).toBe('tcp 22');
	});

	test('in the list a letter is a key, unless the field has a text', () => {
		const empty = at('ports', {focus: 0});
		expect(press(empty, 'x')).toBeUndefined();
		expect(press(empty, '4')).toEqual({type: 'edit', edit: {insert: '4'}});
		expect(press(empty, '443/tcp')).toEqual({type: 'edit', edit: {insert: '443/tcp'}});
		const flow = at('ports', {focus: 0, field: '44'});
		expect(press(flow, 'x')).toEqual({type: 'edit', edit: {insert: 'x'}});
		expect(press(flow, {delete: true})).toEqual({type: 'remove'});
		expect(press(flow, {backspace: true})).toEqual({type: 'remove'});
		expect(press(flow, {ctrl: true})).toBeUndefined();
	});

	test('in the list, Space opens and shuts, Tab tells how to do without', () => {
		const flow = at('ports', {focus: 0});
		expect(press(flow, ' ')).toEqual({type: 'toggle', index: 0});
		expect(press(flow, {tab: true})).toEqual({type: 'view', view: 'alternatives'});
		const told = at('ports', {focus: 0, view: 'alternatives'});
		for (const key of [{tab: true}, {tab: true, shift: true}, {escape: true}]) {
			expect(press(told, key)).toEqual({type: 'view', view: 'rules'});
		}

		expect(press(told, {downArrow: true})).toEqual({type: 'focus', index: 1});
	});

	test('Enter in the list takes what still stands in the field, and goes on when it is empty', () => {
		const enter = (field: string) => {
			const typed = reduceFlow(at('ports'), {type: 'type', text: field});
			const flow = reduceFlow(typed, {type: 'focus', index: 0});
			expect(press(flow, {return: true})).toEqual({type: 'submit'});
			return reduceFlow(flow, {type: 'submit'});
		};
		expect(enter('443/tcp')).toMatchObject({step: 'ports', field: ''});
		expect(enter('443/tcp').policy.openings).toHaveLength(2);
		expect(enter('').step).toBe('review');
	});
});

describe('Review', () => {
	test('scrolls by lines, pages and to the ends', () => {
		const by = (key: Partial<Key>) => press(at('review'), key);
		expect(by({downArrow: true})).toEqual({type: 'scroll', by: 1, last: 39});
		expect(by({upArrow: true})).toEqual({type: 'scroll', by: -1, last: 39});
		expect(by({pageDown: true})).toEqual({type: 'scroll', by: 10, last: 39});
		expect(by({pageUp: true})).toEqual({type: 'scroll', by: -10, last: 39});
		expect(by({home: true})).toEqual({type: 'scroll', by: -50, last: 39});
		expect(by({end: true})).toEqual({type: 'scroll', by: 50, last: 39});
	});

	test('does not scroll what fits', () => {
		const event = press(at('review'), {downArrow: true}, {lines: 12, height: 12});
		expect(event).toEqual({type: 'scroll', by: 1, last: 0});
	});

	test('Tab shows the next view, Shift-Tab the one before, p tests a packet', () => {
		const view = (view: Flow['view'], shift: boolean) =>
			press(at('review', {view}), {tab: true, shift});
		expect(view('rules', false)).toEqual({type: 'view', view: 'restore'});
		expect(view('commands', false)).toEqual({type: 'view', view: 'summary'});
		expect(view('all-rules', true)).toEqual({type: 'view', view: 'summary'});
		expect(press(at('review', {view: 'rules'}), 'a')).toEqual({type: 'view', view: 'all-rules'});
		expect(press(at('review', {view: 'all-rules'}), 'a')).toEqual({type: 'view', view: 'rules'});
		expect(press(at('review'), 'a')).toBeUndefined();
		expect(press(at('review'), 'p')).toEqual({type: 'view', view: 'packet'});
	});

	test('while a packet is tried, only Esc is a command', () => {
		const flow = at('review', {view: 'packet'});
		for (const key of [{return: true}, {tab: true}, {downArrow: true}]) {
			expect(press(flow, key)).toBeUndefined();
		}

		expect(press(flow, 't')).toEqual({type: 'edit', edit: {insert: 't'}});
	});
});

test('only Rejection has the key l, outside of a field', () => {
	for (const step of PLAIN.filter((name) => name !== 'ports')) {
		const event = press(at(step), 'l');
		expect(event?.type).toBe(step === 'rejection' ? 'toggle-log' : undefined);
	}
});
