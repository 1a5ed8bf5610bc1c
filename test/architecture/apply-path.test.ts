import {readdirSync, readFileSync} from 'node:fs';
import {expect, test} from 'vitest';

const SOURCE = new URL('../../source/', import.meta.url).pathname;

/** How high the folders stand that the path leads through, by the order of imports. */
const FLOORS = [
	'policy',
	'ruleset',
	'existing',
	'host',
	'change',
	'persistence',
	'app',
	'commands',
];

/**
 * The functions that the flags of `apply`, and what is made of them, are handed to: each with the
 * function that calls it, in the order of the calls. What `beginChange` does inside change/ is not
 * counted: it hands parts of the plan to many functions there.
 */
const PATH: ReadonlyArray<readonly [file: string, name: string, caller: string]> = [
	['commands/options/request.ts', 'readRequest', 'apply'],
	['commands/options/policy.ts', 'readPolicy', 'readRequest'],
	['commands/options/policy.ts', 'readPolicyPart', 'readPolicy'],
	['commands/options/policy.ts', 'readPolicyFile', 'readPolicyPart'],
	['host/files/atomic-write.ts', 'readAtMost', 'readPolicyFile'],
	['policy/policy.ts', 'completePolicy', 'readPolicy'],
	['policy/merge-openings.ts', 'mergeOpenings', 'completePolicy'],
	['app/apply-facts.ts', 'gatherApplyFacts', 'apply'],
	['app/plan-apply.ts', 'planApply', 'apply'],
	['app/plan-apply.ts', 'findObstacle', 'planApply'],
	['change/cleanup.ts', 'planSnapshotCleanups', 'planApply'],
	['existing/cleanup-plan.ts', 'planCleanup', 'planSnapshotCleanups'],
	['ruleset/build.ts', 'compilePolicy', 'planApply'],
	['ruleset/build.ts', 'buildRuleSet', 'compilePolicy'],
	['ruleset/build.ts', 'buildFamily', 'buildRuleSet'],
	['ruleset/build-openings.ts', 'openingRules', 'buildFamily'],
	['ruleset/build.ts', 'verdict', 'buildFamily'],
	['ruleset/model.ts', 'ourRule', 'verdict'],
	['ruleset/build.ts', 'helpers', 'buildFamily'],
	['ruleset/lockout.ts', 'findLockouts', 'planApply'],
	['persistence/plan.ts', 'planPersistence', 'planApply'],
	['persistence/plan.ts', 'planBootFiles', 'planPersistence'],
	['ruleset/print-rule-set.ts', 'describeLoaded', 'apply'],
	['ruleset/print-rule-set.ts', 'printRuleSet', 'apply'],
	['ruleset/format-iptables.ts', 'printRestoreFiles', 'printRuleSet'],
	['app/start-change.ts', 'startChange', 'apply'],
	['app/obstacle.ts', 'explainObstacle', 'startChange'],
	['app/apply-request.ts', 'requestFlags', 'explainObstacle'],
	['policy/policy.ts', 'policyFlags', 'requestFlags'],
	['commands/wait-in-terminal.ts', 'waitInTerminal', 'apply'],
	['app/wait-for-decision.ts', 'waitForDecision', 'waitInTerminal'],
];

test('the path from the flags of apply to beginChange is what the sources say', () => {
	const files = new Map([
		['apply', 'commands/apply.ts'],
		...PATH.map(([file, name]) => [name, file] as const),
	]);
	for (const [file, name, caller] of PATH) {
		expect(bodyOf(file, name), `${file} ${name}`).not.toBe('');
		const body = bodyOf(files.get(caller) ?? '', caller);
		expect(body, `${caller} calls ${name}`).toMatch(new RegExp(`\\b${name}\\(`));
	}

	// In the order in which one function calls them.
	const called = PATH.filter(([, , caller]) => caller === 'apply').map(([, name]) => name);
	const body = bodyOf('commands/apply.ts', 'apply');
	const places = called.map((name) => body.indexOf(`${name}(`));
	expect(places).toEqual([...places].sort((a, b) => a - b));
});

test('that path is short: at most 25 files in turn, and 4 ways back up', () => {
	const stays = ['commands/apply.ts', ...PATH.map(([file]) => file)].filter(
		(file, index, all) => file !== all[index - 1],
	);
	const floors = stays.map((file) => FLOORS.indexOf(file.split('/')[0] ?? ''));
	expect(floors).not.toContain(-1);
	expect(stays.length).toBeLessThanOrEqual(25);
	const climbs = floors.filter((floor, index) => index > 0 && floor > (floors[index - 1] ?? 0));
	expect(climbs.length).toBeLessThanOrEqual(4);
});

test('the rules of a plan are built once, and by the plan', () => {
	const text = (file: string) => readFileSync(SOURCE + file, 'utf8');
	// An undo builds the rules that it restores, to judge them; and open and close those before them, to show
	// what changes. What is in folders changes nothing.
	const app = readdirSync(`${SOURCE}app`)
		.filter((name) => name.endsWith('.ts'))
		.filter((name) => !['undo-change.ts', 'change-openings.ts'].includes(name))
		.map((name) => `app/${name}`);
	const building = [
		...app,
		'commands/apply.ts',
		'change/transaction.ts',
		'persistence/plan.ts',
	].flatMap((file) =>
		[...text(file).matchAll(/\b(?:buildRuleSet|compilePolicy)\(/g)].map(() => file),
	);
	expect(building).toEqual(['app/plan-apply.ts']);
});

/** The text of a function as the formatter leaves it: up to the first line that is a brace alone. */
function bodyOf(file: string, name: string): string {
	const text = readFileSync(SOURCE + file, 'utf8');
	const [, body = ''] =
		new RegExp(
			`^(?:export )?(?:async )?function ${name}\\([\\s\\S]*?\\{\\n([\\s\\S]*?)^\\}$`,
			'm',
		).exec(text) ?? [];
	return body;
}
