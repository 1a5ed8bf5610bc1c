import type {Protocol} from '../policy/services.ts';
import {evaluate} from '../ruleset/evaluate.ts';
import {firstPacket, judgePorts} from '../ruleset/reach.ts';
import type {FamilyRules, Match, Rule, RuleSet} from '../ruleset/ruleset.ts';
import {type Check, check} from './dialogues.ts';
import {loadAgain, type RuleSource} from './sources.ts';
import type {NamedVantage} from './vantages.ts';
import type {World} from './world.ts';

const TABLE = 'fw_wizard_limits';
/** So often is looked whether the last packet has arrived: a busy kernel takes its time. */
const LOOKS = 200;

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
	const packets = `iifname "${vantage.inInterface}" meta nfproto ipv${vantage.family} ${protocol} dport ${port} ct state new counter;`;
	await nft(world, [
		`table inet ${TABLE} {`,
		// After conntrack, or no packet would be new yet.
		`chain arrived { type filter hook prerouting priority -199; ${packets} }`,
		`chain passed { type filter hook input priority 2147483645; ${packets} }`,
		'}',
	]);
	const sent = limit.burst + 1;
	for (let index = 0; index < sent; index += 1) {
		await world.senders[vantage.family].ask('sweep', {
			...{protocol, source: vantage.source, target: world.targetFor(vantage)},
			ports: [{first: port, last: port}],
		});
	}

	let counts: readonly number[] = [];
	for (let looks = 0; looks < LOOKS && (counts[0] ?? 0) < sent; looks += 1) {
		const {stdout} = await world.machine.run('nft', ['list', 'table', 'inet', TABLE]);
		counts = [...stdout.matchAll(/packets (\d+)/g)].map(([, packets]) => Number(packets));
	}

	await nft(world, [`delete table inet ${TABLE}`]);
	return counts[1] ?? 0;
}

async function nft({machine}: World, lines: readonly string[]): Promise<void> {
	await machine.run('nft', ['-f', '-'], {input: `${lines.join('\n')}\n`});
}
