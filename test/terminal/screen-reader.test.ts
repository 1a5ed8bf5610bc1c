import {describe, expect, test} from 'vitest';
import {goOn, walkTo} from '../_helpers/journey.ts';
import {useWizardHost} from '../_helpers/wizard-host.ts';

/** Boxes, blocks, arrows, geometric shapes and dingbats, and lines of signs that stand for them. */
const DRAWN = /[\u2190-\u27BF]|[-#._=|]{4,}/u;

describe('INK_SCREEN_READER', () => {
	const {open} = useWizardHost();

	test('a screen reader is given words in one column, and told what is selected', async () => {
		const terminal = open({columns: 130, rows: 40, variables: {INK_SCREEN_READER: 'true'}});
		await walkTo(terminal, 'What is this machine?');
		expect(terminal.screen()).toMatch(/^Step \d+ of \d+: Role$/m);
		expect(terminal.screen()).toMatch(/^selected: \S.* \(recommended\)$/m);
		const [first] = /^selected: .*$/m.exec(terminal.screen()) ?? [];
		terminal.press('down');
		const next = await terminal.waitFor((now) => /^selected: .*$/m.exec(now)?.[0] !== first);
		expect(next.match(/selected:/g)).toHaveLength(1);
		terminal.press('up');
		await terminal.waitFor((now) => now.includes(`${first}`));
		await goOn(terminal, 'What happens to a connection');
		await goOn(terminal, 'Which old protocols');
		await goOn(terminal, 'What is let in?');
		// The rules are not beside it.
		expect(terminal.screen()).not.toContain('Rules: ');
		terminal.type('443/tcp');
		expect(await terminal.waitFor('Enter lets in 443/tcp')).toMatch(
			/^textbox: selected: 443\/tcp/m,
		);
		terminal.press('enter');
		await terminal.waitFor('Let in (');
		await goOn(terminal, 'These are the rules');
		expect(terminal.screen()).toContain('-p tcp --dport 443 -j ACCEPT');
		expect(terminal.output()).not.toMatch(DRAWN);
	});
});
