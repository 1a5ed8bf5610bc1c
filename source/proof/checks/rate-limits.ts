import {PROTOCOLS, type Protocol} from '../../policy/services.ts';
import {evaluate} from '../../ruleset/evaluate.ts';
import {firstPacket, judgePorts} from '../../ruleset/evaluate-ports.ts';
import {
	type FamilyRules,
	type Match,
	OWN_PREFIX,
	type Rule,
	type RuleSet,
} from '../../ruleset/model.ts';
import {loadAgain, type RulesUnderTest} from '../../testbed/load-rules.ts';
import type {Testbed} from '../../testbed/testbed.ts';
import {countWithIptables, originalMatch} from '../count-iptables.ts';
import type {NamedVantagePoint} from '../vantage-points.ts';
import {type Check, check} from './check.ts';

/** The limit of a rule of our own, between what stands before and behind it. */
const OWN_LIMITS = new RegExp(
	`^(-A ${OWN_PREFIX}\\S+ .*?) -m hashlimit(?: --hashlimit-\\S+ \\S+)+(.* -j (?:ACCEPT|RETURN))$`,
	'gm',
);

/** A port under a rate limit. */
type LimitedPort = {
	readonly vantagePoint: NamedVantagePoint;
	readonly protocol: Protocol;
	readonly port: number;
	readonly limit: NonNullable<Match['hashlimit']>;
};

/**
 * The same rules without our own rate limits, as a sweep needs them: a range of ports under one limit may
 * have more ports than one source may connect to in a minute. `runRateLimitChecks` proves the limits.
 */
export function withoutLimits(source: RulesUnderTest): RulesUnderTest {
	return {
		...source,
		loads: source.loads.map((load) => ({
			...load,
			text: load.text.replace(OWN_LIMITS, '$1$2'),
		})),
	};
}

/** Each rate limit of the policy passes as many packets of one source as it should, and no more. */
export async function runRateLimitChecks(
	testbed: Testbed,
	vantagePoints: readonly NamedVantagePoint[],
	ruleSet: RuleSet,
	source: RulesUnderTest,
): Promise<readonly Check[]> {
	const limited = findLimited(vantagePoints, ruleSet);
	if (limited.length === 0) {
		return [];
	}

	await loadAgain(testbed.machine, withoutLimits(source), source);
	const checks: Check[] = [];
	for (const one of limited) {
		const passed = await count(testbed, one);
		const {vantagePoint, protocol, port, limit} = one;
		checks.push(
			check(
				`${port}/${protocol} takes ${limit.burst} new connections at once`,
				vantagePoint,
				passed === limit.burst,
				`${passed} of ${limit.burst + 1} passed`,
			),
		);
	}

	await loadAgain(testbed.machine, source, withoutLimits(source));
	return checks;
}

/** Finds one port under each limit that no other rule opens. */
function findLimited(
	vantagePoints: readonly NamedVantagePoint[],
	ruleSet: RuleSet,
): readonly LimitedPort[] {
	const found = new Map<string, LimitedPort>();
	for (const vantagePoint of vantagePoints) {
		const rules = ruleSet.families.find(({family}) => family === vantagePoint.family);
		for (const protocol of rules ? PROTOCOLS : []) {
			for (const {first: port, decision} of judgePorts(
				rules as FamilyRules,
				vantagePoint,
				protocol,
			)) {
				const rule = decision.by?.rule;
				const limit = rule?.match.hashlimit;
				const packet = firstPacket(vantagePoint, protocol, port);
				if (
					rule &&
					limit &&
					!found.has(`${vantagePoint.family} ${limit.name}`) &&
					evaluate(without(rules as FamilyRules, rule), packet).verdict !== 'ACCEPT'
				) {
					found.set(`${vantagePoint.family} ${limit.name}`, {vantagePoint, protocol, port, limit});
				}
			}
		}
	}

	return [...found.values()];
}

function without(rules: FamilyRules, rule: Rule): FamilyRules {
	return {
		...rules,
		tables: rules.tables.map((table) => ({
			...table,
			chains: table.chains.map((chain) => ({
				...chain,
				rules: chain.rules.filter((candidate) => candidate !== rule),
			})),
		})),
	};
}

/** Sends one packet more than may pass. @returns how many passed */
async function count(
	testbed: Testbed,
	{vantagePoint, protocol, port, limit}: LimitedPort,
): Promise<number> {
	const sent = limit.burst + 1;
	const match = `-i ${vantagePoint.inInterface} -p ${protocol} --dport ${port}`;
	const [, passed = 0, forwarded = 0] = await countWithIptables(
		testbed.machine,
		vantagePoint.family,
		[
			{table: 'raw', chain: 'PREROUTING', match},
			{table: 'security', chain: 'INPUT', match},
			{
				table: 'security',
				chain: 'FORWARD',
				match: originalMatch({protocol, first: port, last: port}, vantagePoint),
			},
		],
		async () => {
			for (let index = 0; index < sent; index += 1) {
				await testbed.senders[vantagePoint.family].run('sweep', {
					...{protocol, ...testbed.endsFor(vantagePoint)},
					ports: [{first: port, last: port}],
				});
			}
		},
		{expected: sent},
	);
	return passed + forwarded;
}
