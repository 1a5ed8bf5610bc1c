import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {type Existing, KEEP_EXISTING} from '../../source/existing/cleanup-plan.ts';
import type {NeighbourChoice} from '../../source/existing/describe-choice.ts';
import {HELPERS} from '../../source/policy/helpers.ts';
import {printOpening} from '../../source/policy/opening.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {
	completePolicy,
	defaultPolicy,
	type PolicyPart,
	type Role,
	VERDICTS,
} from '../../source/policy/policy.ts';
import {covers, withoutPort} from '../../source/policy/port-openings.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {networksOf} from '../../source/policy/sources.ts';
import type {Listener} from '../../source/services/listener.ts';
import {stepsOf} from '../../source/ui/state/asked-steps.ts';
import {isTyping, rowsOf} from '../../source/ui/state/ports.ts';
import {focusedPolicy, reduceFlow} from '../../source/ui/state/reducer.ts';
import {
	ASKS,
	type Flow,
	type FlowEvent,
	HOME_CHOICES,
	NOTHING_KNOWN,
	STEPS,
	type Step,
	startFlow,
	WELCOME_CHOICES,
} from '../../source/ui/state/state.ts';
import {CONTAINER, socketOn} from '../_helpers/lab/sockets.ts';
import {startAsking} from '../_helpers/ui/app.tsx';
import {factsKnown} from '../_helpers/ui/facts-known.ts';

const NEXT: FlowEvent = {type: 'next'};
const BACK: FlowEvent = {type: 'back'};

/** Where no neighbour asks for a decision. */
const PLAIN = stepsOf({
	known: NOTHING_KNOWN,
	asks: 'everything',
	asksHelpers: 'always',
	entrance: 'welcome',
});

function start(preset: PolicyPart = {}): Flow {
	return startAsking(preset);
}

function run(flow: Flow, ...events: readonly FlowEvent[]): Flow {
	return events.reduce(reduceFlow, flow);
}

/** The flow at a step, with the answers as they are. */
function at(step: Step, preset: PolicyPart = {}): Flow {
	return run(start(preset), ...PLAIN.slice(0, PLAIN.indexOf(step)).map(() => NEXT));
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
		expect(typed.entered.error?.message).toContain('99999');
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
			openings: parseOpenings('1/tcp,2/tcp,3/tcp', OWN_SERVICES),
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
		const openings = parseOpenings('2222/tcp', OWN_SERVICES);
		const flow = run(at('review', {role: 'server'}), {type: 'open', openings});
		expect(opened(flow)).toBe('22/tcp, 2222/tcp');
		expect(flow.step).toBe('review');
	});
});

