import {describe, expect, test} from 'vitest';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';
import {goOn, walkTo} from '../_helpers/ui/journey.ts';

/** Boxes, blocks, arrows, geometric shapes and dingbats, and lines of signs that stand for them. */
const DRAWN = /[\u2190-\u27BF]|[-#._=|]{4,}/u;

describe('INK_SCREEN_READER', () => {
	const {host, open} = useWizardHost();

	test('a screen reader is given words in one column, and told what is selected', async () => {
		await host().ip([
			'link add eth0 type veth peer name cable',
			'address add 192.0.2.1/24 dev eth0',
			'link set eth0 up',
			'link set cable up',
		]);
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
		expect(terminal.screen()).toMatch(/^Keys: Up\/Down move, Enter choose, .*, \? help$/m);
		await goOn(terminal, 'What happens to a blocked connection');
		expect(terminal.screen()).toMatch(/^not checked: Log blocked packets/m);
		terminal.type('l');
		await terminal.waitFor(/^checked: Log blocked packets/m);
		await goOn(terminal, 'Which old protocols');
		expect(terminal.screen()).toMatch(/^selected: not checked: ftp$/m);
		terminal.press('space');
		expect(await terminal.waitFor(/^selected: checked: ftp$/m)).toMatch(/^not checked: tftp$/m);
		terminal.press('space');
		await terminal.waitFor(/^selected: not checked: ftp$/m);
		await goOn(terminal, 'Which ports should be open?');
		// The rules are not beside it.
		expect(terminal.screen()).not.toContain('Rules: ');
		terminal.type('443/tcp');
		expect(await terminal.waitFor('Enter opens 443/tcp')).toMatch(
			/^textbox: \(selected\) 443\/tcp$/m,
		);
		terminal.press('enter');
		await terminal.waitFor('Open (');
		terminal.press('down');
		await terminal.waitFor(/^selected: 443\/tcp, open, TCP, from anywhere/m);
		expect(terminal.screen()).toMatch(/^textbox:$/m);
		await goOn(terminal, 'This is what changes');
		expect(terminal.screen()).toMatch(/^View: Summary\. Others: Rules, Restore file, Commands$/m);
		await terminal.waitFor(/^443\/tcp: now open, after open; nothing listens$/m);
		expect(terminal.screen()).toMatch(/^all others: now closed, after rejected$/m);
		terminal.press('tab');
		await terminal.waitFor(/^View: Rules\. Others: Summary, Restore file, Commands$/m);
		expect(terminal.screen()).toMatch(/^\d, IPv4 and IPv6: -p tcp --dport 443 -j ACCEPT$/m);
		expect(terminal.screen()).toMatch(/fixed rules: answers, ICMP, loopback, INVALID, DHCP$/m);
		terminal.type('?');
		await terminal.waitFor(/^Tab: next view$/m);
		terminal.press('enter');
		await goOn(terminal, 'Does it do what you chose?');
		await terminal.waitFor(/^done: [\d,]+ packets in/m);
		expect(terminal.output()).not.toMatch(DRAWN);
		// No box, no bracket, no column.
		expect(terminal.output()).not.toMatch(/\[[ x]\]|\S {2,}\S/);
	});
});
