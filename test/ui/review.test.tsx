import {describe, expect, test} from 'vitest';
import {KEEP_EXISTING} from '../../source/existing/cleanup-plan.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printCommands, printRestore} from '../../source/ruleset/format-iptables.ts';
import type {RemoteClient} from '../../source/ruleset/lockout.ts';
import type {StepView} from '../../source/ui/state/state.ts';
import {NOTHING_KNOWN} from '../../source/ui/state/state.ts';
import type {HostView} from '../../source/ui/steps/step-props.ts';
import {type Reviewed, reviewLines} from '../../source/ui/text/review.ts';
import {appOpener, type OpenApp} from '../_helpers/ui/app.tsx';
import {plannerFor} from '../_helpers/ui/app-props.ts';
import {expectFits, SIZES} from '../_helpers/ui/frames.ts';

const openApp = appOpener();
const POLICY = completePolicy({
	role: 'server',
	verdict: 'reset',
	helpers: ['ftp'],
	openings: parseOpenings(
		'ssh, 53, 5432/tcp on wg0 limit, 9100/tcp from 2001:db8:1234:5678:9abc:def0:1:2, mdns',
		OWN_SERVICES,
	),
	log: true,
});
const RULES = buildRuleSet(POLICY, {families: [4, 6]});
const VISITORS: Readonly<Record<string, RemoteClient | undefined>> = {
	'at the console': undefined,
	'over SSH': {
		client: '203.0.113.9',
		inInterface: 'eth0',
		accessPorts: [{protocol: 'tcp', first: 22, last: 22}],
	},
	'over a door that is shut': {
		client: '203.0.113.9',
		inInterface: 'eth0',
		accessPorts: [{protocol: 'tcp', first: 2222, last: 2222}],
	},
};

describe.each(SIZES)('Review at %i columns, %i rows', (columns, rows) => {
	test.each(Object.entries(VISITORS))(
		'shows every line of every view, %s',
		async (_, remoteClient) => {
			const app = await openReview(columns, rows, remoteClient);
			for (const view of ['rules', 'restore', 'commands'] as const) {
				await app.press('tab');
				const wanted = linesOf(view, columns - 1).map(({text}) => text.trimEnd());
				expect(await collect(app, [columns, rows])).toEqual(wanted.filter((line) => line !== ''));
				await app.poke('home');
			}
		},
	);
});

/** The lines of a view, where no other program has rules. */
function linesOf(view: StepView, width: number, more: Partial<Reviewed> = {}) {
	const exposure = {status: 'looking'} as const;
	const plan = plannerFor(undefined)(POLICY, KEEP_EXISTING);
	return reviewLines(
		{
			...{view, exposure, known: NOTHING_KNOWN, existing: KEEP_EXISTING},
			...{policy: POLICY, plan},
			...more,
		},
		width,
	);
}

test('Tab goes round the views, Shift-Tab the other way', async () => {
	const app = await openReview(80, 24, undefined);
	const shown = () => /\[(.+?)\]/.exec(app.screen())?.[1];
	const seen = [shown()];
	for (const key of ['tab', 'tab', 'tab', 'tab', 'backTab', 'backTab', 'backTab'] as const) {
		await app.press(key);
		seen.push(shown());
	}

	const [summary, rules, restore, commands] = ['Summary', 'Rules', 'Restore file', 'Commands'];
	expect(seen).toEqual([summary, rules, restore, commands, summary, commands, restore, rules]);
});

test('a lists each fixed rule, and folds them again', async () => {
	const app = await openReview(100, 40, undefined);
	await app.press('tab');
	expect(app.screen()).toMatch(
		/^ *1-5 {2}4 6 {2}5 fixed rules: answers, ICMP, loopback, INVALID, DHCP$/m,
	);
	expect(app.screen()).not.toContain('-m conntrack --ctstate INVALID');
	await app.type('a');
	expect(app.screen()).toContain('[Rules]');
	expect(app.screen()).toMatch(/^ *4 {2}4 6 {2}-m conntrack --ctstate INVALID -j DROP$/m);
	await app.type('a');
	expect(app.screen()).toContain('5 fixed rules');
});

test('scrolls on after the terminal has changed its size', async () => {
	const app = await openReview(60, 20, undefined);
	await app.press('tab', 'end');
	const last = '-j REJECT';
	expect(app.screen()).toContain(last);
	await app.resize(120, 24);
	expect(app.screen()).toContain(last);
	await app.press('up');
	await app.press('home');
	expect(app.screen()).toContain('fixed rules:');
});

