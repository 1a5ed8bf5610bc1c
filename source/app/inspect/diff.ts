import type {Visibility} from '../../exposure/aggregate.ts';
import {derive} from '../../exposure/derive.ts';
import {measureExposure} from '../../exposure/measure.ts';
import {planForRunning} from '../../exposure/vantage-points.ts';
import {rootRequired} from '../../host/exec/elevation.ts';
import type {Facts} from '../../host/machine/facts.ts';
import {saveOwn} from '../../host/netfilter/own-rules.ts';
import {asHostError, HostError} from '../../lib/errors.ts';
import {formatNumber} from '../../lib/format-number.ts';
import {intersectRanges, joinRanges} from '../../lib/port-ranges.ts';
import type {Policy} from '../../policy/policy.ts';
import {perProtocol} from '../../policy/services.ts';
import {divideSources} from '../../proof/divide-sources.ts';
import {type NamedVantagePoint, planForPolicy} from '../../proof/vantage-points.ts';
import {buildRuleSet} from '../../ruleset/build.ts';
import {ownDifferences} from '../../ruleset/diff.ts';
import type {RuleSet} from '../../ruleset/model.ts';
import {plannedSource, type RulesUnderTest, runningSource} from '../../testbed/load-rules.ts';
import {policyChanges} from './policy-changes.ts';
import {type PortChange, portChanges} from './port-changes.ts';

/** One of the two things that are compared: a policy, or all rules that are loaded now. */
export type Side = {readonly name: string; readonly policy: Policy} | 'running';

/** What is different in the second one. */
export type Diff = {
	readonly from: string;
	readonly to: string;
	readonly opens: readonly PortChange[];
	readonly closes: readonly PortChange[];
	/** What could not be judged. */
	readonly unknown: readonly PortChange[];
	/** What two policies say that the other one does not: `- 22/tcp`, `+ 22/tcp limit`. */
	readonly settings: readonly string[];
	/** The rules of fw-wizard that are not those of the policy, a line each; safe to print. */
	readonly rules: readonly string[];
	/** What is left out, a sentence each. */
	readonly notes: readonly string[];
};

/** `running rules`, or the name of a policy */
function nameOfSide(side: Side): string {
	return side === 'running' ? 'the running rules' : side.name;
}

/**
 * Compares two policies by their rules, or a policy with the running rules by packets to a copy of this
 * machine, where one can be made.
 * @throws {HostError} where the running rules cannot be read
 */
export async function findDiff(facts: Facts, from: Side, to: Side): Promise<Diff> {
	const policies = [from, to].flatMap((side) => (side === 'running' ? [] : [side.policy]));
	const [policy] = policies;
	if (policy === undefined || (from === 'running') === (to === 'running')) {
		return betweenPolicies(facts, from, to, policies);
	}

	if (!facts.root) {
		throw rootRequired('diff');
	}

	const {families, interfaces, iptables} = facts;
	const [running, saves] = await Promise.all([
		runningSource(families, iptables),
		Promise.all(families.map(async (family) => saveOwn(family))),
	]);
	const ruleSet = buildRuleSet(policy, {families});
	const {vantagePoints} = await planForRunning(policy, interfaces, running, undefined);
	const {points, unnamed} = withoutAlike(comparable(vantagePoints, facts), ruleSet, running);
	const measured = await measure(facts, points, running, policy);
	const planned = deriveAll(points, plannedSource(ruleSet));
	const seen = measured instanceof HostError ? deriveAll(points, running) : measured;
	const views = points.map((point, index) => {
		const [before, now] = [planned[index], seen[index]];
		const loaded = now && withForwarded(now, before, policy);
		return {point, sides: from === 'running' ? [loaded, before] : [before, loaded]};
	});
	return {
		...{from: nameOfSide(from), to: nameOfSide(to)},
		...portChanges(views),
		settings: [],
		rules: ruleSet.families.flatMap((rules, index) => {
			const saved = saves[index];
			return saved === undefined ? [] : ownDifferences(rules, saved.rules);
		}),
		notes: [
			...unnamed,
			...(measured instanceof HostError
				? [`No packets were sent: ${measured.message}. Read from the rules alone.`]
				: []),
			...(policy.published === 'policy' || !seen.some(({forwarded}) => forwarded.length > 0)
				? []
				: ['Ports that containers publish are left to their programs and not compared.']),
		],
	};
}

