import {readKnown} from '../change/change-state.ts';
import {programOfRule} from '../existing/rule-owner.ts';
import {findJumpFault} from '../existing/shadowed-jump.ts';
import {type Comparison, compareRunning} from '../exposure/compare-running.ts';
import {describeBlocked, describeDeviation} from '../exposure/describe-deviation.ts';
import type {Deviation} from '../exposure/explain-deviations.ts';
import {splitKnown} from '../exposure/known-deviations.ts';
import {isBroad} from '../exposure/sources-in-rules.ts';
import type {FactsWithIptables} from '../host/machine/facts.ts';
import type {Saved} from '../host/netfilter/iptables.ts';
import {asHostError, HostError} from '../lib/errors.ts';
import type {Family} from '../lib/network.ts';
import type {ProtocolDifference} from '../proof/compare-protocols.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {programOfTable} from '../services/known-programs/find.ts';
import {runningSource} from '../testbed/load-rules.ts';
import {failed, type Item, joinTexts, ok, open, unless} from './checklist-item.ts';

const ID = 'reached';
const TITLE = 'the running rules do what the policy says';
const KNOWN_TITLE = `${TITLE}, and beside it only what was known`;

/**
 * Compares by packets what the running rules open, all programs' rules included, with the policy.
 * @returns the comparison, or why there is none
 */
export async function tryRunning(
	{policy, ruleSet}: CompiledPolicy,
	{families, iptables, interfaces, session}: FactsWithIptables,
	full: boolean,
): Promise<Comparison | HostError> {
	const compare = async () =>
		compareRunning(await runningSource(families, iptables), {
			...{policy, ruleSet, interfaces, full},
			remoteClient: session.kind === 'remote' ? session : undefined,
		});
	return compare().catch(asHostError);
}

/**
 * The item of the running rules: our chain is reached, and no rule of another program opens or closes a
 * port against the policy.
 * @param altered families whose own rules are not those of the policy, which other items say
 */
export function describeRunning(
	saves: readonly Saved[],
	compared: Comparison | HostError,
	altered: ReadonlySet<Family>,
): readonly Item[] {
	const [fault] = saves.flatMap(({rules}) => findJumpFault(rules));
	if (fault !== undefined) {
		return [unless(ID, TITLE, fault)];
	}

	if (compared instanceof HostError) {
		return [open(ID, TITLE, `not tried: ${compared.message}`, compared.hint)];
	}

	const {known, fresh} = splitKnown(compared, readKnown());
	const {deviations, blocked, unroutable, leftOut, probes, unloaded, protocols} = fresh;
	const foreign = deviations.filter(
		({rule, families}) =>
			(rule !== undefined && !rule.own && !rule.text.startsWith(':')) ||
			!families.some((family) => altered.has(family)),
	);
	const trusted = foreign.filter(isMeant);
	const faults = foreign.filter((deviation) => !trusted.includes(deviation));
	const texts = [...faults.map(describeDeviation), ...blocked.map(describeBlocked), ...unroutable];
	const missing = [...unloaded.map((name) => `table ${name}`), ...leftOut];
	return [
		texts.length === 0
			? ok(ID, `${known.deviations.length > 0 ? KNOWN_TITLE : TITLE} (${probes} packets)`)
			: failed(
					...([ID, TITLE, joinTexts(texts)] as const),
					'Remove these rules, or put the ports into the policy',
				),
		...describeProtocols(protocols.filter(({family}) => !altered.has(family))),
		...describeKnown(known),
		...(trusted.length === 0
			? []
			: [
					open(
						...(['trusted', 'no network and no other program opens more than the policy'] as const),
						...([
							joinTexts(trusted.map(describeDeviation)),
							'If that is not meant, remove these rules',
						] as const),
					),
				]),
		...(missing.length === 0
			? []
			: [
					open(
						...(['left-out', 'the packets met all that decides on packets here'] as const),
						`they were sent without ${missing.join('; ')}`,
						'See: ip rule; tc filter show; ip xfrm policy; systemctl cat; nft list ruleset',
					),
				]),
	];
}

/** What other rules opened or blocked already when the policy was applied, and the user was told. */
function describeKnown(known: ReturnType<typeof splitKnown>['known']): readonly Item[] {
	const texts = [
		...known.deviations.map(describeDeviation),
		...known.blocked.map(describeBlocked),
		...known.unroutable,
		...known.protocols.map(({family, text}) => `IPv${family}: ${text}`),
	];
	const title = 'what else other rules open or block was known when the policy was applied';
	return texts.length === 0 ? [] : [{...ok('known', title), cause: joinTexts(texts)}];
}

/**
 * The item of protocols without ports, where other rules differ from the policy. What they block was
 * opened for a program that then fails; what they open may be meant by whoever made them.
 */
function describeProtocols(differences: readonly ProtocolDifference[]): readonly Item[] {
	const [blocked, opened] = [false, true].map((wanted) => [
		...new Set(differences.filter(({passes}) => passes === wanted).map(({text}) => text)),
	]);
	const item = ['protocols', 'only protocols without ports that are opened pass'] as const;
	return blocked && blocked.length > 0
		? [
				failed(
					...item,
					joinTexts([...blocked, ...(opened ?? [])]),
					'Remove these rules, or close the protocols',
				),
			]
		: opened && opened.length > 0
			? [open(...item, joinTexts(opened), 'If that is not meant, remove these rules')]
			: [];
}

/**
 * Whether ports are open on purpose, as far as it can be told: to a single network, which somebody trusts,
 * or by a program that needs them for its containers, its tunnel or the devices that share its connection.
 */
export function isMeant({fate, from, rule}: Deviation): boolean {
	if (fate === 'closed' || rule === undefined) {
		return false;
	}

	const program = programOfRule(rule.text) ?? programOfTable(rule.table);
	return (
		from.every(({kind, family, name: cidr}) => kind === 'network' && !isBroad({family, cidr})) ||
		(program !== undefined && !['bans', 'firewall'].includes(program.kind))
	);
}
