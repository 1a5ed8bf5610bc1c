import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {FAMILIES} from '../../source/lib/network.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {
	type Presence,
	printCommands,
	printRestore,
	printRestoreFiles,
	printRule,
} from '../../source/ruleset/format-iptables.ts';
import type {FamilyRules, Rule, RuleSet} from '../../source/ruleset/model.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';

const openings = parseOpening('21/tcp', new Map());
const withFtp = buildRuleSet(completePolicy({helpers: ['ftp'], openings}), {families: FAMILIES});
const plain = buildRuleSet(completePolicy({verdict: 'drop'}), {families: FAMILIES});

function ipv4({families}: RuleSet): FamilyRules {
	const [rules] = families;
	if (!rules) {
		throw new Error('no rules');
	}

	return rules;
}

function present(chains: readonly string[], jumps: Readonly<Record<string, number>>): Presence {
	return {chains: new Set(chains), jumps: new Map(Object.entries(jumps))};
}

const INPUT = 'FW-WIZARD-INPUT';
const OUTPUT = 'FW-WIZARD-OUTPUT';
const PREROUTING = 'FW-WIZARD-PREROUTING';

describe('printRestore', () => {
	it('writes filter before raw, chains of our own, and one jump to each', () => {
		expect(printRestore(ipv4(withFtp))).toBe(
			[
				'*filter',
				`:${INPUT} - [0:0]`,
				`-A ${INPUT} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`,
				`-A ${INPUT} -p icmp -j ACCEPT`,
				`-A ${INPUT} -i lo -j ACCEPT`,
				`-A ${INPUT} -m conntrack --ctstate INVALID -j DROP`,
				`-A ${INPUT} -p udp --sport 67 --dport 68 -j ACCEPT`,
				`-A ${INPUT} -p tcp --dport 21 -j ACCEPT`,
				`-A ${INPUT} -j REJECT`,
				`-A INPUT -j ${INPUT}`,
				'COMMIT',
				'*raw',
				`:${OUTPUT} - [0:0]`,
				`-A ${OUTPUT} -p tcp --dport 21 -j CT --helper ftp`,
				`-A OUTPUT -j ${OUTPUT}`,
				`:${PREROUTING} - [0:0]`,
				`-A ${PREROUTING} -p tcp --dport 21 -j CT --helper ftp`,
				`-A PREROUTING -j ${PREROUTING}`,
				'COMMIT',
				'',
			].join('\n'),
		);
	});

	it('names neither a policy nor any chain of others', () => {
		fc.assert(
			fc.property(policies(), (policy) => {
				for (const rules of buildRuleSet(policy, {families: FAMILIES}).families) {
					for (const line of printRestore(rules).trimEnd().split('\n')) {
						expect(line).toMatch(
							/^(\*(filter|raw|mangle)|COMMIT|:FW-WIZARD-(?:[A-Z]+|FROM-[a-z\d-]+) - \[0:0\]|-A FW-WIZARD-(?:[A-Z]+|FROM-[a-z\d-]+) .+|-A ([A-Z]+) -j FW-WIZARD-\3)$/,
						);
					}
				}
			}),
			{numRuns: 200},
		);
	});

	it('adds no second jump, and takes surplus ones away', () => {
		const jumpsWith = (jumps: number) =>
			printRestore(ipv4(plain), present([INPUT], {[INPUT]: jumps}))
				.split('\n')
				.filter((line) => line.includes(` INPUT -j ${INPUT}`));
		expect(jumpsWith(0)).toEqual([`-A INPUT -j ${INPUT}`]);
		expect(jumpsWith(1)).toEqual([]);
		expect(jumpsWith(3)).toEqual([`-D INPUT -j ${INPUT}`, `-D INPUT -j ${INPUT}`]);
	});

	it('removes chains of ours that are no longer wanted, after the jumps to them', () => {
		const now = present([INPUT, OUTPUT, PREROUTING], {[INPUT]: 1, [OUTPUT]: 2, [PREROUTING]: 0});
		const [, raw] = printRestore(ipv4(plain), now).split('*raw\n');
		expect(raw).toBe(
			[
				`-D OUTPUT -j ${OUTPUT}`,
				`-D OUTPUT -j ${OUTPUT}`,
				`-F ${OUTPUT}`,
				`-X ${OUTPUT}`,
				`-F ${PREROUTING}`,
				`-X ${PREROUTING}`,
				'COMMIT',
				'',
			].join('\n'),
		);
	});

	it('does not name a table in which there is nothing to do', () => {
		expect(printRestore(ipv4(plain))).not.toContain('*raw');
		expect(printRestore({family: 4, tables: []})).toBe('');
	});

	it('says which program loads which part', () => {
		const text = printRestoreFiles(plain);
		expect(text.match(/^#.*$/gm)).toEqual([
			'# iptables-restore --noflush',
			'# ip6tables-restore --noflush',
		]);
		expect(text.match(/^COMMIT$/gm)).toHaveLength(2);
	});
});