async function betweenPolicies(
	facts: Facts,
	from: Side,
	to: Side,
	policies: readonly Policy[],
): Promise<Diff> {
	const {families, interfaces} = facts;
	const [before, after = before] = policies;
	const names = {from: nameOfSide(from), to: nameOfSide(to)};
	if (before === undefined || after === undefined) {
		return {...names, opens: [], closes: [], unknown: [], settings: [], rules: [], notes: []};
	}

	// A packet has to come from each network that one of them opens something to, or blocks.
	const blocked = [before, after].flatMap((policy) => policy.blocked ?? []);
	const both: Policy = {
		...after,
		openings: [
			...before.openings,
			...after.openings,
			...(blocked.length === 0
				? []
				: [
						{
							...({kind: 'port', protocol: 'tcp', first: 1, last: 1, limit: false} as const),
							from: blocked,
						},
					]),
		],
	};
	const {vantagePoints} = await planForPolicy(both, interfaces, undefined);
	const [old, now] = [buildRuleSet(before, {families}), buildRuleSet(after, {families})];
	const {points, unnamed} = withoutAlike(
		...([comparable(vantagePoints, facts), now, plannedSource(old)] as const),
	);
	const [left, right] = [old, now].map((rules) => deriveAll(points, plannedSource(rules)));
	return {
		...names,
		...portChanges(points.map((point, index) => ({point, sides: [left?.[index], right?.[index]]}))),
		settings: policyChanges(before, after),
		rules: [],
		notes: unnamed,
	};
}

/** More networks are compared by one of each kind that the rules treat alike. */
const MOST_POINTS = 32;

/** The vantage points that are compared, and a sentence where these are not all. */
function withoutAlike(
	all: readonly NamedVantagePoint[],
	ruleSet: RuleSet,
	other: RulesUnderTest,
): {readonly points: readonly NamedVantagePoint[]; readonly unnamed: readonly string[]} {
	if (all.length <= MOST_POINTS) {
		return {points: all, unnamed: []};
	}

	const points = divideSources(all, [], ruleSet, other).swept;
	const left = all.length - points.length;
	return {
		points,
		unnamed:
			left === 0
				? []
				: [
						`${formatNumber(left)} networks are not named: the rules treat each like one that is, unless there are over 16 kinds.`,
					],
	};
}

function comparable(
	points: readonly NamedVantagePoint[],
	{families}: Facts,
): readonly NamedVantagePoint[] {
	return points.filter(
		({family, kind}) => families.includes(family) && kind !== 'beside' && kind !== 'client',
	);
}

function deriveAll(
	points: readonly NamedVantagePoint[],
	source: RulesUnderTest,
): readonly Visibility[] {
	return points.map((point) => derive(point, source));
}

/** What packets to a copy of this machine reach; an error says why none could be sent. */
async function measure(
	{interfaces}: Facts,
	points: readonly NamedVantagePoint[],
	running: RulesUnderTest,
	{openings}: Policy,
): Promise<readonly Visibility[] | HostError> {
	const ports = openings.flatMap((one) => (one.kind === 'port' ? [one.first, one.last] : []));
	try {
		return (await measureExposure(interfaces, points, running, undefined, ports)).before;
	} catch (error) {
		return asHostError(error);
	}
}

/**
 * Counts ports that are forwarded as open: all, where the policy governs published ports, otherwise those alone
 * that it opens as well.
 */
function withForwarded(
	now: Visibility,
	planned: Visibility | undefined,
	{published}: Policy,
): Visibility {
	const open = perProtocol((protocol) => {
		const sent =
			now.forwarded === 'unknown' ? [] : now.forwarded.filter((one) => one.protocol === protocol);
		return joinRanges([
			...now.open[protocol],
			...(published === 'policy' ? sent : intersectRanges(sent, planned?.open[protocol] ?? [])),
		]);
	});
	return {...now, open};
}
