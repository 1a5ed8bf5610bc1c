import assert from 'node:assert/strict';
import {expect, test, vi} from 'vitest';
import type {AppliedStatus} from '../../source/app/applied-status.ts';
import {HostError} from '../../source/lib/errors.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {undoFailureOf} from '../../source/ui/begin-applying.ts';
import {keyEventOf} from '../../source/ui/keys/bindings.ts';
import {plainKeyState} from '../../source/ui/keys/key-state.ts';
import {reduceFlow} from '../../source/ui/state/reducer.ts';
import {type Flow, HOME_CHOICES, startFlow} from '../../source/ui/state/state.ts';
import type {HostView} from '../../source/ui/steps/step-props.ts';
import {homeLines} from '../../source/ui/text/home.ts';
import {socketOn} from '../_helpers/lab/sockets.ts';
import {appOpener} from '../_helpers/ui/app.tsx';
import {factsKnown} from '../_helpers/ui/facts-known.ts';
import {expectFits, SIZES} from '../_helpers/ui/frames.ts';
import {pressOf} from '../_helpers/ui/keys.ts';
import {ACTIVE, LOG} from './home-scenes.ts';

const openApp = appOpener();
const POLICY = ACTIVE.policy;

async function openHome(machine: Partial<HostView> = {}, [columns, rows] = [80, 24]) {
	return openApp({
		columns,
		rows,
		start: startFlow(POLICY, ['server', 'workstation'], OWN_SERVICES, 'home'),
		machine: {status: ACTIVE, ...machine},
	});
}

function said(change: Partial<AppliedStatus>): string {
	return homeLines({...ACTIVE, ...change}, 200)
		.map(({text, tone}) => `${tone}: ${text}`)
		.join('\n');
}

test.each(SIZES)('%i columns, %i rows: it fits, with its choices in view', async (...size) => {
	const app = await openHome({}, size);
	expectFits(app.lines(), size);
	expect(app.screen()).toMatch(/. Change what is open/);
});

test('it says since when, by whom, what is open, and what the next boot does', () => {
	expect(said({})).toBe(
		[
			'good: Active since 2026-11-28 14:02 UTC (change 3, by root)',
			'plain: Open: 22/tcp (sshd), 80/tcp (nginx)',
			'plain: Closed, although a program listens: 5432/tcp (postgres)',
			'muted: Other ports: blocked (reject)',
			'plain: Next boot: systemd loads the rules',
			'plain: Last check: 2026-11-28 14:05 UTC, nothing wrong',
			'muted: Watch: every 5 minutes, with repair, last 2026-11-28 15:00 UTC, nothing wrong',
		].join('\n'),
	);
});

test('what is wrong comes first, and is no good news', () => {
	const altered = said({matches: false, differences: ['INPUT lacks -j X', 'more']});
	expect(altered.split('\n')[0]).toBe(
		'danger: The loaded rules do not match the policy: INPUT lacks -j X; 1 more',
	);
	const off = said({active: false, matches: false});
	expect(off).toMatch(/^danger: Not active: /);
	expect(off).not.toContain('Active since');
	expect(said({published: [{...PUBLISHED, open: null}]})).toContain(
		'attention: Open, and not controlled by this policy: 8080/tcp (published by Docker)',
	);
	expect(said({published: [{...PUBLISHED, open: false}]})).not.toContain('8080');
	expect(
		said({boot: {by: 'systemd', ready: false, fault: 'fw-wizard.service is not enabled'}}),
	).toContain('danger: Next boot: the rules are not loaded, fw-wizard.service is not enabled');
	expect(said({lastCheck: null})).toContain('Last check: none');
});

const PUBLISHED = {
	...({protocol: 'tcp', address: '0.0.0.0', port: 8080, last: 8080} as const),
	...({to: '172.17.0.2:80', by: 'Docker', families: [4], decidedBy: 'program'} as const),
};

test('what is open is changed from the applied policy, and Esc leads back', async () => {
	const app = await openHome();
	await app.press('enter');
	expect(app.screen()).toContain('Which ports should be open?');
	expect(app.screen()).toContain('80/tcp');
	await app.press('escape');
	expect(app.screen()).toContain('Active since');
});