test('tries a packet, says which rule decides, and leaves nothing stale behind', async () => {
	const app = await openReview(100, 30, undefined);
	await app.type('p');
	expect(app.screen()).toContain('what happens to it');
	await app.type('tcp 22');
	expect(answers(app)).toEqual([
		'IPv4 from 192.0.2.1 on eth0: accepted',
		'Rule 6 of FW-WIZARD-INPUT: -p tcp -m multiport --dports 22,53 -j ACCEPT',
		'IPv6 from 2001:db8::1 on eth0: accepted',
		'Rule 6 of FW-WIZARD-INPUT: -p tcp -m multiport --dports 22,53 -j ACCEPT',
	]);
	await app.type('2');
	expect(answers(app)).toHaveLength(4);
	expect(app.screen()).not.toContain('multiport');
	await app.type(' from 10.0.0.1');
	expect(answers(app).at(0)).toContain('IPv4 from 10.0.0.1 on eth0: rejected');
	expect(answers(app)).toHaveLength(2);
	await app.paste(' x');
	expect(answers(app)).toEqual([
		'"x" is not understood here.',
		'Write: tcp 3306 from 192.0.2.7, or udp 53 on eth0, or icmp',
	]);
	await app.press('escape');
	expect(app.screen()).toContain('[Summary]');
});

describe('reviewLines', () => {
	test.each([20, 39, 60, 79, 119, 300])('cut nothing off at %i columns', (width) => {
		for (const view of ['summary', 'rules', 'all-rules', 'restore', 'commands'] as const) {
			for (const {text} of linesOf(view, width)) {
				expect(text.length).toBeLessThanOrEqual(width);
			}
		}

		const words = (text: string) => text.replaceAll(/\s/g, '');
		const shown = (view: StepView) =>
			words(
				linesOf(view, width)
					.map(({text}) => text)
					.join(''),
			);
		for (const rules of RULES.families) {
			expect(shown('restore')).toContain(words(printRestore(rules)));
			expect(shown('commands')).toContain(words(printCommands(rules).join('')));
		}
	});

	test('have the reason under each rule, and its chain above', () => {
		const lines = linesOf('all-rules', 300).map(({text}) => text);
		for (const {tables} of RULES.families) {
			for (const rule of tables.flatMap(({chains}) => chains.flatMap((chain) => chain.rules))) {
				const {part, text} = rule.reason ?? {};
				expect(lines.includes(`${' '.repeat(10)}${text}`)).toBe(part !== 'jump');
			}
		}

		expect(lines.filter((line) => line.startsWith('FW-WIZARD-'))).toHaveLength(2);
	});
});

test('asks a copy of this machine where the rules alone cannot tell', async () => {
	let finish = () => {};
	const asked = new Promise<void>((resolve) => {
		finish = resolve;
	});
	const app = await openReview(100, 30, undefined, {
		openPacketTrier: async () => ({
			evaluate: () => undefined,
			async send(packets) {
				await asked;
				const rules = ['-A f2b-sshd -s 192.0.2.7/32 -j DROP, in filter (fail2ban)'];
				return packets.map((packet) => ({packet, fate: 'dropped', outcome: 'dropped', rules}));
			},
		}),
	});
	await app.type('p');
	await app.type('tcp 22 from 192.0.2.7');
	expect(answers(app)).toEqual(['Asking a copy of this machine']);
	finish();
	await expect.poll(() => answers(app)).toHaveLength(2);
	expect(answers(app)).toEqual([
		'IPv4 from 192.0.2.7 on eth0: dropped',
		'-A f2b-sshd -s 192.0.2.7/32 -j DROP, in filter (fail2ban)',
	]);
});

async function openReview(
	columns: number,
	rows: number,
	remoteClient: RemoteClient | undefined,
	machine: Partial<HostView> = {},
) {
	const app = await openApp({columns, rows, preset: POLICY, machine: {remoteClient, ...machine}});
	await app.press('enter', 'enter', 'enter', 'enter', 'enter');
	expect(app.screen()).toContain('[Summary]');
	return app;
}

/** All lines of a view, page by page, each once. */
async function collect(app: OpenApp, size: readonly [number, number]): Promise<readonly string[]> {
	const found: string[] = [];
	for (;;) {
		const lines = app.lines();
		expectFits(lines, size);
		const start = lines.findIndex((line) => line.includes('['));
		const page = lines.slice(start + 1, -1).filter((line) => line.trim() !== '');
		const items = page.filter((line) => !/\d+ more( above| below)?$/.test(line));
		// On one or two lines there is no room to say how many are above.
		const above = Number(/(\d+) more above$/.exec(page[0] ?? '')?.[1] ?? found.length);
		expect(above, 'no line was passed over').toBeLessThanOrEqual(found.length);
		found.splice(above, found.length, ...items);
		const before = app.screen();
		await app.poke('pageDown');
		if (app.screen() === before) {
			return found;
		}
	}
}

/** What the step says under the field. */
function answers(app: OpenApp): readonly string[] {
	return app
		.lines()
		.slice(6, -1)
		.filter((line) => line !== '');
}
