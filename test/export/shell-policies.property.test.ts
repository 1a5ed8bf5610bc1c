import {writeFileSync} from 'node:fs';
import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {planForOthers} from '../../source/export/boot.ts';
import {printShell} from '../../source/export/shell.ts';
import {FAMILIES} from '../../source/lib/network.ts';
import {compilePolicy} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';
import {withEnds} from './ends.ts';
import {SCRIPT} from './exported.ts';

describe.each(mainly('nft'))('export shell of any policy, %s', (backend) => {
	const lab = useLab();
	let host: Host;
	let other: Host;

	beforeAll(async () => {
		[host, other] = [await lab.host({backend}), await lab.host({backend})];
		await host.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
	});

	test('loads the rules of the policy, sees them, and removes them', async () => {
		const run = async (...words: readonly string[]) => host.run('dash', [SCRIPT, ...words]);
		await fc.assert(
			fc.asyncProperty(withEnds(policies()), async (policy) => {
				const compiled = compilePolicy(policy, {families: FAMILIES});
				writeFileSync(inView(host, SCRIPT), printShell(compiled, planForOthers(compiled)));
				for (const rules of compiled.ruleSet.families) {
					const program = rules.family === 4 ? 'iptables-restore' : 'ip6tables-restore';
					await other.must(program, [], {
						input: `*filter\nCOMMIT\n*raw\nCOMMIT\n*mangle\nCOMMIT\n${printRestore(rules)}`,
					});
				}

				expect(await run()).toMatchObject({status: 0});
				expect(await run('keep')).toMatchObject({status: 0});
				expect(withoutEmptyTables(await readSaves(host))).toEqual(
					withoutEmptyTables(await readSaves(other)),
				);
				expect(await run('status')).toMatchObject({status: 0});
				expect(await run('remove')).toMatchObject({status: 0});
				expect(withoutEmptyTables(await readSaves(host))).toEqual({ipv4: '', ipv6: ''});
			}),
			{numRuns: rounds(3, 100), endOnFailure: true},
		);
	}, 3_000_000);
});
