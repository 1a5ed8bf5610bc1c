import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {printNft} from '../../source/export/nft.ts';
import {FAMILIES} from '../../source/lib/network.ts';
import type {Policy} from '../../source/policy/policy.ts';
import {compilePolicy} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import type {Shot} from '../system/ethernet.ts';
import {INTERFACES, shotsNear, WIRE_POLICIES} from '../system/wire.ts';
import {BRIDGE, CONTAINER, openRange, type Range} from '../system/witness.ts';
import {withEnds} from './ends.ts';

/** A limit takes one more packet after that: a slow round is repeated. */
const REFILL_MS = 5000;

const CASES = withEnds(WIRE_POLICIES).chain((policy) =>
	fc.record({
		policy: fc.constant(policy),
		shots: fc.array(
			fc.oneof(
				...FAMILIES.map((family) =>
					shotsNear(policy, family, [...INTERFACES, BRIDGE], [CONTAINER[family]]),
				),
			),
			{minLength: 150, maxLength: 250, size: 'max'},
		),
	}),
);

/** What the kernel did with the packets: what came through, which resets it sent, how many it logged. */
type Fate = {
	readonly arrived: readonly string[];
	readonly passed: readonly string[];
	readonly resets: readonly string[];
	readonly logged: number;
};

describe.each(mainly('nft'))(
	'a policy as rules of nftables, and as rules of iptables-%s',
	(backend) => {
		const lab = useLab();
		let ranges: {readonly iptables: Range; readonly nft: Range};

		beforeAll(async () => {
			ranges = {
				iptables: await openRange(lab, backend, {publishes: true}),
				nft: await openRange(lab, 'nft', {publishes: true}),
			};
		});

		test('have the same effect on any packet', async () => {
			const totals = {packets: 0, arrived: 0, passed: 0, resets: 0, logged: 0};
			await fc.assert(
				fc.asyncProperty(CASES, async ({policy, shots}) => {
					const [iptables, nft] = await Promise.all([
						fate(ranges.iptables, shots, async (host) => loadIptables(host, policy)),
						fate(ranges.nft, shots, async (host) => loadNft(host, policy)),
					]);
					expect(nft).toEqual(iptables);
					totals.packets += shots.length;
					totals.arrived += nft.arrived.length;
					totals.passed += nft.passed.length;
					totals.resets += nft.resets.length;
					totals.logged += nft.logged;
				}),
				{numRuns: rounds(8, 150), endOnFailure: true},
			);
			console.log(`${rounds(8, 150)} policies:`, totals);
			for (const count of Object.values(totals)) {
				expect(count).toBeGreaterThan(0);
			}
		}, 3_000_000);
	},
);

/** Loads the rules as new, and sends the packets. */
async function fate(
	range: Range,
	shots: readonly Shot[],
	load: (host: Host) => Promise<void>,
): Promise<Fate> {
	const {target} = range;
	await load(target);
	const started = Date.now();
	const resets = ['resets4', 'resets6'] as const;
	await target.must('nft', ['-f', '-'], {
		input: resets.map((set) => `flush set inet witness ${set}\n`).join(''),
	});
	const {arrived, passed} = await range.fire(shots);
	if (Date.now() - started > REFILL_MS) {
		return fate(range, shots, load);
	}

	const describeShots = (ids: readonly number[]) => ids.map((id) => JSON.stringify(shots[id]));
	const sent = await Promise.all(
		resets.map((set) => target.must('nft', ['list', 'set', 'inet', 'witness', set])),
	);
	return {
		arrived: describeShots(arrived),
		passed: describeShots(passed),
		resets: sent.flatMap((text) => text.match(/\S+ \. \d+ \. \d+/g) ?? []).sort(),
		logged: await countLogged(target),
	};
}

async function loadIptables(host: Host, policy: Policy): Promise<void> {
	const {ruleSet} = compilePolicy(policy, {families: FAMILIES});
	const empty = ['filter', 'raw', 'mangle'].map((table) => `*${table}\nCOMMIT\n`).join('');
	for (const rules of ruleSet.families) {
		const program = rules.family === 4 ? 'iptables-restore' : 'ip6tables-restore';
		// Without --noflush, so that limits begin anew.
		await host.must(program, [], {input: empty});
		await host.must(program, ['--noflush'], {input: printRestore(rules)});
	}
}

async function loadNft(host: Host, policy: Policy): Promise<void> {
	const text = printNft(compilePolicy(policy, {families: FAMILIES}));
	await host.must('nft', ['-f', '-'], {
		input: text.replaceAll(' log prefix', ' counter log prefix'),
	});
}

/** How many packets the rules that log have logged. */
async function countLogged(host: Host): Promise<number> {
	const texts = await Promise.all(
		['iptables-save', 'ip6tables-save'].map((program) => host.must(program, ['-c'])),
	);
	const ours = await host.must('nft', ['list', 'ruleset']);
	const native = ours.split(/^(?=table )/m).filter((table) => table.includes('fw_wizard'));
	const counts = [...texts, ...native].flatMap((text) => [
		...text.matchAll(/^\[(\d+):.* -j LOG |counter packets (\d+) bytes \d+ log prefix/gm),
	]);
	return counts.reduce((sum, [, saved, listed]) => sum + Number(saved ?? listed), 0);
}