describe('Ports, with what listens', () => {
	const socket = (port: number, more: Partial<Listener> = {}) =>
		socketOn(port, {process: `p${port}`, ...more});
	const web = [socket(80), socket(80, {address: '::', families: [6]}), socket(443)];
	const postgres = socket(5432, {address: '127.0.0.1', reach: 'loopback'});
	const knowing = (openings: string, listeners: readonly Listener[] = [...web, postgres]) =>
		run(at('ports', {openings: parseOpenings(openings, OWN_SERVICES)}), {
			type: 'learn',
			known: factsKnown({listeners, published: [CONTAINER]}),
		});
	const keys = (flow: Flow) => rowsOf(flow).map(({key}) => key);

	test('the list has what others reach first, then what is beyond, openings, loopback', () => {
		const flow = knowing('80/tcp, 9100/tcp from 10.0.0.0/8');
		expect(rowsOf(flow).map(({kind}) => kind)).toEqual([
			...['listener', 'listener', 'published', 'opening', 'loopback'],
		]);
		expect(keys(flow)[0]).toBe('80/tcp');
		expect(rowsOf(flow)[0]).toMatchObject({openings: [{first: 80}], listeners: [{}, {}]});
		expect(rowsOf(flow)[1]).toMatchObject({key: '443/tcp', openings: []});
		expect(rowsOf(flow)[3]).toMatchObject({listens: false});
	});

	test('Space opens what is closed and shuts what is open, and the focus stays', () => {
		const flow = run(knowing(''), {type: 'focus', index: 1});
		const open = run(flow, {type: 'toggle', index: 1});
		expect(opened(open)).toBe('443/tcp');
		expect(open.focus).toBe(1);
		expect(focusedPolicy(flow)).toEqual(open.policy);
		expect(opened(run(open, {type: 'toggle', index: 1}))).toBe('');
	});

	test('Space does nothing about what is beyond our reach, or reaches nobody', () => {
		const flow = knowing('');
		expect(run(flow, {type: 'toggle', index: 2})).toEqual(flow);
		expect(run(flow, {type: 'toggle', index: 3})).toEqual(flow);
		expect(run(flow, {type: 'focus', index: 3}, {type: 'remove'}).policy).toEqual(flow.policy);
	});

	test('shutting one port of a range, or one protocol of two, leaves the rest', () => {
		expect(opened(run(knowing('79-81/tcp'), {type: 'toggle', index: 0}))).toBe('79/tcp, 81/tcp');
		expect(opened(run(knowing('80'), {type: 'toggle', index: 0}))).toBe('80/udp');
		const both = run(knowing('80/tcp from 10.0.0.0/8, 80/tcp on wg0'), {type: 'toggle', index: 0});
		expect(opened(both)).toBe('');
	});

	test('local discovery is opened for multicast alone', () => {
		const flow = knowing('', [socket(5353, {protocol: 'udp'})]);
		const open = run(flow, {type: 'toggle', index: 0});
		expect(opened(open)).toBe('mdns');
		expect(keys(open)).toEqual(keys(flow));
		expect(opened(run(open, {type: 'toggle', index: 0}))).toBe('');
	});

	test('Space removes an opening without a listener, and Del any', () => {
		const flow = knowing('9100/tcp, 80/tcp');
		expect(opened(run(flow, {type: 'toggle', index: 3}))).toBe('80/tcp');
		expect(opened(run(flow, {type: 'focus', index: 0}, {type: 'remove'}))).toBe('9100/tcp');
	});

	test('what is found out late moves the focus along', () => {
		const before = at('ports', {openings: parseOpenings('9100/tcp', OWN_SERVICES)});
		const focused = run(before, {type: 'focus', index: 0});
		const after = run(focused, {
			type: 'learn',
			known: factsKnown({listeners: web, published: []}),
		});
		expect(rowsOf(after)[after.focus]?.key).toBe('9100/tcp');
		expect(after.policy).toEqual(focused.policy);
	});

	test('a port that is closed is covered by nothing, and all others are as before', () => {
		const text = fc.constantFrom('1-9', '5/tcp', '4-6/udp', '5', 'mdns', '5/tcp from 10.0.0.0/8');
		fc.assert(
			fc.property(fc.array(text), fc.integer({min: 1, max: 9}), (texts, number) => {
				const openings = parseOpenings(texts.join(), OWN_SERVICES);
				const port = {protocol: 'tcp', port: number} as const;
				const left = withoutPort(openings, port);
				for (const protocol of ['tcp', 'udp'] as const) {
					for (const other of [1, 2, 3, 4, 5, 6, 7, 8, 9, 5353]) {
						const shut = protocol === 'tcp' && other === number;
						const is = (list: typeof left) =>
							list
								.filter((opening) => covers(opening, {protocol, port: other}))
								.map(
									({kind, ...rest}) =>
										`${kind} ${'from' in rest ? networksOf(rest.from ?? []).map(({cidr}) => cidr) : ''}`,
								)
								.sort();
						expect(is(left)).toEqual(shut ? [] : is(openings));
					}
				}
			}),
		);
	});
});

