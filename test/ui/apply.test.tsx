import {describe, expect, test, vi} from 'vitest';
import type {ApplyPlan} from '../../source/app/plan-apply.ts';
import type {Policy} from '../../source/policy/policy.ts';
import type {RemoteClient} from '../../source/ruleset/lockout.ts';
import type {Pending} from '../../source/ui/hooks/use-apply.ts';
import type {Outcome} from '../../source/ui/state/state.ts';
import {type AppOptions, appOpener, type OpenApp} from '../_helpers/ui/app.tsx';
import {plannerFor} from '../_helpers/ui/app-props.ts';
import {expectFits, type Size} from '../_helpers/ui/frames.ts';

const openApp = appOpener();
const KEPT: Outcome = {ok: true, message: 'Confirmed as change 1.'};
const BACK: Outcome = {
	ok: false,
	message: 'The old rules are back',
	hint: 'As before',
	rolledBack: true,
};
const VISITOR: RemoteClient = {
	client: '203.0.113.9',
	inInterface: 'eth0',
	accessPorts: [{protocol: 'tcp', first: 22, last: 22}],
};
const SIZES: readonly Size[] = [
	[120, 40],
	[80, 24],
	[60, 20],
];

/** Rules that were loaded by a wizard of the test, and what became of them. */
class Change implements Pending {
	readonly policies: Policy[] = [];
	readonly decisions: string[] = [];
	seen: ReturnType<Pending['look']> = {secondsLeft: 60, logins: [], keepable: false};

	apply = async ({policy}: ApplyPlan): Promise<Pending> => {
		this.policies.push(policy);
		return this;
	};

	look = () => this.seen;

	keep = async () => {
		this.decisions.push('keep');
		return KEPT;
	};

	rollBack = async () => {
		this.decisions.push('roll back');
		return BACK;
	};
}

async function openApply(options: AppOptions = {}, change = new Change()) {
	const app = await openApp({onApply: change.apply, ...options});
	// Welcome, Role, Rejection, Helpers, Ports, Review, Proof.
	await app.press('enter', 'enter', 'enter', 'enter', 'enter', 'enter', 'enter');
	expect(app.screen()).toContain('Load these rules now?');
	return {app, change};
}

/** The frame that comes by itself, when something outside has changed. */
async function until(app: OpenApp, text: string): Promise<void> {
	await vi.waitFor(() => expect(app.screen()).toContain(text), {timeout: 5000});
}

describe.each(SIZES)('Apply at %i columns, %i rows', (columns, rows) => {
	const size: Size = [columns, rows];

	test('keeps what is loaded only with the word, typed out', async () => {
		const {app, change} = await openApply({columns, rows, banner: 'Rehearsal'});
		expectFits(app.lines(), size);
		await app.press('enter');
		expect(app.screen()).toContain('Can you still log in?');
		expect(app.screen()).toMatch(/\D60 s/);
		expectFits(app.lines(), size);
		expect(change.policies).toHaveLength(1);
		await app.pressInVain('enter');
		await app.type('kee');
		await app.pressInVain('enter');
		expect(app.screen()).not.toContain('This is not keep');
		await app.type('e');
		expect(app.screen()).toMatch(/keee. This is not keep$/m);
		await app.pressInVain('enter');
		expect(change.decisions).toEqual([]);
		await app.press('backspace');
		await app.type('p');
		await app.press('enter');
		expect(change.decisions).toEqual(['keep']);
		expect(app.screen()).toContain('Confirmed as change 1.');
		expectFits(app.lines(), size);
	});

	test('counts down, and keeps with Enter once a new login was seen', async () => {
		const {app, change} = await openApply({
			columns,
			rows,
			machine: {remoteClient: VISITOR},
			preset: {role: 'server'},
		});
		await app.press('enter');
		change.seen = {secondsLeft: 41, logins: ['203.0.113.9'], keepable: true};
		await until(app, 'New login from 203.0.113.9');
		expect(app.screen()).toMatch(/\D41 s/);
		expectFits(app.lines(), size);
		await app.press('enter');
		expect(change.decisions).toEqual(['keep']);
	});

	test('asks for a word before it shuts the way in that is in use', async () => {
		const {app, change} = await openApply({columns, rows, machine: {remoteClient: VISITOR}});
		expect(app.screen()).toMatch(/locked out: 22\/tcp/);
		expectFits(app.lines(), size);
		await app.pressInVain('enter');
		await app.type('lock me ou');
		await app.pressInVain('enter');
		expect(change.policies).toEqual([]);
		await app.type('t');
		await app.press('enter');
		expect(change.policies).toHaveLength(1);
	});

	test('opens the way in with one key', async () => {
		const {app, change} = await openApply({columns, rows, machine: {remoteClient: VISITOR}});
		await app.type('o');
		expect(app.screen()).not.toContain('locked out');
		expect(app.screen()).toContain('You can still log in');
		expectFits(app.lines(), size);
		await app.press('enter');
		expect(change.policies[0]?.openings).toMatchObject([{protocol: 'tcp', first: 22, last: 22}]);
	});
});