test('to start over is to begin with what is recommended, and Esc brings the applied policy back', async () => {
	const known = factsKnown({
		listeners: [socketOn(22, {process: 'sshd'}), socketOn(443, {process: 'nginx'})],
		recommendation: {role: 'server', reason: 'nginx listens on all addresses'},
	});
	const app = await openHome({known});
	await app.press('down', 'down', 'down', 'down', 'enter');
	expect(app.screen()).toMatch(/^ +443\/tcp +nginx +the web$/m);
	expect(app.screen()).not.toContain('80/tcp');
	await app.press('escape');
	expect(app.screen()).toContain('Active since');
	await app.press('enter');
	expect(app.screen()).toMatch(/\[x\] 80\/tcp/);
});

test('an undo is asked about, and only the answer to undo does it', async () => {
	let undone = 0;
	const app = await openHome({
		undo: async () => {
			undone += 1;
			throw new HostError('The earlier rules block 22/tcp', 'Nothing was changed', 1);
		},
	});
	await app.press('down', 'down', 'down', 'enter');
	expect(app.screen()).toContain('Undo change 3, made 2026-11-28 14:02 UTC by root?');
	// Enter alone goes back.
	await app.press('enter');
	expect(app.screen()).toContain('Active since');
	expect(undone).toBe(0);
	await app.press('enter', 'up', 'enter');
	expect(undone).toBe(1);
	expect(app.screen()).toContain('The earlier rules block 22/tcp. Nothing was changed.');
	await app.press('escape');
	expect(app.screen()).toContain('Active since');
});

test('while an undo runs, it says so and takes no key', async () => {
	const app = await openHome({undo: async () => new Promise(() => {})});
	await app.press('down', 'down', 'down', 'enter', 'up', 'enter');
	expect(app.screen()).toContain('Restoring the earlier rules. Please wait.');
	expect(app.screen()).not.toContain('Undo it now');
	await app.pressInVain('enter');
	await app.pressInVain('escape');
});

test.each([
	[new HostError('Refused', 'Nothing was changed', 1), undefined],
	[new HostError('The old rules could not be restored', 'See them', 4), {rolledBack: true}],
	[new HostError('The disk is full', 'Make room'), {unsure: true}],
	[new TypeError('x is undefined'), {unsure: true}],
])('how an undo ended that failed with %s is said at the end', (error, said) => {
	const home = startFlow(POLICY, ['server'], OWN_SERVICES, 'home');
	const failed = reduceFlow(home, {type: 'undo-failed', outcome: undoFailureOf(error)});
	const quit = {...failed, focus: HOME_CHOICES.indexOf('quit')};
	const reasonOf = (flow: Flow) => {
		const event = keyEventOf(plainKeyState(flow), pressOf({return: true}), false);
		return event?.type === 'leave' ? event.reason : event;
	};
	const reason = reasonOf(quit);
	expect(reason).toEqual(said === undefined ? undefined : expect.objectContaining(said));
	// Also after the checklist, which changes nothing itself.
	const check = reduceFlow(quit, {type: 'choose', index: HOME_CHOICES.indexOf('check')});
	expect(reasonOf(check)).toEqual(reason ?? 'looked');
	const fixed = reduceFlow(quit, {type: 'fixed'});
	expect(reasonOf(fixed)).toEqual(reason ?? 'looked');
});

test('Home is read again when it is returned to, and has the policy that is applied then', async () => {
	const read: string[] = [];
	const app = await openHome({
		readStatus: async () => {
			read.push('again');
			const policy = {...POLICY, openings: parseOpenings('443/tcp', OWN_SERVICES)};
			app.know({status: {...ACTIVE, policy, applied: {...ACTIVE.applied, id: 4}}});
		},
	});
	expect(read).toHaveLength(0);
	await app.press('down', 'enter', 'escape');
	expect(read).toHaveLength(1);
	expect(app.screen()).toContain('(change 4, by root)');
	await app.press('enter');
	expect(app.screen()).toMatch(/\[x\] 443\/tcp/);
	expect(app.screen()).not.toContain('80/tcp');
});

