import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {restore, save} from '../../source/host/netfilter/iptables.ts';
import {FAMILIES, type Family, parseNetwork} from '../../source/lib/network.ts';
import type {Policy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {presenceOf} from '../../source/ruleset/diff.ts';
import {evaluate} from '../../source/ruleset/evaluate.ts';
import {printRestore, printRule} from '../../source/ruleset/format-iptables.ts';
import {type FamilyRules, findChain, isGroup, ownChains} from '../../source/ruleset/model.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import type {Shot} from './ethernet.ts';
import {shotsNear, WIRE_POLICIES} from './wire.ts';
import {openRange, type Range} from './witness.ts';

const CHAIN = 'FW-WIZARD-INPUT';

const CASES = WIRE_POLICIES.chain((policy) =>
	fc.record({
		policy: fc.constant(policy),
		shots: fc.array(fc.oneof(...FAMILIES.map((family) => shotsNear(policy, family))), {
			minLength: 100,
			maxLength: 200,
			size: 'max',
		}),
	}),
);

describe.each(BACKENDS)('evaluate says what the kernel does, %s', (backend) => {
	const lab = useLab();
	let range: Range;

	beforeAll(async () => {
		range = await openRange(lab, backend);
	});

	test('with any packet under any policy, and by which rule', async () => {
		await fc.assert(
			fc.asyncProperty(CASES, async ({policy, shots: wanted}) => {
				const rules = await load(range.target, policy);
				const shots = withinLimits(rules, wanted.map(withOwnPort));
				const {arrived, passed} = await range.fire(shots);
				expect(arrived).toHaveLength(shots.length);
				const expected = shots.filter((shot) => decide(rules, shot).verdict === 'ACCEPT');
				expect(passed.map((id) => describeShot(shots[id]))).toEqual(expected.map(describeShot));
				for (const family of FAMILIES) {
					const decided = countDecisions(rules[family], shots);
					for (const chain of chainsOf(decided.keys())) {
						const counts = await range.counters(family, chain);
						expect(byRule(rules[family], chain, counts)).toEqual(
							byRule(rules[family], chain, decided.get(chain) ?? []),
						);
					}
				}
			}),
			{numRuns: 40, interruptAfterTimeLimit: 200_000, markInterruptAsFailure: true},
		);
	}, 240_000);
});

type Rules = Readonly<Record<Family, FamilyRules>>;

/** Loads a policy as new: without what rate limits of the one before have counted. */
async function load(target: Host, policy: Policy): Promise<Rules> {
	const built = buildRuleSet(policy, {families: FAMILIES});
	for (const rules of built.families) {
		const {family} = rules;
		const present = presenceOf((await save(family, target.run)).rules);
		const own = ['*filter', ...chainsOf(present.chains).map((name) => `-F ${name}`), 'COMMIT', ''];
		const empty = own.join('\n');
		for (const text of [empty, printRestore(rules, present)]) {
			expect(await restore(family, text, target.run)).toBeUndefined();
		}
	}

	const [ipv4, ipv6] = built.families;
	if (ipv4 === undefined || ipv6 === undefined) {
		throw new Error('a family is missing');
	}

	return {4: ipv4, 6: ipv6};
}

/**
 * Gives a packet a port of its own, where it could otherwise belong to another packet's connection:
 * what conntrack says of it would be wrong.
 */
function withOwnPort(shot: Shot, index: number): Shot {
	const {packet, about} = shot;
	const own = 20_000 + index;
	if (about !== undefined) {
		return {...shot, about: {...about, sourcePort: own}};
	}

	return packet.protocol === 'tcp' || packet.state === 'ESTABLISHED'
		? {...shot, packet: {...packet, sourcePort: own}}
		: shot;
}

/** Leaves out what a rate limit would stop, which `evaluate` does not know. */
function withinLimits(rules: Rules, shots: readonly Shot[]): readonly Shot[] {
	const used = new Map<string, number>();
	return shots.filter((shot) => {
		const limit = decide(rules, shot).by?.rule.match.hashlimit;
		if (limit === undefined) {
			return true;
		}

		const {family, source} = shot.packet;
		const key = `${limit.name} ${family === 4 ? source : parseNetwork(`${source}/${limit.sourceMask}`).cidr}`;
		const count = (used.get(key) ?? 0) + 1;
		used.set(key, count);
		return count <= limit.burst;
	});
}

function decide(rules: Rules, {packet}: Shot) {
	return evaluate(rules[packet.family], packet);
}

/** Those of our chains that decide on incoming packets. */
function chainsOf(names: Iterable<string>): readonly string[] {
	return [...names].filter((name) => name === CHAIN || isGroup(name));
}

/** How many packets each rule of our chains decides, by `evaluate`. */
function countDecisions(
	rules: FamilyRules,
	shots: readonly Shot[],
): ReadonlyMap<string, readonly number[]> {
	const counts = new Map(
		ownChains(rules).map(({name}) => [
			name,
			(findChain(rules, 'filter', name)?.rules ?? []).map(() => 0),
		]),
	);
	for (const {packet} of shots.filter(({packet}) => packet.family === rules.family)) {
		const {by} = evaluate(rules, packet);
		const count = counts.get(by?.chain ?? '') ?? [];
		const index = (by?.index ?? 0) - 1;
		expect(count[index]).toBeDefined();
		count[index] = (count[index] ?? 0) + 1;
	}

	return counts;
}

/** Counters with the rule that each belongs to; logging and jumping decide nothing. */
function byRule(rules: FamilyRules, chain: string, counts: readonly number[]): readonly string[] {
	return (findChain(rules, 'filter', chain)?.rules ?? []).flatMap((rule, index) =>
		['LOG', 'chain'].includes(rule.target.kind)
			? []
			: [`${counts[index]} ${printRule(rule, rules.family)}`],
	);
}

function describeShot(shot: Shot | undefined): string {
	return JSON.stringify(shot);
}