describe('Apply', () => {
	test('Esc puts the old rules back, and leads to Review with every answer', async () => {
		const {app, change} = await openApply({
			preset: {role: 'server', verdict: 'drop'},
			machine: {findExposure: async () => new Promise(() => {})},
		});
		await app.press('enter', 'escape');
		expect(change.decisions).toEqual(['roll back']);
		expect(app.screen()).toContain('The old rules are back');
		await app.press('escape');
		expect(app.screen()).toContain('[Summary]');
		expect(app.screen()).toMatch(/22\/tcp +open/);
	});

	test('hears of rules that were rolled back meanwhile', async () => {
		const {app, change} = await openApply();
		await app.press('enter');
		await app.type('ke');
		change.seen = {...change.seen, outcome: {...BACK, message: 'Not confirmed in time'}};
		await until(app, 'Not confirmed in time');
		await app.pressInVain('enter');
		expect(change.decisions).toEqual([]);
	});

	test('says what went wrong and what to do, and loads again after that', async () => {
		const change = new Change();
		let tries = 0;
		const onApply = async (plan: ApplyPlan) => {
			tries += 1;
			return tries === 1
				? {ok: false as const, message: 'The kernel said no', hint: 'Do this', rolledBack: false}
				: change.apply(plan);
		};
		const {app} = await openApply({onApply});
		await app.press('enter');
		expect(app.screen()).toContain('The kernel said no');
		expect(app.screen()).toContain('Do this.');
		await app.press('escape', 'enter', 'enter', 'enter');
		expect(app.screen()).toContain('Can you still log in?');
	});

	test('loads once, however often Enter is pressed', async () => {
		const change = new Change();
		let release = () => {};
		const held = new Promise<void>((resolve) => {
			release = resolve;
		});
		const onApply = async (plan: ApplyPlan) => {
			await held;
			return change.apply(plan);
		};
		const {app} = await openApply({onApply});
		await app.press('enter');
		expect(app.screen()).toContain('Please wait');
		for (const key of ['enter', 'escape', 'down', 'enter'] as const) {
			await app.pressInVain(key);
		}

		release();
		await until(app, 'Can you still log in?');
		expect(change.policies).toHaveLength(1);
		expect(change.decisions).toEqual([]);
	});

	test('says why nothing can be loaded here', async () => {
		const {app, change} = await openApply({
			machine: {planApply: plannerFor(undefined, {root: false})},
		});
		expect(app.screen()).toContain('Only root can do this');
		expect(app.screen()).toContain('fw-wizard apply --role workstation');
		await app.pressInVain('enter');
		expect(change.policies).toEqual([]);
	});

	test.each(['sudo', 'su'] as const)(
		'goes on as root through %s, and loads nothing itself',
		async (elevation) => {
			const {app, change} = await openApply({
				machine: {
					elevation,
					planApply: plannerFor(VISITOR, {root: false}),
					remoteClient: VISITOR,
				},
			});
			expect(app.screen()).toContain(`Continue as root, through ${elevation}`);
			expect(app.screen()).toContain('Not proven');
			// Root's wizard asks for the word.
			expect(app.screen()).toContain('You would be locked out');
			await app.poke('enter');
			// It has let go of the terminal.
			await app.pressInVain('down');
			expect(change.policies).toEqual([]);
		},
	);
});

test('what keeps the rules is in view, and counted down, on the smallest terminal', async () => {
	const {app, change} = await openApply({columns: 40, rows: 10, machine: {remoteClient: VISITOR}});
	await app.type('o');
	await app.press('enter');
	expectFits(app.lines(), [40, 10]);
	expect(app.screen()).toContain('The old rules are restored in 60 s.');
	expect(app.screen()).toContain('type keep and Enter:\n❯');
	change.seen = {secondsLeft: 41, logins: ['203.0.113.9'], keepable: true};
	await until(app, 'Enter keeps the rules');
	expect(app.screen()).toContain('are restored in 41 s.');
});

test('says beforehand how long there is to confirm', async () => {
	const {app} = await openApply({machine: {seconds: 120}});
	expect(app.screen().replaceAll(/\s+/g, ' ')).toContain('Unless confirmed within 120 s,');
});
