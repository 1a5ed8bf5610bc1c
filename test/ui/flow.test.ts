import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {HELPERS} from '../../source/policy/helpers.ts';
import {
	completePolicy,
	defaultPolicy,
	type PolicyPart,
	VERDICTS,
} from '../../source/policy/policy.ts';
import {printOpening} from '../../source/policy/port.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {focusedPolicy, isTyping, readField, reduceFlow} from '../../source/ui/flow.ts';
import {
	type Flow,
	type FlowEvent,
	STEPS,
	type Step,
	startFlow,
} from '../../source/ui/flow-state.ts';

const NEXT: FlowEvent = {type: 'next'};
const BACK: FlowEvent = {type: 'back'};

function start(preset: PolicyPart = {}): Flow {
	return startFlow(preset, ['workstation', 'server'], OWN_SERVICES);
}

function run(flow: Flow, ...events: readonly FlowEvent[]): Flow {
	return events.reduce(reduceFlow, flow);
}

/** The flow at a step, with the answers as they are. */
function at(step: Step, preset: PolicyPart = {}): Flow {
	return run(start(preset), ...STEPS.slice(0, STEPS.indexOf(step)).map(() => NEXT));
}

function opened({policy}: Flow): string {
	return policy.openings.map(printOpening).join(', ');
}

describe('the first state', () => {
	test('has what is recommended for the first role', () => {
		expect(start().policy).toEqual(defaultPolicy('workstation'));
		expect(startFlow({}, ['server', 'workstation'], OWN_SERVICES).policy).toEqual(
			defaultPolicy('server'),
		);
	});

	test('has what was said already, and points at it', () => {
		const preset = {role: 'server', verdict: 'drop', helpers: ['ftp'], log: true} as const;
		const flow = at('role', preset);
		expect(flow.policy).toEqual(completePolicy(preset));
		expect(flow.roles[flow.focus]).toBe('server');
		expect(VERDICTS[at('rejection', preset).focus]).toBe('drop');
	});
});

describe('Role', () => {
	test('takes the openings of the new role as long as nobody chose others', () => {
		const server = run(at('role'), {type: 'choose', index: 1});
		expect(opened(server)).toBe('22/tcp');
		const workstation = run(server, BACK, {type: 'choose', index: 0});
		expect(opened(workstation)).toBe('');
	});

	test('keeps openings that were chosen, also where none was left', () => {
		const typed = run(at('ports'), {type: 'type', text: '443/tcp'}, {type: 'submit'});
		const back = run(typed, BACK, BACK, BACK);
		expect(back.step).toBe('role');
		expect(opened(run(back, {type: 'choose', index: 1}))).toBe('443/tcp');
		const none = run(start({openings: []}), NEXT, {type: 'choose', index: 1});
		expect(opened(none)).toBe('');
	});

	test('passes over a choice that is not there', () => {
		expect(run(at('role'), {type: 'choose', index: 7}).policy.role).toBe('workstation');
	});
});

describe('Rejection', () => {
	test.each(VERDICTS.map((verdict, index) => [verdict, index] as const))(
		'takes %s',
		(verdict, index) => {
			const flow = run(at('rejection'), {type: 'choose', index});
			expect(flow.policy.verdict).toBe(verdict);
			expect(flow.step).toBe('helpers');
		},
	);

	test('logs and logs not', () => {
		const once = run(at('rejection'), {type: 'toggle-log'});
		expect(once.policy.log).toBe(true);
		expect(run(once, {type: 'toggle-log'}).policy.log).toBe(false);
		expect(once.step).toBe('rejection');
	});
});

describe('Helpers', () => {
	test('are switched on and off, in the order of the table', () => {
		const both = run(at('helpers'), {type: 'toggle', index: 2}, {type: 'toggle', index: 0});
		expect(both.policy.helpers).toEqual(['ftp', 'irc']);
		expect(run(both, {type: 'toggle', index: 2}).policy.helpers).toEqual(['ftp']);
		expect(run(both, {type: 'toggle', index: 99}).policy.helpers).toEqual(['ftp', 'irc']);
	});

	test('are switched nowhere else', () => {
		expect(run(at('ports'), {type: 'toggle', index: 0}).policy.helpers).toEqual([]);
	});
});

