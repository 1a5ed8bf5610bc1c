import {describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {filterLines} from '../_helpers/samples/existing-rules.ts';
import {filterTable, PROGRAM_RULES} from '../_helpers/samples/program-rules.ts';

/** What is left out: sets, which only the package ipset makes. Tables of ufw are no service. */
const NAMED = Object.entries(PROGRAM_RULES).filter(([name]) => name !== 'ufw');
const RULES = NAMED.flatMap(([, rules]) => rules).filter((rule) => !rule.includes('--match-set'));

describe.each(mainly('legacy'))('rules of known programs, %s', (backend) => {
	const lab = useLab();

	test('are as iptables-save prints them, and each program is named', async () => {
		const host = await lab.host({backend});
		await host.must('iptables-restore', [], {input: filterTable(RULES)});
		const save = await host.must('iptables-save', []);
		expect([...filterLines(save, '-A')].sort()).toEqual([...RULES].sort());
		const {neighbours} = JSON.parse(await wizardDoes(host, 'facts', '--json'));
		expect(neighbours.map(({name}: {readonly name: string}) => name)).toEqual(
			NAMED.map(([name]) => name),
		);
	});
});
