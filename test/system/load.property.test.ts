import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {restore, save} from '../../source/host/netfilter/iptables.ts';
import {FAMILIES} from '../../source/lib/network.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {compareRules, describeDifference, ownRules, presenceOf} from '../../source/ruleset/diff.ts';
import {printCommands, printRestore} from '../../source/ruleset/format-iptables.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';

describe.each(BACKENDS)('any policy, %s', (backend) => {
	const lab = useLab();
	let host: Host;
	let shell: Host;

	beforeAll(async () => {
		[host, shell] = [await lab.host({backend}), await lab.host({backend})];
	});

	test('loads over any other and reads back the same', async () => {
		await fc.assert(
			fc.asyncProperty(policies(), async (policy) => {
				for (const rules of buildRuleSet(policy, {families: FAMILIES}).families) {
					const {family} = rules;
					const present = presenceOf((await save(family, host.run)).rules);
					const text = printRestore(rules, present);
					expect(await restore(family, text, host.run)).toBeUndefined();
					const saved = ownRules((await save(family, host.run)).rules);
					expect(compareRules(rules, saved).map(describeDifference)).toEqual([]);
					// The comparison is ours; that each rule is there at all is not left to it.
					const lines = (await host.must(programOf(family), [])).split('\n');
					expect(lines.filter((line) => line.includes('-A ')).length).toBe(countRules(text));
				}
			}),
			{numRuns: 50},
		);
	}, 240_000);

	test('prints commands that a shell and the kernel take', async () => {
		await fc.assert(
			fc.asyncProperty(policies(), async (policy) => {
				for (const rules of buildRuleSet(policy, {families: FAMILIES}).families) {
					const program = rules.family === 4 ? 'iptables' : 'ip6tables';
					const commands = printCommands(rules);
					const clear = ['filter', 'raw', 'mangle'].flatMap((table) => [
						`${program} -t ${table} -F`,
						`${program} -t ${table} -X`,
					]);
					await shell.must('sh', ['-e'], {input: [...clear, ...commands, ''].join('\n')});
					const lines = (await shell.must(`${program}-save`, [])).split('\n');
					expect(lines.filter((line) => /^-A |^:FW-WIZARD-/.test(line)).length).toBe(
						commands.length,
					);
				}
			}),
			{numRuns: 15},
		);
	});
});

function programOf(family: 4 | 6): string {
	return family === 4 ? 'iptables-save' : 'ip6tables-save';
}

/** Rules and jumps that a restore file leaves in our chains and the built-in ones. */
function countRules(text: string): number {
	const own = text.split('\n').filter((line) => line.startsWith('-A FW-WIZARD-'));
	// No chain jumps to one of a group but FW-WIZARD-INPUT.
	const chains = text.split('\n').filter((line) => /^:FW-WIZARD-(?!FROM)/.test(line));
	return own.length + chains.length;
}
