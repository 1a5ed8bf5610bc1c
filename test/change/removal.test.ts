import {describe, expect, it} from 'vitest';
import {printRemoval} from '../../source/change/undo.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';

const removalOf = (text: string) => printRemoval({text, rules: parseSave(text, 4)});

describe('printRemoval', () => {
	it('takes away our chains and every rule that leads to one, and nothing else', () => {
		const text = [
			...['*raw', ':OUTPUT ACCEPT [0:0]', ':FW-WIZARD-OUTPUT - [0:0]'],
			...['-A OUTPUT -j FW-WIZARD-OUTPUT', 'COMMIT', '*filter', ':INPUT ACCEPT [0:0]'],
			...[':FW-WIZARD-INPUT - [0:0]', ':mine - [0:0]', '-A INPUT -p tcp -j mine'],
			...['-A INPUT -i eth0 -j FW-WIZARD-INPUT', '-A INPUT -j FW-WIZARD-INPUT'],
			...['-A mine -m comment --comment "to us" -g FW-WIZARD-INPUT'],
			...['-A FW-WIZARD-INPUT -p icmp -j ACCEPT', 'COMMIT', ''],
		];
		expect(removalOf(text.join('\n')).split('\n')).toEqual([
			...['*filter', '-D INPUT -i eth0 -j FW-WIZARD-INPUT', '-D INPUT -j FW-WIZARD-INPUT'],
			...['-D mine -m comment --comment "to us" -g FW-WIZARD-INPUT', '-F FW-WIZARD-INPUT'],
			...['-X FW-WIZARD-INPUT', 'COMMIT', '*raw', '-D OUTPUT -j FW-WIZARD-OUTPUT'],
			...['-F FW-WIZARD-OUTPUT', '-X FW-WIZARD-OUTPUT', 'COMMIT', ''],
		]);
	});

	it('is empty where there is nothing of ours', () => {
		expect(removalOf('*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n')).toBe('');
	});
});