test('the seconds of a change that waits count down, until it does not wait any more', async () => {
	let secondsLeft = 3;
	const status = () => ({...ACTIVE, pending: secondsLeft > 0 ? {id: 4, secondsLeft} : null});
	const app = await openHome({
		status: status(),
		readStatus: async () => {
			secondsLeft -= 1;
			app.know({status: status()});
		},
	});
	expect(app.screen()).toContain('Change 4 waits to be confirmed: 3 s left.');
	await vi.waitFor(() => expect(app.screen()).toContain('2 s left.'), {timeout: 20_000});
	await vi.waitFor(() => expect(app.screen()).not.toContain('waits to'), {timeout: 20_000});
	expect(secondsLeft).toBe(0);
});

test('a policy that was undone elsewhere is not shown any more', async () => {
	const app = await openHome({readStatus: async () => app.know({status: undefined})});
	await app.press('down', 'enter', 'escape');
	expect(app.screen()).toContain('The applied policy cannot be read: it may have been undone.');
});

test.each([
	[80, 24],
	[60, 10],
] as const)(
	'Home and End lead to the ends of the choices, %i columns, %i rows',
	async (columns, rows) => {
		const app = await openHome({}, [columns, rows]);
		await app.press('end');
		expect(app.screen()).toMatch(/^❯ Quit/m);
		await app.press('home');
		expect(app.screen()).toMatch(/^❯ Change what is open/m);
		// Pages are those of the text where it is longer than its room.
		await app.press('pageDown');
		expect(app.screen()).toMatch(rows === 10 ? /^❯ Change what is open/m : /^❯ Quit/m);
	},
);

test.each(SIZES)('what was blocked fits %i columns, %i rows', async (...size) => {
	const app = await openHome({readBlocked: async () => LOG}, size);
	await app.press('down', 'down', 'enter');
	expectFits(app.lines(), size);
	expect(app.screen()).toContain('Open 8080/tcp');
});

test('what was blocked is opened by way of Ports and Review, and not at once', async () => {
	const app = await openHome({readBlocked: async () => LOG});
	await app.press('down', 'down', 'enter');
	expect(app.screen()).toContain('Blocked since the rules were loaded: 12,345 packets.');
	expect(app.screen()).toContain('From: 203.0.113.9 (30 ports, a port scan)');
	expect(app.screen()).toContain('❯ Open 8080/tcp: 12 from 3 addresses, java listens');
	// What is forwarded is not opened by a port of this machine.
	expect(app.screen()).not.toContain('9000');
	await app.press('enter');
	expect(app.screen()).toContain('Which ports should be open?');
	expect(app.screen()).toContain('Enter opens 8080/tcp');
	await app.press('enter', 'enter');
	expect(app.screen()).toContain('This is what changes. Nothing is loaded yet');
	await app.press('tab');
	expect(app.screen()).toMatch(/--dports 22,80,8080 /);
});

test('what was blocked is said to be unreadable where it is', async () => {
	const app = await openHome({readBlocked: async () => undefined});
	await app.press('down', 'down', 'enter');
	expect(app.screen()).toContain('What was blocked cannot be read here.');
	await app.press('enter');
	expect(app.screen()).toMatch(/^❯ What was blocked/m);
});

test('the focus in what was blocked stays on its port when the list is read again', () => {
	const home = startFlow(POLICY, ['server'], OWN_SERVICES, 'home');
	const flow = reduceFlow({...home, view: 'blocked'}, {type: 'blocked', log: LOG});
	const port = LOG.ports[0];
	assert(port);
	const more = {...LOG, ports: [{...port, port: 8443}, ...LOG.ports]};
	expect(flow.focus).toBe(0);
	expect(reduceFlow(flow, {type: 'blocked', log: more}).focus).toBe(1);
	expect(reduceFlow(flow, {type: 'blocked', log: 'unreadable'}).focus).toBe(0);
});

test('where nothing is logged, the log is switched on by way of Review', async () => {
	const log = {...LOG, logging: false, lines: 0, ports: [], sources: []};
	const app = await openHome({readBlocked: async () => log});
	await app.press('down', 'down', 'enter');
	expect(app.screen()).toContain('Blocked packets are not logged, so the ports are not known.');
	await app.press('escape');
	expect(app.screen()).toMatch(/^❯ What was blocked/m);
	await app.press('enter', 'enter');
	expect(app.screen()).toContain('Blocked packets are logged.');
});