describe('Ports', () => {
	test('Enter takes over what was typed, merged, and empties the field', () => {
		const flow = run(
			at('ports', {role: 'server'}),
			{type: 'type', text: 'ssh, 53/tcp,53/udp'},
			{type: 'submit'},
		);
		expect(opened(flow)).toBe('22/tcp, 53');
		expect(flow).toMatchObject({step: 'ports', field: '', focus: -1, openingsChosen: true});
	});

	test('Enter leaves what it cannot read where it is', () => {
		const typed = run(at('ports'), {type: 'type', text: '99999/tcp'});
		expect(run(typed, {type: 'submit'})).toEqual(typed);
		expect(readField(typed).error?.message).toContain('99999');
	});

	test.each(['', '  '])('Enter with %j in the field goes on', (text) => {
		expect(run(at('ports'), {type: 'type', text}, {type: 'submit'}).step).toBe('review');
	});

	test('typing brings the focus back to the field', () => {
		const inList = run(at('ports', {role: 'server'}), {type: 'focus', index: 0});
		expect(inList.focus).toBe(0);
		expect(run(inList, {type: 'type', text: '5'})).toMatchObject({focus: -1, field: '5'});
	});

	test('removes the focused opening, and nothing while the field has the focus', () => {
		const flow = at('ports', {
			openings: readField({...start(), field: '1/tcp,2/tcp,3/tcp'}).openings,
		});
		expect(run(flow, {type: 'remove'})).toEqual(flow);
		const removed = run(flow, {type: 'focus', index: 2}, {type: 'remove'});
		expect(opened(removed)).toBe('1/tcp, 2/tcp');
		expect(removed.focus).toBe(1);
		const none = run(removed, {type: 'remove'}, {type: 'remove'});
		expect(none).toMatchObject({focus: -1, openingsChosen: true});
		expect(opened(none)).toBe('');
	});

	test('the one-key fix opens more, and is kept through another role', () => {
		const openings = readField({...start(), field: '2222/tcp'}).openings;
		const flow = run(at('review', {role: 'server'}), {type: 'open', openings});
		expect(opened(flow)).toBe('22/tcp, 2222/tcp');
		expect(flow.step).toBe('review');
	});
});

describe('Review', () => {
	test('Esc leads back to the rules first, then to Ports', () => {
		const packet = run(at('review'), {type: 'view', view: 'packet'}, {type: 'type', text: 'icmp'});
		expect(isTyping(packet)).toBe(true);
		const rules = run(packet, BACK);
		expect(rules).toMatchObject({step: 'review', view: 'rules', field: '', offset: 0});
		expect(run(rules, BACK).step).toBe('ports');
		expect(run(packet, {type: 'submit'})).toEqual(packet);
	});

	test('scrolls within the text', () => {
		const flow = run(at('review'), {type: 'scroll', by: 5, last: 20});
		expect(flow.offset).toBe(5);
		expect(run(flow, {type: 'scroll', by: -9, last: 20}).offset).toBe(0);
		expect(run(flow, {type: 'scroll', by: 99, last: 20}).offset).toBe(20);
		expect(run(flow, {type: 'scroll', by: -1, last: 3}).offset).toBe(2);
		expect(run(flow, {type: 'view', view: 'restore'}).offset).toBe(0);
	});
});

