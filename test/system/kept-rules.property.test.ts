import process from 'node:process';
import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import type {Exposure} from '../../source/exposure/model.ts';
import {FAMILIES} from '../../source/lib/network.ts';
import type {PortRange} from '../../source/lib/port-ranges.ts';
import {policyFlags} from '../../source/policy/policy.ts';
import type {PacketAnswer} from '../../source/ruleset/explain.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import type {Report} from '../_helpers/samples/proofs.ts';
import {keptRules, PORTS} from '../_helpers/samples/random-rules.ts';
import {scan} from '../_helpers/traffic/scan.ts';
import {
	type KeptWorld,
	nameOf,
	OUTCOME_OF,
	openKeptWorld,
	packets,
	policies,
	type Sent,
	SOURCES,
	TARGET,
} from './kept-world.ts';

type WhyAnswer = Pick<PacketAnswer, 'fate'> & {readonly rule?: unknown};

const CASES = fc.record({
	policy: policies,
	kept: keptRules,
	packets: fc.uniqueArray(packets, {minLength: 6, maxLength: 6, selector: JSON.stringify}),
});

describe.each(mainly('nft'))(
	'what is said beforehand is what packets meet after apply (%s)',
	(backend) => {
		const lab = useLab();
		let world: KeptWorld;

		beforeAll(async () => {
			world = await openKeptWorld(lab, backend);
		}, 240_000);

		test('beside random rules that stay', async () => {
			await fc.assert(
				fc.asyncProperty(CASES, async ({policy, kept, packets: chosen}) => {
					const flags = policyFlags(policy);
					await world.load(kept);
					const tried = chosen.flatMap(({protocol, port, source}) => [
						'--packet',
						`${protocol} ${port} from ${source}`,
					]);
					const answers: readonly PacketAnswer[] = JSON.parse(
						await world.run('exposure', '--json', ...flags, ...tried),
					).after;
					const exposure: Exposure = JSON.parse(await world.run('exposure', '--json', ...flags));
					const proof = await prove(flags);
					await world.run('apply', '--yes', '--boot', 'none', '--published', 'leave', ...flags);
					const told: readonly WhyAnswer[] = (
						await Promise.all(
							chosen.map(async ({source, port, protocol}) =>
								JSON.parse(await world.run('why', '--json', source, `${port}/${protocol}`)),
							),
						)
					).flatMap(({answers}) => answers);
					await world.target.must('conntrack', ['-F']);
					const strangers = FAMILIES.flatMap((family) =>
						(['tcp', 'udp'] as const).flatMap((protocol) =>
							PORTS.map((port): Sent => {
								const source = SOURCES[family].at(-1) ?? '';
								return {family, protocol, port, source, target: TARGET[family]};
							}),
						),
					);
					const seen = await world.send([...chosen, ...strangers]);
					expect(answers).toHaveLength(chosen.length);
					for (const [index, answer] of answers.entries()) {
						expect([nameOf(chosen[index]), seen[index]], answer.rules.join('\n')).toEqual([
							nameOf(chosen[index]),
							OUTCOME_OF[answer.fate],
						]);
					}

					expect(told.map(({fate}) => OUTCOME_OF[fate])).toEqual(seen.slice(0, chosen.length));
					expect(told.filter(({rule}) => rule === undefined)).toEqual([]);

					const open = strangers.filter((_, index) => seen[chosen.length + index] === 'open');
					expect(strangers.filter((one) => isExposed(exposure, one)).map(nameOf)).toEqual(
						open.map(nameOf),
					);
					expect(strangers.filter((one) => passes(proof, one)).map(nameOf)).toEqual(
						open.map(nameOf),
					);
					expect(await scanAll()).toEqual(open.map(nameOf).sort());
					await world.run('undo', '--all', '--yes');
				}),
				{numRuns: rounds(1, 100)},
			);
		}, 3_600_000);

		/** What the proof of planned rules says. */
		async function prove(flags: readonly string[]): Promise<Report> {
			const {stdout} = await world.target.run(
				process.execPath,
				[CLI, 'prove', '--json', ...flags],
				{
					timeout: 200_000,
				},
			);
			return JSON.parse(stdout);
		}

		/** What nmap finds open to a stranger. */
		async function scanAll(): Promise<readonly string[]> {
			const found: string[] = [];
			for (const family of FAMILIES) {
				const source = SOURCES[family].at(-1) ?? '';
				const from = ['-S', source, '-e', 'eth0', '-p', PORTS.join(',')];
				for (const [protocol, kind] of [
					['tcp', '-sS'],
					['udp', '-sU'],
				] as const) {
					const {ports} = await scan(world.probe, TARGET[family], [kind, ...from], protocol);
					found.push(
						...(ports.open ?? []).map((port) =>
							nameOf({family, protocol, port, source, target: TARGET[family]}),
						),
					);
				}
			}

			return found.sort();
		}
	},
);

/** Whether the proof says that packets of strangers get to a port: as the policy has it, or not. */
function passes({views}: Report, {family, protocol, port}: Sent): boolean {
	const view = views.find(
		({vantage}) => vantage.family === family && vantage.name.startsWith('anywhere'),
	);
	const isIn = ({first, last}: PortRange) => first <= port && port <= last;
	const told = view?.differences.find(
		(one) => one.protocol === protocol && one.ports.some((range) => isIn(range)),
	);
	return told ? told.fact !== 'is closed' : (view?.expected[protocol].some(isIn) ?? false);
}

/** Whether the exposure says that strangers can reach a port. */
function isExposed({rows}: Exposure, {family, protocol, port}: Sent): boolean {
	return rows.some(
		(row) =>
			row.protocol === protocol &&
			row.families.includes(family) &&
			row.from.startsWith('anywhere') &&
			row.after === 'open' &&
			row.ports.some(({first, last}) => first <= port && port <= last),
	);
}
