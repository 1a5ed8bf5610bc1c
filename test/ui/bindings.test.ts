import fc from 'fast-check';
import {expect, test} from 'vitest';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {bindingsOf, keyEventOf} from '../../source/ui/keys/bindings.ts';
import {keyLine} from '../../source/ui/keys/format-bindings.ts';
import {type KeyState, plainKeyState} from '../../source/ui/keys/key-state.ts';
import {isPress} from '../../source/ui/keys/presses.ts';
import {reduceFlow} from '../../source/ui/state/reducer.ts';
import {
	type Flow,
	type FlowEvent,
	REVIEW_VIEWS,
	STEPS,
	type Step,
	startFlow,
} from '../../source/ui/state/state.ts';
import {lineOf, pressOf} from '../_helpers/ui/keys.ts';

const SSH = {kind: 'port', protocol: 'tcp', first: 22, last: 22, limit: false} as const;

function at(step: Step, change: Partial<Flow> = {}, more: Partial<KeyState> = {}): KeyState {
	const flow = {...startFlow({role: 'server'}, ['server'], OWN_SERVICES), step, ...change};
	return {...plainKeyState(flow), ...more};
}

/** What only `?` shows. */
function moreOf(state: KeyState): readonly string[] {
	return bindingsOf(state).flatMap(({key, label, helpOnly}) => (helpOnly ? `${key} ${label}` : []));
}

test('on 60 columns every step still says how to go on', () => {
	for (const step of STEPS) {
		const state = at(step, {focus: step === 'ports' ? -1 : 0});
		expect(keyLine(bindingsOf(state), 59), step).toMatch(/Enter (?:continue|choose|add|quit)/);
	}
});

test('a list is spoken of only where there is one', () => {
	const policy = {...at('ports').flow.policy, openings: []};
	expect(lineOf(at('ports', {focus: -1, policy}))).not.toContain('Down list');
	expect(lineOf(at('ports', {focus: -1}))).toContain('Down list');
	expect(lineOf(at('ports', {focus: -1}))).not.toContain('Del');
	expect(lineOf(at('ports', {focus: 0}))).toContain('Del remove');
});

test('where a word must be typed there is nothing to move to or to choose', () => {
	const out = {lockedOut: true, cutOff: [SSH]};
	expect(lineOf(at('apply', {}, out))).toBe('o open it  Esc back  Ctrl-C quit');
	expect(lineOf(at('review', {}, out))).toMatch(/^o open it {2}Enter continue/);
	const impossible = at('apply', {}, {...out, obstacle: 'impossible'});
	expect(lineOf(impossible)).toBe('Esc back  Ctrl-C quit');
	expect(moreOf(impossible)).not.toContain('o open it');
});

test('who goes on as root chooses from a list, and may open the missing port before', () => {
	const state = at('apply', {}, {lockedOut: true, cutOff: [SSH], obstacle: 'needs root'});
	expect(lineOf(state)).toBe('Up/Down move  Enter choose  Esc back  Ctrl-C quit');
	expect(moreOf(state)).toContain('o open it');
});

test('the checklist has the keys that do something', () => {
	const outcome = {ok: true, message: 'Loaded.'} as const;
	const kept = at('result', {outcome});
	expect(lineOf(kept)).not.toContain('f fix');
	expect(lineOf({...kept, mendable: true})).toContain('f fix');
	// Letters are those of the word for a reboot.
	expect(lineOf({...kept, offersReboot: true})).toBe('Enter quit  Up/Down read');
	expect(lineOf(at('result'))).toContain('Esc back');
	expect(moreOf(kept)).toContain('PgUp/PgDn a page');
	const failed = {ok: false, message: '', hint: '', rolledBack: false} as const;
	expect(moreOf(at('result', {outcome: failed}))).not.toContain('PgUp/PgDn a page');
});

test('while rules are loaded there are no keys but that which says so', () => {
	for (const phase of ['loading', 'deciding'] as const) {
		const state = at('apply', {applying: {phase}});
		expect(lineOf(state)).toBe('');
		expect(moreOf(state)).toEqual(['? these words and keys']);
	}
});

