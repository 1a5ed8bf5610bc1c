import {describe, expect, test} from 'vitest';
import {planChoices} from '../../source/existing/cleanup-options.ts';
import type {Existing} from '../../source/existing/cleanup-plan.ts';
import {describeNeighbourChoices} from '../../source/existing/describe-choice.ts';
import type {Translation} from '../../source/existing/import/result.ts';
import type {RulesSnapshot} from '../../source/existing/snapshot.ts';
import {parseNetwork} from '../../source/lib/network.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {PLAIN_FIREWALL} from '../_helpers/samples/existing-rules.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';
import {type AppOptions, appOpener, type OpenApp} from '../_helpers/ui/app.tsx';
import {factsKnown} from '../_helpers/ui/facts-known.ts';
import {expectFits, SIZES} from '../_helpers/ui/frames.ts';

const openApp = appOpener();

const UFW = '*filter\n:ufw-before-input - [0:0]\n-A INPUT -j ufw-before-input\nCOMMIT\n';
const TRANSLATION: Translation = {
	openings: [{kind: 'port', protocol: 'tcp', first: 8443, last: 8443, limit: false}],
	verdict: 'drop',
	log: false,
	untranslatable: [{text: 'deny 25/tcp', why: 'it is closed anyway'}],
	remarks: [],
};

function snapshot(text: string): RulesSnapshot {
	return {family: 4, backend: 'nft', inUse: true, text, rules: parseSave(text, 4)};
}

async function openNeighbours(
	text: string,
	owners: readonly 'ufw'[],
	options: AppOptions = {},
	translation = TRANSLATION,
): Promise<OpenApp> {
	const choices = describeNeighbourChoices(planChoices([snapshot(text)], owners), {
		manager: 'ufw',
		translation,
	});
	const app = await openApp({
		columns: 100,
		rows: 40,
		machine: {known: factsKnown({choices})},
		...options,
	});
	await app.press('enter');
	expect(app.screen()).toContain('There are rules already');
	return app;
}

test('says of leftovers what goes, each rule of it, and that undo brings it back', async () => {
	const app = await openNeighbours(PLAIN_FIREWALL.iptables, []);
	expect(app.screen()).toContain('❯ Remove the existing rules in INPUT (recommended)');
	expect(app.screen()).toContain(
		'Removed when the rules are applied: IPv4: 7 rules of INPUT. Undo restores it.',
	);
	expect(app.screen()).toContain('IPv4: -A INPUT -s 203.0.113.0/24 -j DROP');
	await app.press('down');
	expect(app.screen()).toContain('Nothing goes. Rules that stand before ours still decide first.');
	expect(app.screen()).not.toContain('203.0.113.0');
});

test('Enter does not choose what cannot be done here, and says why', async () => {
	const app = await openNeighbours(NEIGHBOURS.iptables, []);
	await app.press('down', 'down');
	expect(app.screen()).toContain(
		'Not here: The filter table is not flushed while Docker and libvirt need its rules',
	);
	await app.pressInVain('enter');
});

test('what ufw let in is where the policy starts, and the change switches ufw off', async () => {
	const asked: Existing[] = [];
	const app = await openNeighbours(UFW, ['ufw'], {
		onApply: async ({existing}) => {
			asked.push(existing);
			return {ok: true, message: 'Loaded.'};
		},
	});
	expect(app.screen()).toContain('❯ Switch ufw off. Keep the existing rules (recommended)');
	expect(app.screen()).toContain('What ufw allows is imported: 8443/tcp.');
	expect(app.screen()).toContain('Not imported: deny 25/tcp (it is closed anyway)');
	await app.press('enter', 'enter', 'enter', 'enter');
	expect(app.screen()).toContain('Which ports should be open?');
	expect(app.screen()).toContain('8443/tcp');
	await app.press('enter');
	expect(app.screen()).toContain('ufw is switched off.');
	await app.press('enter', 'enter');
	expect(app.screen()).toContain('Apply');
	await app.press('enter');
	expect(asked).toEqual([{mode: 'keep', switchOff: ['ufw']}]);
});

test('what ufw bans stays blocked', async () => {
	const asked: unknown[] = [];
	const app = await openNeighbours(
		UFW,
		['ufw'],
		{
			onApply: async ({policy}) => {
				asked.push(policy.blocked);
				return {ok: true, message: 'Loaded.'};
			},
		},
		{...TRANSLATION, blocked: [parseNetwork('203.0.113.9')]},
	);
	expect(app.screen()).toContain('What ufw bans stays blocked: 203.0.113.9.');
	await app.press('enter', 'enter', 'enter', 'enter', 'enter');
	expect(app.screen()).toContain('Blocked: 203.0.113.9.');
	await app.press('enter', 'enter', 'enter');
	expect(asked).toEqual([[parseNetwork('203.0.113.9')]]);
});

test('what ufw loses and opens is warned of first, and is not accepted by Enter alone', async () => {
	const asked: Existing[] = [];
	const lost = [
		{text: 'deny from 203.0.113.9', why: 'it can connect to 8443/tcp', effect: 'opens' as const},
		{text: 'allow proto esp', why: 'not of esp', effect: 'closes' as const},
	];
	const app = await openNeighbours(
		UFW,
		['ufw'],
		{
			onApply: async ({existing}) => {
				asked.push(existing);
				return {ok: true, message: 'Loaded.'};
			},
		},
		{...TRANSLATION, untranslatable: [...TRANSLATION.untranslatable, ...lost]},
	);
	expect(app.screen()).toContain('❯ End here, and leave everything as it is (recommended)');
	await app.press('down');
	const lines = app.lines();
	const at = lines.findIndex((line) => line.startsWith('❯ Accept '));
	expect(lines[at]).toBe('❯ Accept 2 warnings and switch ufw off. Keep the existing rules');
	expect(lines.slice(at + 2, at + 4)).toEqual([
		'Warning: without ufw this opens: deny from 203.0.113.9 (it can connect to 8443/tcp)',
		'Warning: without ufw this closes: allow proto esp (not of esp)',
	]);
	await app.press('enter', 'enter', 'enter', 'enter', 'enter', 'enter', 'enter');
	expect(app.screen()).toContain('Apply');
	await app.press('enter');
	expect(asked).toEqual([{mode: 'keep', switchOff: ['ufw'], acceptLosses: true}]);
});

describe.each(SIZES)('%i columns, %i rows', (columns, rows) => {
	test('each choice fits, and all of what it means can be read', async () => {
		const app = await openNeighbours(PLAIN_FIREWALL.iptables, ['ufw'], {columns, rows});
		for (const _ of [1, 2, 3]) {
			expectFits(app.lines(), [columns, rows]);
			await app.poke('pageDown');
			expectFits(app.lines(), [columns, rows]);
			await app.press('down');
		}

		expect(app.screen()).toContain('❯ End here');
	});
});

test('what a choice means can be read on the smallest terminal', async () => {
	const app = await openNeighbours(PLAIN_FIREWALL.iptables, [], {columns: 40, rows: 10});
	expectFits(app.lines(), [40, 10]);
	await app.press('down');
	expect(app.screen()).toContain('Nothing goes.');
});
