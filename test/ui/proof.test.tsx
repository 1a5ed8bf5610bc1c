import {describe, expect, test, vi} from 'vitest';
import type {Prover} from '../../source/app/prove.ts';
import type {Proof, View} from '../../source/proof/report.ts';
import {reduceFlow} from '../../source/ui/state/reducer.ts';
import type {Flow} from '../../source/ui/state/state.ts';
import {appOpener, type OpenApp, startAsking} from '../_helpers/ui/app.tsx';
import {expectFits, SIZES} from '../_helpers/ui/frames.ts';

const openApp = appOpener();

function view(family: 4 | 6, name: string, differences: View['differences'] = []): View {
	const passed = {tcp: [{first: 22, last: 22}], udp: []};
	const source = family === 4 ? '203.0.113.77' : '2001:db8:77::77';
	return {
		vantagePoint: {
			...{family, name, source, inInterface: 'eth0'},
			kind: name.includes('/') ? 'network' : 'anywhere',
		},
		passed,
		expected: passed,
		forwarded: {tcp: [], udp: []},
		published: [],
		differences,
	};
}

const PROVEN: Proof = {
	views: [view(4, 'anywhere'), view(6, 'anywhere'), view(4, 'you'), view(4, '10.0.0.0/8')],
	checks: ['answers', 'ping'].map((name) => ({name, result: 'ok', detail: ''})),
	untried: [],
	leftOut: [],
	probes: 262_140,
	seconds: 9.1,
};
const FAULTS = Array.from({length: 9}, (_, index) => 1001 + index);
const REFUTED: Proof = {
	...PROVEN,
	views: [
		view(
			4,
			'anywhere',
			FAULTS.map((port) => ({
				protocol: 'tcp',
				ports: [{first: port, last: port}],
				fact: 'passes',
				cause: 'rule 1 of INPUT, not part of this firewall',
			})),
		),
		...PROVEN.views.slice(1),
	],
};
/** As chosen, by somebody who shuts the port that they came through. */
const SHUT_OUT: Proof = {
	...PROVEN,
	checks: [
		...PROVEN.checks,
		{
			name: 'IPv4: you, 203.0.113.9, reach 22/tcp again',
			result: 'failed',
			detail: 'the policy blocks it',
			wayIn: true,
		},
	],
};
const MEASURED = {outcome: 'ECONNREFUSED', milliseconds: 2};

function proverOf(proof: Proof): Prover & {readonly policies: unknown[]} {
	const policies: unknown[] = [];
	return {
		policies,
		prove: async ({policy}) => {
			policies.push(policy);
			return proof;
		},
		proveBefore: async () => PROVEN.views.slice(0, 2),
		demonstrate: async () => ({
			reject: MEASURED,
			reset: MEASURED,
			drop: {...MEASURED, outcome: 'timeout'},
		}),
	};
}

async function openProof(columns: number, rows: number, prover: Prover): Promise<OpenApp> {
	const app = await openApp({columns, rows, banner: 'Rehearsal', prover});
	await app.press('enter', 'enter', 'enter', 'enter', 'enter', 'enter');
	expect(app.screen()).toContain('Does it do what you chose?'.slice(0, columns - 2));
	return app;
}

async function until(app: OpenApp, text: string | RegExp): Promise<void> {
	await vi.waitFor(() => expect(app.screen()).toMatch(text), {timeout: 5000});
}

describe.each(SIZES)('Proof at %i columns, %i rows', (columns, rows) => {
	test('fits, with the verdict in view, when all is as chosen', async () => {
		const app = await openProof(columns, rows, proverOf(PROVEN));
		await until(app, /262,140 packets/);
		expectFits(app.lines(), [columns, rows]);
		expect(app.screen().replaceAll(/\s+/g, ' ')).toContain('exactly what you chose passes.');
	});

	test('fits, with the verdict and a fault in view, when it is not', async () => {
		const app = await openProof(columns, rows, proverOf(REFUTED));
		await until(app, /262,140 packets/);
		expectFits(app.lines(), [columns, rows]);
		const text = app.screen().replaceAll(/\s+/g, ' ');
		expect(text).toContain('not what you chose.');
		expect(text).not.toContain('exactly what you chose');
		if (rows > 10) {
			expect(text).toContain('1001/tcp passes from anywhere over IPv4: rule 1 of INPUT');
		}
	});
});

test('that shuts its user out is as chosen, and says so', async () => {
	const app = await openProof(80, 24, proverOf(SHUT_OUT));
	await until(app, /262,140 packets/);
	const text = app.screen().replaceAll(/\s+/g, ' ');
	expect(text).toContain('what you chose passes. You could not log in again.');
	expect(text).not.toContain('not what you chose');
	// All vantage points, where there is room.
	expect(text).toContain('anywhere you 10.0.0.0/8 v4 v6 v4 v4 22/tcp ● ● ● ●');
	expect(text).toContain('65,534 other TCP ports · · · · 65,535 UDP ports · · · ·');
	await until(app, /reject: refused in 2 ms/);
	expect(app.screen()).toContain('drop: no answer in 2 ms');
	expectFits(app.lines(), [80, 24]);
	await app.press('enter');
	expect(app.screen()).toContain('Proven as you chose, and you could not log in again.');
});

