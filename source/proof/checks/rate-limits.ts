import type {Protocol} from '../../policy/services.ts';
import {evaluate} from '../../ruleset/evaluate.ts';
import {firstPacket, judgePorts} from '../../ruleset/evaluate-ports.ts';
import type {FamilyRules, Match, Rule, RuleSet} from '../../ruleset/model.ts';
import {loadAgain, type RuleSource} from '../../testbed/load-rules.ts';
import type {World} from '../../testbed/testbed.ts';
import {tally} from '../count-iptables.ts';
import type {NamedVantage} from '../vantage-points.ts';
import {type Check, check} from './index.ts';

type Limited = {
	readonly vantage: NamedVantage;
	readonly protocol: Protocol;
	readonly port: number;
	readonly limit: NonNullable<Match['hashlimit']>;
};

/**
 * The same rules without the rate limits of our own: a range under one has more ports than a source
 * may try in a minute. They are proven by themselves.
 */
export function withoutLimits(source: RuleSource): RuleSource {
	return {
		...source,
		loads: source.loads.map((load) => ({
			...load,
			text: load.text.replace(
				/^(-A FW-WIZARD-INPUT .*?) -m hashlimit(?: --hashlimit-\S+ \S+)+(.* -j ACCEPT)$/gm,
				'$1$2',
			),
		})),
	};
}

/** Each rate limit of the policy lets through what it should and no more, from one source. */
export async function proveLimits(
	world: World,
	vantages: readonly NamedVantage[],
	ruleSet: RuleSet,
	source: RuleSource,
): Promise<readonly Check[]> {
	const limited = findLimited(vantages, ruleSet);
	if (limited.length === 0) {
		return [];
	}

	await loadAgain(world.machine, withoutLimits(source), source);
	const checks: Check[] = [];
	for (const one of limited) {
		const passed = await count(world, one);
		const {vantage, protocol, port, limit} = one;
		checks.push(
			check(
				`${port}/${protocol} takes ${limit.burst} new connections at once`,
				vantage,
				passed === limit.burst,
				`${passed} of ${limit.burst + 1} passed`,
			),
		);
	}

	await loadAgain(world.machine, source, withoutLimits(source));
	return checks;
}

/** One port under each limit, where nothing else lets it in. */
function findLimited(vantages: readonly NamedVantage[], ruleSet: RuleSet): readonly Limited[] {
	const found = new Map<string, Limited>();
	for (const vantage of vantages) {
		const rules = ruleSet.families.find(({family}) => family === vantage.family);
		for (const protocol of rules ? (['tcp', 'udp'] as const) : []) {
			for (const {first: port, decision} of judgePorts(rules as FamilyRules, vantage, protocol)) {
				const rule = decision.by?.rule;
				const limit = rule?.match.hashlimit;
				const packet = firstPacket(vantage, protocol, port);
				if (
					rule &&
					limit &&
					!found.has(`${vantage.family} ${limit.name}`) &&
					evaluate(without(rules as FamilyRules, rule), packet).verdict !== 'ACCEPT'
				) {
					found.set(`${vantage.family} ${limit.name}`, {vantage, protocol, port, limit});
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

/** Sends one packet more than may pass. @returns how many did */
async function count(world: World, {vantage, protocol, port, limit}: Limited): Promise<number> {
	const sent = limit.burst + 1;
	const match = `-i ${vantage.inInterface} -p ${protocol} --dport ${port}`;
	const [, passed = 0] = await tally(
		world.machine,
		vantage.family,
		[
			{table: 'raw', chain: 'PREROUTING', match},
			{table: 'security', chain: 'INPUT', match},
		],
		async () => {
			for (let index = 0; index < sent; index += 1) {
				await world.senders[vantage.family].ask('sweep', {
					...{protocol, source: vantage.source, target: world.targetFor(vantage)},
					ports: [{first: port, last: port}],
				});
			}
		},
		{expected: sent},
	);
	return passed;
}
