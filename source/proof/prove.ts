import type {Interface} from '../host/machine/interfaces.ts';
import {subtractRanges} from '../lib/port-ranges.ts';
import type {Policy} from '../policy/policy.ts';
import {stretches} from '../ruleset/evaluate-ports.ts';
import {printAccessPort, type RemoteClient} from '../ruleset/lockout.ts';
import type {RuleSet} from '../ruleset/model.ts';
import {loadAgain, loadSource, type RulesUnderTest} from '../testbed/load-rules.ts';
import {withTestbed} from '../testbed/testbed.ts';
import {type Check, check} from './checks/check.ts';
import {runChecks} from './checks/index.ts';
import {runRateLimitChecks, withoutLimits} from './checks/rate-limits.ts';
import {type View, viewAll} from './report.ts';
import {type Progress, sweep} from './sweep.ts';
import {planForPolicy} from './vantage-points.ts';

export type Proof = {
	readonly views: readonly View[];
	readonly checks: readonly Check[];
	readonly untried: readonly string[];
	readonly probes: number;
	readonly seconds: number;
};

export type ProofOptions = {
	readonly policy: Policy;
	/** What the policy means: the rule set built from it. */
	readonly ruleSet: RuleSet;
	/** What is put to the proof. */
	readonly source: RulesUnderTest;
	readonly interfaces: readonly Interface[];
	readonly remoteClient: RemoteClient | undefined;
	readonly onProgress?: (progress: Progress) => void;
};

/**
 * Loads rules into a copy of this machine's network, sends a packet to every port from everywhere
 * that matters, and holds what the kernel let through against what the policy says.
 * @throws {HostError} when nothing can be proven here
 */
export async function prove(request: ProofOptions): Promise<Proof> {
	const {policy, ruleSet, source, interfaces, remoteClient} = request;
	const families = ruleSet.families.map(({family}) => family);
	const plan = await planForPolicy(policy, interfaces, remoteClient);
	const vantagePoints = plan.vantagePoints.filter(({family}) => families.includes(family));
	return withTestbed(interfaces, vantagePoints, async (testbed) => {
		const loaded = await loadSource(testbed.machine, source, families);
		await loadAgain(testbed.machine, loaded, withoutLimits(loaded));
		const begin = performance.now();
		let probes = 0;
		const observations = await sweep(testbed, vantagePoints, {
			onProgress(progress) {
				probes = progress.sent;
				request.onProgress?.(progress);
			},
			alike: stretches([...ruleSet.families, ...loaded.rules]),
		});
		const seconds = (performance.now() - begin) / 1000;
		const views = viewAll(vantagePoints, observations, ruleSet, loaded);
		return {
			views,
			checks: [
				...waysIn(views, remoteClient),
				...(await runRateLimitChecks(testbed, vantagePoints, ruleSet, loaded)),
				...(await runChecks(testbed, policy, views)),
				...loaded.unseen.map((name) => ({name, result: 'untried' as const, detail: NO_NFT})),
			],
			untried: plan.untried,
			probes,
			seconds,
		};
	});
}

const NO_NFT = 'nft is not installed: whatever rules are there are not in this proof';

/** Whether all is as the policy says. */
export function isProven({views, checks}: Proof): boolean {
	return (
		views.every(({differences}) => differences.length === 0) &&
		checks.every(({result}) => result !== 'failed')
	);
}

/** Whether the one thing wrong is that whoever is connected could not connect again: as the policy says. */
export function onlyShutsOut({views, checks}: Proof): boolean {
	const failed = checks.filter(({result}) => result === 'failed');
	return (
		views.every(({differences}) => differences.length === 0) &&
		failed.length > 0 &&
		failed.every(({wayIn}) => wayIn)
	);
}

/** Whether somebody who is connected can connect again: seen, not derived. */
function waysIn(views: readonly View[], remoteClient: RemoteClient | undefined): readonly Check[] {
	const view = views.find(({vantagePoint}) => vantagePoint.source === remoteClient?.client);
	return view === undefined || remoteClient === undefined
		? []
		: remoteClient.accessPorts.map((accessPort) => {
				const shut = subtractRanges([accessPort], view.passed[accessPort.protocol]).length > 0;
				return {
					...check(
						`you, ${view.vantagePoint.source}, reach ${printAccessPort(accessPort)} again`,
						view.vantagePoint,
						!shut,
						'the policy shuts it',
					),
					wayIn: true,
				};
			});
}