describe('printCommands', () => {
	it('writes what one would type, filter first', () => {
		expect(printCommands(ipv4(withFtp)).slice(-4)).toEqual([
			'iptables -t filter -A INPUT -p tcp --dport 21 -j ACCEPT',
			'iptables -t filter -A INPUT -j REJECT',
			'iptables -t raw -A OUTPUT -p tcp --dport 21 -j CT --helper ftp',
			'iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp',
		]);
		const [, ipv6] = plain.families;
		expect(ipv6 && printCommands(ipv6)[1]).toBe(
			'ip6tables -t filter -A INPUT -p ipv6-icmp -j ACCEPT',
		);
	});

	it('writes nothing that a shell would act on', () => {
		fc.assert(
			fc.property(policies(), (policy) => {
				for (const rules of buildRuleSet(policy, {families: FAMILIES}).families) {
					for (const line of printCommands(rules)) {
						expect(line.replace('"fw-wizard: "', '')).toMatch(/^ip6?tables [\w .,:/@+-]+$/);
					}
				}
			}),
			{numRuns: 200},
		);
	});
});

describe('printRule', () => {
	const print = (match: Rule['match'], target: Rule['target'] = {kind: 'DROP'}) =>
		printRule({match, target}, 4);

	it('leaves out what iptables leaves out as well', () => {
		expect(print({source: '10.0.0.1/32', destination: '10.0.0.0/8'})).toBe(
			'-s 10.0.0.1 -d 10.0.0.0/8 -j DROP',
		);
		expect(print({}, {kind: 'REJECT', with: 'icmp-port-unreachable'})).toBe('-j REJECT');
		expect(print({}, {kind: 'REJECT', with: 'icmp6-port-unreachable'})).toContain('--reject-with');
		expect(printRule({match: {source: '::/32'}, target: {kind: 'DROP'}}, 6)).toBe(
			'-s ::/32 -j DROP',
		);
	});

	it('quotes for iptables-restore and the shell alike', () => {
		const words = ['-j', 'LOG', '--log-prefix', 'a "b" \\ $HOME `id` ; \'', ''];
		expect(print({}, {kind: 'other', words})).toBe(
			'-j LOG --log-prefix "a \\"b\\" \\\\ \\$HOME \\`id\\` ; \'" ""',
		);
	});

	it('keeps the words that it does not know', () => {
		expect(print({protocol: 'tcp', unknown: ['-m', 'set', '!', '--match-set', 'a b', 'src']})).toBe(
			'-p tcp -m set ! --match-set "a b" src -j DROP',
		);
		expect(print({}, {kind: 'other', words: []})).toBe('');
		expect(print({}, {kind: 'chain', name: 'f2b-sshd'})).toBe('-j f2b-sshd');
	});
});