describe('what serves the hosts behind this machine', () => {
	const network = {
		...{name: 'virbr0', addresses: ['192.168.122.1'], subnets: ['192.168.122.1/24']},
		...{pattern: 'virbr0', ofGuests: true},
	};
	const guests = [
		{network, protocol: 'udp', port: 67, program: 'dnsmasq', users: []},
		{network, protocol: 'tcp', port: 5432, program: 'postgres', users: []},
	] as const;
	const known = factsKnown({guests});

	test('is open at the start where they have no address or names without', () => {
		const flow = run(start(), {type: 'learn', known});
		expect(opened(flow)).toBe('67/udp on virbr0');
		expect(flow.openingsChosen).toBe(false);
		expect(opened(run(flow, {type: 'learn', known}))).toBe('67/udp on virbr0');
		const role = run(flow, NEXT, {type: 'choose', index: 1});
		expect(opened(role)).toBe('22/tcp, 67/udp on virbr0');
	});

	test('stays as it is where the user has chosen', () => {
		const chosen = startFlow({openings: []}, ['server', 'workstation'], OWN_SERVICES);
		expect(opened(run(chosen, {type: 'learn', known}))).toBe('');
	});
});

describe('Neighbours', () => {
	const choice = (more: Partial<NeighbourChoice>): NeighbourChoice => ({
		label: 'x',
		means: [],
		warnings: [],
		existing: KEEP_EXISTING,
		openings: [],
		...{refusal: undefined, byDefault: false, reason: undefined},
		...more,
	});
	const flush: Existing = {mode: 'flush-input', switchOff: []};
	const choices = [
		choice({}),
		choice({existing: flush, openings: parseOpenings('8443/tcp', OWN_SERVICES)}),
		choice({refusal: 'Docker needs the table'}),
	];
	const knowing = (flow: Flow) => run(flow, {type: 'learn', known: factsKnown({choices})});

	test('are asked about only where there is something to decide', () => {
		expect(run(start(), NEXT).step).toBe('role');
		const none = run(start(), {type: 'learn', known: factsKnown({choices: []})}, NEXT);
		expect(none.step).toBe('role');
		expect(run(knowing(start()), NEXT).step).toBe('neighbours');
		expect(run(knowing(start()), NEXT, NEXT, BACK).step).toBe('neighbours');
	});

	test('the choice is kept, and found again', () => {
		const chosen = run(knowing(start()), NEXT, {type: 'choose', index: 1});
		expect(chosen).toMatchObject({step: 'role', existing: flush});
		expect(run(chosen, BACK)).toMatchObject({step: 'neighbours', focus: 1});
		expect(run(chosen, BACK, BACK, NEXT, NEXT).existing).toEqual(flush);
	});

	test('what the neighbour let in is where the policy starts, through another role', () => {
		const chosen = run(knowing(start()), NEXT, {type: 'choose', index: 1});
		expect(opened(chosen)).toBe('8443/tcp');
		expect(opened(run(chosen, {type: 'choose', index: 1}))).toBe('8443/tcp');
		const twice = run(chosen, BACK, {type: 'choose', index: 1});
		expect(opened(twice)).toBe('8443/tcp');
	});

	test('are decided before Helpers, which Welcome leads to, where they must be', () => {
		const asked = (list: readonly NeighbourChoice[]) =>
			run(
				startFlow({}, ['server', 'workstation'], OWN_SERVICES),
				{type: 'learn', known: factsKnown({choices: list})},
				{type: 'ask-helpers'},
			);
		expect(run(asked(choices), {type: 'choose', index: 0}).step).toBe('helpers');
		expect(asked(choices).step).toBe('neighbours');
		expect(asked([choice({byDefault: true})]).step).toBe('helpers');
		expect(asked([]).step).toBe('helpers');
	});

	test('and all other answers of a new start are dropped on the way back to Home', () => {
		const policy = completePolicy({
			role: 'server',
			openings: parseOpenings('80/tcp', OWN_SERVICES),
		});
		const home = knowing(
			startFlow({...policy, published: 'leave'}, ['server'], OWN_SERVICES, 'home'),
		);
		const over = run(home, {type: 'choose', index: HOME_CHOICES.indexOf('over')});
		const answered = run(
			over,
			{type: 'ask-helpers'},
			{type: 'choose', index: 1},
			{type: 'toggle', index: 0},
			BACK,
			BACK,
			{type: 'choose', index: ASKS.indexOf('ports')},
			{type: 'choose', index: 1},
			NEXT,
			{type: 'type', text: '9/tcp'},
		);
		expect(answered).toMatchObject({step: 'ports', existing: flush, asksHelpers: 'always'});
		expect(opened(answered)).toContain('8443/tcp');
		let back = answered;
		while (back.step !== 'home') {
			back = run(back, BACK);
		}

		expect(back).toEqual(home);
		const ports = run(back, {type: 'choose', index: HOME_CHOICES.indexOf('ports')});
		expect(ports).toMatchObject({step: 'ports', field: ''});
		expect(opened(ports)).toBe('80/tcp');
	});

	test('what cannot be done here is not chosen', () => {
		const flow = run(knowing(start()), NEXT);
		expect(run(flow, {type: 'choose', index: 2})).toEqual(flow);
		expect(run(flow, {type: 'choose', index: 9})).toEqual(flow);
	});
});

