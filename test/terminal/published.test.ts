import {describe, expect, test} from 'vitest';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {ask, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {applyAndKeep, QUESTIONS, walkTo} from '../_helpers/ui/journey.ts';
import {dockerRules, openDock} from '../system/containers.ts';

describe('a walk through a machine with published ports', () => {
	const lab = useLab();
	const terminals = useTerminals();

	test('opens one of them, and blocks the others as it said', async () => {
		const {target, probe} = await openDock(lab, 'nft', 'tcp:80', 'tcp:81', 'udp:53');
		await serve(target, 'tcp:22');
		await target.must('iptables-restore', [], {input: dockerRules(4)});
		await target.must('ip6tables-restore', [], {input: dockerRules(6)});
		const before = await readSaves(target);
		const terminal = terminals.wizard([], {...target, columns: 100, rows: 40});
		const welcome = await terminal.waitFor(QUESTIONS[0]);
		expect(welcome).toMatch(/^ {2}Role +Server /m);
		expect(welcome).toMatch(/^ +8080\/tcp.* Docker; rarely public$/m);
		expect(welcome).toContain('ports are published past INPUT by Docker: see Ports');
		await walkTo(terminal, 'Which ports should be open?');
		await terminal.waitFor('1 listening, 0 closed; 3 published, 3 closed');
		terminal.press('down', 'down', 'down', 'down');
		await terminal.waitFor(/❯ \[ \] 8080\/tcp/);
		terminal.press('space');
		await terminal.waitFor(/❯ \[x\] 8080\/tcp +open/);
		terminal.press('enter');
		const review = await terminal.waitFor('[Summary]');
		expect(review.replaceAll(/\s+/g, ' ')).toMatch(
			/Will be blocked: (?:8053\/udp \(Docker\) and 8081\/tcp|8081\/tcp \(Docker\) and 8053\/udp) \(Docker\)/,
		);
		terminal.press('enter');
		const proof = await terminal.waitFor('exactly what you chose passes');
		expect(proof).toMatch(/^8080\/tcp +to 172\.17\.0\.2:80, to \[fd00:d0c::2\]:80 +● +● /m);
		expect(proof).toMatch(/^8081\/tcp +to 172\.17\.0\.2:81, to \[fd00:d0c::2\]:81 +· +· /m);
		await applyAndKeep(terminal);
		const answers = await Promise.all([
			ask(probe, 'tcp', OUTSIDE.target, 8080),
			ask(probe, 'tcp', OUTSIDE.target, 8081),
			ask(probe, 'udp', OUTSIDE.target, 8053),
		]);
		expect(answers.map((answer) => answer.includes('hello'))).toEqual([true, false, false]);
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
		expect(terminal.output()).toContain('The same holds for ports that containers publish.');
		await wizardDoes(target, 'undo');
		expect(withoutEmptyTables(await readSaves(target))).toEqual(before);
	});
});
