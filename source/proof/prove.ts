import type {Interface} from '../host/machine/interfaces.ts';
import {hasNft} from '../host/netfilter/nftables.ts';
import {scopeOf} from '../lib/address-scope.ts';
import {stripPrefixLength} from '../lib/network.ts';
import {hasPort, subtractRanges} from '../lib/port-ranges.ts';
import type {Policy} from '../policy/policy.ts';
import {printAccessPort, type RemoteClient, senderTo} from '../ruleset/lockout.ts';
import {OWN_PREFIX, type RuleSet} from '../ruleset/model.ts';
import {hasOthers, type RulesUnderTest} from '../testbed/load-rules.ts';
import {type Testbed, withTestbed} from '../testbed/testbed.ts';
import {type Check, check} from './checks/check.ts';
import {runDirectRoutingChecks} from './checks/direct-routing.ts';
import {runChecks} from './checks/index.ts';
import {runRateLimitChecks} from './checks/rate-limits.ts';
import {describeLeft, isLeft} from './left-published.ts';
import {runProtocolChecks} from './protocols.ts';
import {governs} from './published.ts';
import {
	FACTS,
	type PortDifference,
	type Proof,
	type Proven,
	type View,
	viewAll,
	viewSampled,
} from './report.ts';
import {describeRule, findResponsibleRule} from './responsible-rule.ts';
import type {Progress} from './sweep.ts';
import {loadForSweep, sweepAll} from './sweep-all.ts';
import {hasOwnLink, type NamedVantagePoint, planForPolicy} from './vantage-points.ts';

export type ProofOptions = {
	readonly policy: Policy;
	/** The rule set that is built from the policy. */
	readonly ruleSet: RuleSet;
	/** The rules to prove. */
	readonly source: RulesUnderTest;
	readonly interfaces: readonly Interface[];
	readonly remoteClient: RemoteClient | undefined;
	readonly onProgress?: (progress: Progress) => void;
};

/**
 * Proves rules: loads them into a copy of this machine, sends a packet to every port from every vantage
 * point, and compares the ports that the kernel passes to the ports that the policy opens.
 * @throws {HostError} when nothing can be proven here
 */
export async function prove(request: ProofOptions): Promise<Proof> {
	const {policy, ruleSet, source, interfaces, remoteClient} = request;
	const families = ruleSet.families.map(({family}) => family);
	const plan = await planForPolicy(policy, interfaces, remoteClient);
	const isHere = ({family}: NamedVantagePoint) => families.includes(family);
	const [vantagePoints, edges] = [plan.vantagePoints.filter(isHere), plan.edges.filter(isHere)];
	return withTestbed(interfaces, vantagePoints.filter(hasOwnLink), async (testbed) => {
		const loaded = await loadForSweep(testbed, source, interfaces, vantagePoints, families);
		const begin = performance.now();
		const {swept, sampled, samples, observations, probes} = await sweepAll(
			...([testbed, {vantagePoints, edges}, ruleSet, loaded] as const),
			{onProgress: request.onProgress, follows: hasOthers(source)},
		);
		const seconds = (performance.now() - begin) / 1000;
		const proven = {policy, ruleSet, source: loaded};
		const sweptViews = viewAll(swept, observations, proven);
		const views = await nameCauses(testbed, proven, [
			...sweptViews,
			...viewSampled(sampled, samples.observations, proven).filter(
				({differences}) => differences.length > 0,
			),
		]);
		// Whoever runs guests lets them in for DHCP and DNS by rules of its own: the view shows it.
		const isGrant = ({vantagePoint}: View, {fact, cause}: PortDifference) =>
			vantagePoint.kind === 'inside' && fact === 'passes' && !cause.includes(OWN_PREFIX);
		const direct =
			policy.published === 'policy' && hasOthers(source) && hasNft()
				? await runDirectRoutingChecks(testbed, policy, sweptViews, interfaces, loaded)
				: [];
		const limits = await runRateLimitChecks(testbed, swept, ruleSet, loaded);
		const protocols = await runProtocolChecks(testbed, vantagePoints, policy, ruleSet, loaded);
		const granted = views.filter((view) => view.differences.some((one) => isGrant(view, one)));
		return {
			views: views.map((view) => ({
				...view,
				differences: view.differences.filter(
					(difference) => !isGrant(view, difference) && !isLeft(difference, policy, loaded),
				),
				protocols: protocols.passed.get(view.vantagePoint) ?? [],
			})),
			checks: [
				...accessChecks(views, remoteClient),
				...direct,
				...limits,
				...protocols.checks,
				...(await runChecks(testbed, policy, views, loaded)),
				...loaded.unseen.map((name) => ({name, result: 'untried' as const, detail: NO_NFT})),
				...(samples.leftOut === 0
					? []
					: [
							{
								name: `${samples.leftOut} addresses in networks of the policy and beside them`,
								result: 'untried' as const,
								detail: 'nft is not installed: only some of them were tried',
							},
						]),
			],
			untried: plan.untried.filter((name) => !isLinkLocal(name)),
			leftOut: [
				...plan.untried.filter(isLinkLocal).map((name) => `packets from ${name}`),
				...describeLeft(views, policy, loaded),
				...[...new Set(granted.map(({vantagePoint}) => vantagePoint.name))].map(
					(name) => `what rules of other programs open to ${name} beyond the policy`,
				),
			],
			...(sampled.length === 0
				? {}
				: {
						sampled: {
							networks: new Set(sampled.map(({vantagePoint: {name}}) => name)).size,
							addresses: sampled.length - samples.leftOut,
							probes: samples.probes,
						},
					}),
			probes,
			seconds,
		};
	});
}

