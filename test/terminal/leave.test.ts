import {describe, expect, test} from 'vitest';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';
import {QUESTIONS, walkTo} from '../_helpers/ui/journey.ts';

describe('leaving the wizard', () => {
	const {host, open} = useWizardHost();

	/** The rules of both families and what is written for the next boot. */
	const photograph = async () =>
		Promise.all([
			host().must('sh', ['-c', 'iptables-save; ip6tables-save'], {}),
			host().run('ls', ['-lR', '/etc/fw-wizard', '/etc/systemd', '/etc/modules-load.d']),
		]).then(([rules, files]) => ({
			rules: rules.replaceAll(/^#.*\n/gm, '').replaceAll(/\[\d+:\d+\]/g, ''),
			files,
		}));

	test.each(QUESTIONS)('with Ctrl-C at "%s" changes nothing and says so', async (question) => {
		const before = await photograph();
		const terminal = open({}, '--role', 'server', '--helper', 'ftp');
		await walkTo(terminal, question);
		terminal.press('ctrlC');
		expect(await terminal.ended).toBe(130);
		expect(terminal.screen()).toBe('Nothing was changed.');
		expect(await photograph()).toEqual(before);
	});

	test.each([
		['Ctrl-C', 'ctrlC'],
		['Esc', 'escape'],
	] as const)('with %s while the rules wait to be kept puts the old ones back', async (_, key) => {
		const before = await photograph();
		const terminal = open({}, '--role', 'workstation', '--verdict', 'drop');
		await walkTo(terminal, 'Load these rules now?');
		terminal.press('enter');
		await terminal.waitFor('Can you still log in?');
		expect((await photograph()).rules).toContain('-A FW-WIZARD-INPUT -j DROP');
		terminal.press(key);
		if (key === 'escape') {
			await terminal.waitFor('The old rules are back');
			terminal.press('ctrlC');
		}

		expect(await terminal.ended).toBe(4);
		expect(terminal.screen()).toContain('The old rules are back');
		expect(withoutEmptyTables(await photograph())).toEqual(withoutEmptyTables(before));
	});
});

/** A table that was made and emptied again is as good as none. */
function withoutEmptyTables({rules, files}: {readonly rules: string; readonly files: unknown}) {
	return {
		files,
		rules: rules
			.split('\n')
			.filter((line) => line.startsWith('-A'))
			.join('\n'),
	};
}