/** Every key that may mean something, and some that mean nothing. */
const PRESSES = [
	...[...' ?abcdefghijklmnopqrstuvwxyz0129./'].map(pressOf),
	...(['upArrow', 'downArrow', 'leftArrow', 'rightArrow', 'pageUp', 'pageDown'] as const).map(
		(name) => pressOf({[name]: true}),
	),
	...(['home', 'end', 'return', 'escape', 'tab', 'backspace', 'delete'] as const).map((name) =>
		pressOf({[name]: true}),
	),
	pressOf({tab: true, shift: true}),
	...[...'abcdefhklquwz'].map((input) => ({...pressOf({ctrl: true}), input})),
];
const anyState = fc.record({
	flow: fc
		.array(anyEvent(), {maxLength: 20})
		.map((events) => events.reduce(reduceFlow, at('welcome').flow)),
	proving: fc.boolean(),
	lockedOut: fc.boolean(),
	cutOff: fc.constantFrom([], [SSH]),
	obstacle: fc.constantFrom(undefined, 'needs root' as const, 'impossible' as const),
	mendable: fc.boolean(),
	offersReboot: fc.boolean(),
	looking: fc.boolean(),
	viewport: fc.record({lines: fc.nat({max: 60}), height: fc.nat({max: 30})}),
	suggested: fc.constantFrom(
		{clients: [], vpns: []},
		{clients: ['from 192.0.2.0/24', 'on wg0'], vpns: ['wg0', 'wg1']},
	),
});

test('a press means one thing at a time, and what is shown of it is what it does', () => {
	fc.assert(
		fc.property(anyState, (state) => {
			for (const press of PRESSES) {
				const bindings = bindingsOf(state).filter(
					({key, alias}) => isPress(key, press) || (alias !== undefined && isPress(alias, press)),
				);
				expect(bindings.length).toBeLessThanOrEqual(1);
				const event = keyEventOf(state, press, false);
				if (bindings.length === 0) {
					expect(['edit', undefined]).toContain(event?.type);
				}
			}

			for (const {key, event} of bindingsOf(state)) {
				const presses = PRESSES.filter((press) => isPress(key, press));
				expect(presses.length, key).toBeGreaterThan(0);
				// A word in the field of the checklist is for the field to judge.
				if (typeof event === 'function' && !(key === 'Enter' && state.flow.step === 'result')) {
					expect(presses.map((press) => keyEventOf(state, press, false))).not.toContain(undefined);
				}
			}
		}),
	);
});

test('while the keys are shown, all but Ctrl-C hide them, or scroll what does not fit', () => {
	fc.assert(
		fc.property(anyState, fc.constantFrom(...PRESSES), (state, press) => {
			const event = keyEventOf(state, press, true);
			if (isPress('Ctrl-C', press)) {
				expect(event).toEqual(keyEventOf(state, press, false));
				return;
			}

			const {lines, height} = state.viewport;
			const scrolls = (['Up/Down', 'PgUp/PgDn', 'Home/End'] as const).some((name) =>
				isPress(name, press),
			);
			expect(event?.type).toBe(scrolls && lines > height ? 'scroll-help' : 'help');
		}),
	);
});

function anyEvent(): fc.Arbitrary<FlowEvent> {
	const index = fc.integer({min: -1, max: 6});
	return fc.oneof(
		fc.constantFrom<FlowEvent>(
			{type: 'next'},
			{type: 'back'},
			{type: 'submit'},
			{type: 'remove'},
			{type: 'outcome', outcome: {ok: true, message: 'Kept.'}},
			{
				type: 'outcome',
				outcome: {ok: false, message: 'No', hint: 'Yes', rolledBack: false},
			},
			{type: 'applying', applying: {phase: 'loading'}},
			{type: 'applying', applying: {phase: 'deciding'}},
			...[true, false].map(
				(keepable): FlowEvent => ({
					type: 'applying',
					applying: {phase: 'waiting', secondsLeft: 9, logins: [], keepable},
				}),
			),
		),
		// Most walks are to come further than the first steps.
		fc.constant<FlowEvent>({type: 'next'}),
		fc.record({
			type: fc.constantFrom('focus' as const, 'choose' as const, 'toggle' as const),
			index,
		}),
		fc.record({
			type: fc.constant('edit' as const),
			edit: fc.constantFrom('backward-char' as const, 'kill-line' as const, {insert: 'o'}),
		}),
		fc.record({type: fc.constant('type' as const), text: fc.constantFrom('', '443', 'nonsense')}),
		fc.record({
			type: fc.constant('view' as const),
			view: fc.constantFrom(...REVIEW_VIEWS, 'alternatives' as const),
		}),
	);
}