describe('the focused choice', () => {
	test('is what the answer would be', () => {
		const role = run(at('role'), {type: 'focus', index: 1});
		expect(focusedPolicy(role)).toEqual(run(role, {type: 'choose', index: 1}).policy);
		const verdict = run(at('rejection'), {type: 'focus', index: 2});
		expect(focusedPolicy(verdict)).toEqual(run(verdict, {type: 'choose', index: 2}).policy);
		const helper = run(at('helpers'), {type: 'focus', index: 3});
		expect(focusedPolicy(helper)).toEqual(run(helper, {type: 'toggle', index: 3}).policy);
		const typed = run(at('ports', {role: 'server'}), {type: 'type', text: '53'});
		expect(focusedPolicy(typed)).toEqual(run(typed, {type: 'submit'}).policy);
		const opening = run(at('ports', {role: 'server'}), {type: 'focus', index: 0});
		expect(focusedPolicy(opening)).toEqual(run(opening, {type: 'remove'}).policy);
	});

	test('is nothing new in a field that cannot be read, and in the later steps', () => {
		const wrong = run(at('ports'), {type: 'type', text: '22/'});
		expect(focusedPolicy(wrong)).toEqual(wrong.policy);
		expect(focusedPolicy(at('review'))).toEqual(start().policy);
	});
});

describe('whatever happens', () => {
	const text = fc.constantFrom('', '22', '22/tcp', 'ssh, 53', 'x', '1-9/udp', ',', 'mdns');
	const index = fc.integer({min: -3, max: 12});
	const events: fc.Arbitrary<FlowEvent> = fc.oneof(
		fc.record({type: fc.constantFrom('focus', 'choose', 'toggle'), index}),
		fc.record({type: fc.constantFrom('toggle-log', 'submit', 'remove', 'next', 'back')}),
		fc.record({type: fc.constant('type' as const), text}),
		fc.record({
			type: fc.constant('view' as const),
			view: fc.constantFrom('rules', 'restore', 'commands', 'packet'),
		}),
		fc.record({type: fc.constant('scroll' as const), by: index, last: fc.nat(20)}),
	);
	const flows = fc.array(events, {maxLength: 60}).map((list) => run(start(), ...list));

	test('the policy is one that the program could have read', () => {
		fc.assert(
			fc.property(flows, ({policy}) => {
				expect(completePolicy({}, policy)).toEqual(policy);
			}),
		);
	});

	test('the focus is on something', () => {
		fc.assert(
			fc.property(flows, ({step, focus, policy}) => {
				const counts: Partial<Record<Step, number>> = {
					role: 2,
					rejection: VERDICTS.length,
					helpers: HELPERS.length,
					ports: policy.openings.length,
					apply: 2,
				};
				expect(focus).toBeGreaterThanOrEqual(step === 'ports' ? -1 : 0);
				expect(focus).toBeLessThan(counts[step] ?? 1);
			}),
		);
	});

	test('Esc loses no answer, and Enter finds each again', () => {
		fc.assert(
			fc.property(flows, (flow) => {
				let back = flow;
				for (const _ of [...STEPS, ...STEPS]) {
					back = run(back, BACK);
					expect(back.policy).toEqual(flow.policy);
				}

				expect(back.step).toBe('welcome');
				const role = run(back, NEXT);
				const rejection = run(role, {type: 'choose', index: role.focus});
				const helpers = run(rejection, {type: 'choose', index: rejection.focus});
				const review = run(helpers, NEXT, {type: 'submit'});
				expect(review.step).toBe('review');
				expect(review.policy).toEqual(flow.policy);
			}),
		);
	});

	test('Esc goes back by one step, or closes the view', () => {
		fc.assert(
			fc.property(flows, (flow) => {
				const before = STEPS.indexOf(flow.step);
				const after = STEPS.indexOf(run(flow, BACK).step);
				const stays = before === 0 || (flow.step === 'review' && flow.view !== 'rules');
				expect(before - after).toBe(stays ? 0 : flow.step === 'result' ? 2 : 1);
			}),
		);
	});

	test('an event makes a new state and leaves the old one as it was', () => {
		fc.assert(
			fc.property(flows, events, (flow, event) => {
				const copy = structuredClone(flow);
				reduceFlow(flow, event);
				expect(flow).toEqual(copy);
			}),
		);
	});
});
