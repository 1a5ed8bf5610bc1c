import {describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {joinedPair, serve} from '../_helpers/lab/pair.ts';
import {PLAIN_FIREWALL} from '../_helpers/samples/existing-rules.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {applyAndKeep, QUESTIONS} from '../_helpers/ui/journey.ts';

describe.each(mainly('nft'))('a walk through a machine with an older firewall, %s', (backend) => {
	const lab = useLab();
	const terminals = useTerminals();

	test('flushes INPUT as it said, opens what listens, and undo brings all back', async () => {
		const {target} = await joinedPair(lab, backend);
		await serve(target, 'tcp:22', 'tcp:25');
		for (const [program, text] of Object.entries(PLAIN_FIREWALL)) {
			await target.must(`${program}-restore`, [], {input: text});
		}

		const before = await readSaves(target);
		const terminal = terminals.wizard([], {...target, columns: 100, rows: 40});
		const welcome = await terminal.waitFor('Review this setup');
		expect(welcome).toMatch(/^rules in INPUT: /m);
		expect(welcome).toMatch(/^ +25\/tcp +.* mail$/m);
		terminal.press('enter');
		const choices = await terminal.waitFor('Keep or remove them?');
		expect(choices).toContain('❯ Remove the existing rules in INPUT (recommended)');
		expect(choices).toContain('IPv4: 7 rules of INPUT');
		// No digit chooses: the next key finds the step as it was.
		terminal.type('3');
		terminal.press('down');
		await terminal.waitFor('❯ Keep the existing rules');
		terminal.press('up');
		await terminal.waitFor('❯ Remove the existing rules in INPUT');
		terminal.press('enter');
		await terminal.waitFor('[Summary]');
		const summary = await terminal.waitFor('Tried with packets to a copy of this machine.');
		expect(summary).toMatch(/^ 25\/tcp +\w+ +open/m);
		expect(summary).toContain('Removed: ');
		await applyAndKeep(terminal);
		const {ipv4} = await readSaves(target);
		expect(ipv4.match(/^-A INPUT .*$/gm)).toEqual(['-A INPUT -j FW-WIZARD-INPUT']);
		expect(ipv4).toContain('--dports 22,25');
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
		await wizardDoes(target, 'undo');
		expect(await readSaves(target)).toEqual(before);
	});

	test('removes no rule that it has not shown', async () => {
		const {target} = await joinedPair(lab, backend);
		await target.must('iptables-restore', [], {input: PLAIN_FIREWALL.iptables});
		const flags = ['--role', 'server', '--open', '22/tcp', '--existing', 'flush-input'];
		const terminal = terminals.wizard(flags, {...target, columns: 100, rows: 40});
		for (const [now, next] of pairwise([
			...[QUESTIONS[0], '❯ Remove the existing rules in INPUT'],
			...QUESTIONS.slice(QUESTIONS.indexOf('This is what changes')),
		])) {
			await terminal.waitFor(now);
			if (now === 'Does it do what you chose?') {
				await terminal.waitFor('packets in');
			}

			terminal.press('enter');
			await terminal.waitFor(next);
		}

		await target.must('iptables', ['-I', 'INPUT', '-p', 'tcp', '--dport', '3306', '-j', 'ACCEPT']);
		const changed = await readSaves(target);
		terminal.press('enter');
		await terminal.waitFor('The rules that are there have changed since this change was planned');
		expect(await readSaves(target)).toEqual(changed);
		terminal.press('escape');
		await terminal.waitFor('Removed: 8 rules');
		await applyAndKeep(terminal);
		const {ipv4} = await readSaves(target);
		expect(ipv4.match(/^-A INPUT .*$/gm)).toEqual(['-A INPUT -j FW-WIZARD-INPUT']);
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
	});
});

/** Each item with the one that follows it. */
function pairwise<Item>(items: readonly Item[]): ReadonlyArray<readonly [Item, Item]> {
	return items.slice(1).map((item, index) => [items[index] as Item, item]);
}