test('says how many faults there are beside those shown', async () => {
	const app = await openProof(120, 40, proverOf(REFUTED));
	await until(app, /262,140 packets/);
	const shown = FAULTS.filter((port) => app.screen().includes(`${port}/tcp passes`)).length;
	expect(shown).toBeGreaterThan(0);
	expect(app.screen()).toContain(`${FAULTS.length - shown} more`);
});

test('is made once for a policy, and again for another', async () => {
	const prover = proverOf(PROVEN);
	const app = await openProof(80, 24, prover);
	await until(app, /262,140 packets/);
	await app.press('escape', 'enter');
	await until(app, /262,140 packets/);
	expect(prover.policies).toHaveLength(1);
	await app.press('escape', 'escape');
	await app.type('443/tcp');
	await app.press('enter', 'enter', 'enter');
	await until(app, /262,140 packets/);
	expect(prover.policies).toHaveLength(2);
});

test('that cannot be made says why, and does not stand in the way', async () => {
	const refuse = async (): Promise<never> => {
		throw Object.assign(new Error('No namespaces here'), {hint: 'Run as root'});
	};
	const app = await openProof(80, 24, {prove: refuse, proveBefore: refuse, demonstrate: refuse});
	await until(app, 'No namespaces here');
	expect(app.screen()).toContain('Run as root.');
	await app.press('enter');
	expect(app.screen()).toContain('Load these rules now?');
	expect(app.screen()).toContain('Not proven');
	expect(app.screen()).not.toContain('Proven with real packets');
});

test('that found a difference does not call the rules proven at Apply', async () => {
	const app = await openProof(80, 24, proverOf(REFUTED));
	await until(app, /262,140 packets/);
	await app.press('enter');
	expect(app.screen()).toContain('something else than you chose');
	expect(app.screen()).not.toContain('Proven with real packets');
});

test('that still runs is not passed by one Enter', async () => {
	const held: Prover = {...proverOf(PROVEN), prove: async () => new Promise(() => {})};
	const app = await openProof(80, 24, held);
	await app.press('enter');
	expect(app.screen()).toContain('The proof still runs');
	expect(app.screen()).toContain('Press Enter again to continue without it.');
	await app.press('enter');
	expect(app.screen()).toContain('Load these rules now?');
	expect(app.screen()).toContain('The proof still runs. Esc goes back to it.');
});

test.each([
	{found: PROVEN, loaded: 1},
	{found: REFUTED, loaded: 0},
])('that runs beside Apply is waited for: $loaded loaded', async ({found, loaded}) => {
	let finish: (proof: Proof) => void = () => {};
	const promise = new Promise<Proof>((resolve) => {
		finish = resolve;
	});
	const applied: unknown[] = [];
	const app = await openApp({
		start: {...startAsking({role: 'server'}), step: 'apply', focus: 0},
		prover: {...proverOf(found), prove: async () => promise},
		onApply: async (plan) => {
			applied.push(plan);
			return {ok: true, message: 'Loaded.'};
		},
	});
	await until(app, 'The proof still runs, and is waited for.');
	await app.press('enter');
	expect(app.screen()).toContain(
		'The rules are loaded when they are proven. Enter loads them now.',
	);
	expect(applied).toHaveLength(0);
	// Help does not end the wait, nor does the wait need its step on the screen.
	await app.type('?');
	finish(found);
	await until(app, loaded === 1 ? 'Loaded.' : 'something else than you chose');
	await app.settle();
	expect(applied).toHaveLength(loaded);
});

test('that still runs is not said to be waited for where the word loads the rules', async () => {
	const remoteClient = {
		...{client: '203.0.113.9', inInterface: 'eth0'},
		accessPorts: [{protocol: 'tcp', first: 2222, last: 2222}],
	} as const;
	const app = await openApp({
		start: {...startAsking({role: 'server'}), step: 'apply', focus: 0},
		prover: {...proverOf(PROVEN), prove: async () => new Promise(() => {})},
		machine: {remoteClient},
	});
	await until(app, 'The proof still runs. Esc goes back to it.');
	// With the port open, Enter waits for the proof.
	await app.type('o');
	await until(app, 'The proof still runs, and is waited for.');
});

test('that was skipped is not skipped for the openings that are added at Apply', async () => {
	const flow = startAsking({role: 'server'});
	const start: Flow = {...flow, step: 'apply', view: 'unfinished'};
	expect(reduceFlow(start, {type: 'open', openings: flow.policy.openings}).view).toBe('rules');
});
