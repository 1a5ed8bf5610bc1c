import {FAMILIES} from '../../lib/network.ts';
import {joinRanges, subtractRanges} from '../../lib/port-ranges.ts';
import type {Policy} from '../../policy/policy.ts';
import {type Protocol, perProtocol} from '../../policy/services.ts';
import type {RulesUnderTest} from '../../testbed/load-rules.ts';
import type {Testbed} from '../../testbed/testbed.ts';
import type {View} from '../report.ts';
import type {Check, CheckContext, CheckRunner} from './check.ts';
import {
	runAnswerChecks,
	runLoopbackCheck,
	runOpenPortChecks,
	runPingChecks,
} from './connectivity.ts';
import {runHelperChecks} from './helpers.ts';
import {runDhcpCheck, runNeighbourDiscoveryCheck, runPathMtuCheck} from './network-protocols.ts';
import {runStrayPacketChecks} from './stray-packets.ts';
import {runVerdictChecks} from './verdict.ts';

const RUNNERS: readonly CheckRunner[] = [
	runAnswerChecks,
	runLoopbackCheck,
	runPingChecks,
	runNeighbourDiscoveryCheck,
	runPathMtuCheck,
	runDhcpCheck,
	runStrayPacketChecks,
	runVerdictChecks,
	runHelperChecks,
];

/**
 * Checks that change how packets leave the outside, or count what arrives there: one after the other,
 * before all others. They wait for no time-out of more than 250 ms. The others run side by side: where
 * everything is blocked, each waits for its time-out.
 */
const ALONE: ReadonlySet<CheckRunner> = new Set([runStrayPacketChecks, runVerdictChecks]);

/** Checks that can succeed where no answer comes from outside: they do not show that one is late. */
const WITHOUT_ANSWERS: ReadonlySet<CheckRunner> = new Set([
	...ALONE,
	runDhcpCheck,
	runLoopbackCheck,
]);

/**
 * Milliseconds to wait for an answer. On a busy machine it may arrive too late, and what failed is tried
 * again with the second; where rules block it, it never arrives.
 */
const TIMEOUTS_MS = [600, 1200] as const;

/** A check to be run, and what its last try has found. */
export type CheckRun = {
	readonly runner: CheckRunner;
	readonly context: Omit<CheckContext, 'timeout'>;
	checks?: readonly Check[];
};

/** The checks that need no machine beyond the outside, and no helper. */
export const CONNECTION_CHECKS: readonly CheckRunner[] = [
	runOpenPortChecks,
	runAnswerChecks,
	runLoopbackCheck,
	runPingChecks,
	runNeighbourDiscoveryCheck,
	runDhcpCheck,
];

type CheckedView = Pick<View, 'vantagePoint' | 'expected'> & Partial<Pick<View, 'published'>>;

/** Runs all checks, for each family from its first vantage point. */
export async function runChecks(
	testbed: Testbed,
	policy: Policy,
	views: readonly CheckedView[],
	loaded: RulesUnderTest,
): Promise<readonly Check[]> {
	// It replaces a sender, which no check may be using then.
	await testbed.startBeyond();
	const runs = await runEach(testbed, policy, views, loaded, RUNNERS);
	return runs.flatMap(({checks = []}) => checks);
}

/** Runs some checks, for each family from its first vantage point, and both families at the same time. */
export async function runEach(
	testbed: Testbed,
	policy: Policy,
	views: readonly CheckedView[],
	loaded: RulesUnderTest,
	runners: readonly CheckRunner[],
): Promise<readonly CheckRun[]> {
	const runs = FAMILIES.map((family): readonly CheckRun[] => {
		const view = views.find(({vantagePoint}) => vantagePoint.family === family);
		if (view === undefined) {
			return [];
		}

		const {vantagePoint, expected, published = []} = view;
		const elsewhere = (protocol: Protocol) => published.filter((one) => one.protocol === protocol);
		const context = {
			...{testbed, policy, loaded, vantagePoint},
			...{here: testbed.targetFor(vantagePoint), there: vantagePoint.source},
			opened: perProtocol((protocol) => subtractRanges(expected[protocol], elsewhere(protocol))),
			notClosed: perProtocol((protocol) =>
				joinRanges([...expected[protocol], ...elsewhere(protocol)]),
			),
		};
		return runners.map((runner) => ({runner, context}));
	});
	const isSettled = ({checks}: CheckRun) =>
		checks?.every(({result}) => result !== 'failed') ?? false;
	// Where none of these checks gets an answer, all is blocked, and no answer is late.
	const isBlocked = (some: readonly CheckRun[]) =>
		some
			.filter(({runner}) => !WITHOUT_ANSWERS.has(runner))
			.every(({checks}) => checks?.every(({result}) => result !== 'ok') ?? false);
	for (const timeout of TIMEOUTS_MS) {
		await Promise.all(
			runs
				.filter((some) => !isBlocked(some))
				.map(async (some) =>
					runOnce(
						some.filter((one) => !isSettled(one)),
						timeout,
					),
				),
		);
	}

	return runs.flat();
}

async function runOnce(runs: readonly CheckRun[], timeout: number): Promise<void> {
	const perform = async (one: CheckRun) => {
		one.checks = await one.runner({...one.context, timeout});
	};
	for (const one of runs.filter(({runner}) => ALONE.has(runner))) {
		await perform(one);
	}

	await Promise.all(runs.filter(({runner}) => !ALONE.has(runner)).map(perform));
}
