import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {policyFlags} from '../../source/policy/policy.ts';
import type {PacketAnswer} from '../../source/ruleset/explain.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {keptRules} from '../_helpers/samples/random-rules.ts';
import {
	governed,
	type KeptWorld,
	nameOf,
	OUTCOME_OF,
	openKeptWorld,
	packets,
	policies,
} from './kept-world.ts';

const PACKETS = 10;

const CASES = fc.record({
	policy: governed(policies),
	kept: keptRules,
	packets: fc.uniqueArray(packets, {
		minLength: PACKETS,
		maxLength: PACKETS,
		selector: JSON.stringify,
	}),
});

describe.each(mainly('nft'))(
	'why a port is open, beside rules of other programs (%s)',
	(backend) => {
		const lab = useLab();
		let world: KeptWorld;

		beforeAll(async () => {
			world = await openKeptWorld(lab, backend);
		}, 240_000);

		test('is what real packets meet, by a rule that is named', async () => {
			const fates: string[] = [];
			const deciding = new Set<string>();
			await fc.assert(
				fc.asyncProperty(CASES, async ({policy, kept, packets: chosen}) => {
					await world.load(kept);
					const left = policy.published === undefined ? ['--published', 'leave'] : [];
					await world.run('apply', '--yes', '--boot', 'none', ...policyFlags(policy), ...left);
					const told: PacketAnswer[] = [];
					for (const {source, port, protocol} of chosen) {
						const {answers} = JSON.parse(
							await world.run('why', '--json', source, `${port}/${protocol}`),
						);
						told.push(...answers);
					}

					await world.target.must('conntrack', ['-F']);
					const seen = await world.send(chosen);
					expect(
						told.map(({fate}, index) => `${nameOf(chosen[index])}: ${OUTCOME_OF[fate]}`),
						JSON.stringify(told, undefined, '\t'),
					).toEqual(chosen.map((one, index) => `${nameOf(one)}: ${seen[index]}`));
					expect(told.filter((answer) => !('rule' in answer))).toEqual([]);
					fates.push(...told.map(({fate}) => fate));
					for (const {rules} of told) {
						deciding.add(rules.join('\n'));
					}

					await world.run('undo', '--all', '--yes');
				}),
				{numRuns: rounds(1, 50), endOnFailure: true},
			);
			const count = (fate: string) => fates.filter((one) => one === fate).length;
			console.log(
				`${fates.length} pairs, ${deciding.size} explanations:`,
				Object.fromEntries([...new Set(fates)].map((fate) => [fate, count(fate)])),
			);
		}, 3_600_000);
	},
);