/** Its packets come from the same link only; the copy sends none of them. */
function isLinkLocal(cidr: string): boolean {
	return scopeOf(stripPrefixLength(cidr)) === 'link-local';
}

/** The causes of this many differences are looked for by packets, at most: each takes some 30 ms. */
const MOST_SEARCHES = 16;

/** What is searched for, by what the kernel did against the policy. */
const SEARCHES = {passes: 'open', 'is closed': 'closed', 'is forwarded': 'unguarded'} as const;

/** The same views, with the rules named that cannot be named from INPUT of the filter table alone. */
async function nameCauses(
	testbed: Testbed,
	{policy, source: loaded}: Proven,
	views: readonly View[],
): Promise<readonly View[]> {
	const vague = views.flatMap(({vantagePoint, differences}) =>
		differences
			.filter(({cause, fact}) =>
				fact === FACTS.forwarded
					? governs(policy, vantagePoint)
					: !/^(?:rule \d+ of|there are no) /.test(cause),
			)
			.map((difference) => ({vantagePoint, difference})),
	);
	if (vague.length === 0) {
		return views;
	}

	const searched = vague.slice(0, MOST_SEARCHES);
	await testbed.seedNeighbours(searched.map(({vantagePoint}) => vantagePoint));
	const causes = new Map<PortDifference, string>();
	for (const {vantagePoint, difference} of searched) {
		const {protocol, ports, fact} = difference;
		const rule = await findResponsibleRule(
			...([testbed, loaded, vantagePoint] as const),
			{protocol, port: ports[0]?.first ?? 0},
			SEARCHES[fact],
		);
		// The policy of INPUT is named already, unless it is that of the other backend.
		if (rule !== undefined && !(rule.text.startsWith(':') && rule.place === 'filter')) {
			causes.set(difference, describeRule(rule));
		}
	}

	await testbed.forgetNeighbours();
	return views.map((view) => ({
		...view,
		differences: view.differences.map((difference) => ({
			...difference,
			cause: causes.get(difference) ?? difference.cause,
		})),
	}));
}

const NO_NFT = 'nft is not installed: whatever rules are there are not in this proof';

/** Whether the connected remote client can connect again, by the packets that passed. */
function accessChecks(
	views: readonly View[],
	remoteClient: RemoteClient | undefined,
): readonly Check[] {
	const isYou = ({vantagePoint}: View) => vantagePoint.source === remoteClient?.client;
	if (remoteClient === undefined || !views.some(isYou)) {
		return [];
	}

	return remoteClient.accessPorts.flatMap((accessPort) => {
		const {client = remoteClient.client} = senderTo(accessPort, remoteClient);
		const view =
			accessPort.tunnel !== undefined && accessPort.peer === undefined
				? views.find(({vantagePoint}) => vantagePoint.kind === 'anywhere')
				: views.find(({vantagePoint}) => vantagePoint.source === client);
		return view === undefined
			? []
			: [
					{
						...check(
							`you, ${client}, reach ${printAccessPort(accessPort)} again`,
							view.vantagePoint,
							subtractRanges([accessPort], view.passed[accessPort.protocol]).length === 0,
							hasPort(view.forwarded[accessPort.protocol], accessPort.first)
								? 'its packets are sent on to another machine'
								: 'the policy blocks it',
						),
						wayIn: true,
					},
				];
	});
}
