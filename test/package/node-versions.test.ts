import {beforeAll, describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {execute} from '../_helpers/lab/programs.ts';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';
import {applyAndKeep, walkToReview} from '../_helpers/ui/journey.ts';
import {fetchNodes, GOOD, nodeOf, OLD} from './nodes.ts';

beforeAll(fetchNodes, 300_000);

describe.each(GOOD)('on Node %i', (major) => {
	const {start} = useWizardHost();

	test('a walk through the wizard in a rehearsal loads, keeps and leaves', async () => {
		const terminal = start([nodeOf(major), CLI, '--rehearse'], {columns: 100, rows: 30});
		await walkToReview(terminal);
		expect(await applyAndKeep(terminal)).toContain('Rehearsal:');
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
		expect(terminal.buffer()).toBe('normal');
		expect(terminal.screen()).toMatch(/^Loaded and read back: \d+ IPv4 rules/);
		expect(terminal.history()).not.toMatch(/Warning|^ +at /m);
	});

	test('says nothing beside what it was asked', async () => {
		expect(await execute([nodeOf(major), '--version'])).toMatchObject({
			stdout: expect.stringMatching(new RegExp(`^v${major}\\.`)),
		});
		const {status, stdout, stderr} = await execute([nodeOf(major), CLI, '--version']);
		expect({status, stderr}).toEqual({status: 0, stderr: ''});
		expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
	});
});

describe(`on Node ${OLD}`, () => {
	test.each([[[]], [['--version']], [['rules', '--role', 'server']], [['__agent']]])(
		'%j says in one line which version is needed',
		async (args) => {
			const {status, stdout, stderr} = await execute([nodeOf(OLD), CLI, ...args]);
			expect({status, stdout}).toEqual({status: 3, stdout: ''});
			expect(stderr).toMatch(
				/^fw-wizard: Node 20\.19 or newer is needed; this is Node 18\.\d+\.\d+\nFetch [^\n]+\n$/,
			);
		},
	);
});