test('the alternatives to a port end with its line', () => {
	const known = factsKnown({listeners: [socketOn(3306)]});
	const told = run(
		{...at('ports'), policy: completePolicy({role: 'server', openings: []})},
		{type: 'learn', known},
		{type: 'focus', index: 0},
		{type: 'view', view: 'alternatives'},
	);
	expect(told).toMatchObject({focus: 0, view: 'alternatives'});
	expect(run(told, {type: 'learn', known})).toMatchObject({focus: 0, view: 'alternatives'});
	expect(run(told, {type: 'learn', known: factsKnown({listeners: []})})).toMatchObject({
		focus: -1,
		view: 'rules',
	});
});

describe('a recommendation', () => {
	const recommending = (role: Role): FlowEvent => ({
		type: 'learn',
		known: factsKnown({recommendation: {role, reason: 'nginx listens'}}),
	});

	test('comes first and is focused, with its openings', () => {
		const flow = run(start(), recommending('server'), NEXT);
		expect(flow.roles).toEqual(['server', 'workstation']);
		expect(flow.focus).toBe(0);
		expect(opened(flow)).toBe('22/tcp');
	});

	test('replaces no role that was said or chosen, and moves no list under a finger', () => {
		const said = run(start({role: 'workstation'}), recommending('server'), NEXT);
		expect(said.policy.role).toBe('workstation');
		expect(said.roles[said.focus]).toBe('workstation');
		const looking = run(start(), NEXT, recommending('server'));
		expect(looking.roles).toEqual(['workstation', 'server']);
		expect(looking.policy.role).toBe('workstation');
		const chosen = run(at('rejection'), {type: 'back'}, {type: 'choose', index: 0});
		expect(run(chosen, recommending('server')).policy.role).toBe('workstation');
	});
});

describe('Review', () => {
	test('Esc leads back to the summary first, then to Ports', () => {
		const packet = run(at('review'), {type: 'view', view: 'packet'}, {type: 'type', text: 'icmp'});
		expect(isTyping(packet)).toBe(true);
		const rules = run(packet, BACK);
		expect(rules).toMatchObject({step: 'review', view: 'summary', field: '', offset: 0});
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
					welcome: WELCOME_CHOICES.length,
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
				let back: Flow = {...flow, asks: 'everything', asksHelpers: 'always'};
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
				const before = PLAIN.indexOf(flow.step);
				const after = PLAIN.indexOf(run(flow, BACK).step);
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

test('what was rolled back is said at the end, also where a check came before it', () => {
	const outcome = {ok: false, message: 'Rolled back', hint: 'Try again', rolledBack: true} as const;
	const checked: Flow = {...startAsking(), parting: 'looked'};
	expect(reduceFlow(checked, {type: 'outcome', outcome}).parting).toBe(outcome);
	const refused = {...outcome, rolledBack: false};
	expect(reduceFlow(checked, {type: 'outcome', outcome: refused}).parting).toBe('looked');
});
