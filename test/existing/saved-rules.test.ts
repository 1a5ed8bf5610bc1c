import {describe, expect, test} from 'vitest';
import {planChoices} from '../../source/existing/cleanup-options.ts';
import {planSavedEdits} from '../../source/existing/saved-rules.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';

const FILE = '/etc/iptables/rules.v4';
const NAT = '*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 80 -j REDIRECT\nCOMMIT\n';
const save = (chains: string, rules: string) =>
	`# by hand\n*filter\n${chains}${rules}COMMIT\n${NAT}`;
const CHAINS = ':INPUT DROP [7:420]\n:OUTPUT DROP [0:0]\n:mine - [0:0]\n';
const RULES =
	'[3:180] -A INPUT -p tcp --dport 22 -j ACCEPT\n# why\n-A INPUT -j mine\n-A INPUT -j FW-WIZARD-INPUT\n-A mine -s 192.0.2.9 -j DROP\n';

const edit = (text: string, existing: Parameters<typeof planSavedEdits>[1]) =>
	planSavedEdits([{file: FILE, family: 4, text}], existing).map((one) => one.text);

describe('a saved file', () => {
	test('loses the rules of INPUT, and nothing else', () => {
		const kept = '# why\n-A INPUT -j FW-WIZARD-INPUT\n-A mine -s 192.0.2.9 -j DROP\n';
		expect(edit(save(CHAINS, RULES), {mode: 'flush-input', switchOff: []})).toEqual([
			save(CHAINS, kept),
		]);
	});

	test('loses all rules of the filter table, and the policy that would shut all out', () => {
		expect(edit(save(CHAINS, RULES), {mode: 'flush-filter', switchOff: []})).toEqual([
			save(CHAINS.replace('OUTPUT DROP', 'OUTPUT ACCEPT'), '# why\n-A INPUT -j FW-WIZARD-INPUT\n'),
		]);
	});

	test('is left alone where rules are kept, or none is there', () => {
		expect(edit(save(CHAINS, RULES), {mode: 'keep', switchOff: []})).toEqual([]);
		expect(edit('', {mode: 'flush-input', switchOff: []})).toEqual([]);
		expect(edit(NAT, {mode: 'flush-filter', switchOff: []})).toEqual([]);
	});

	test('is named in the choice that edits it', () => {
		const text = save(CHAINS, RULES);
		const family = 4;
		const snapshot = {family, backend: 'nft', inUse: true, text} as const;
		const choices = planChoices(
			[{...snapshot, rules: parseSave(text, 4)}],
			[],
			[{file: FILE, family: 4, text}],
		);
		const [flush] = choices.filter(({existing}) => existing?.mode === 'flush-input');
		expect(flush).toMatchObject({
			existing: {mode: 'flush-input', saved: 'edit'},
			removals: ['IPv4: 1 rule of INPUT', `${FILE}: IPv4: 2 rules of INPUT`],
		});
		const [keep] = choices.filter(({existing}) => existing?.mode === 'keep');
		expect(keep?.existing).toEqual({mode: 'keep', switchOff: []});
	});
});
