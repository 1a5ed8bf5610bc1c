import {FAMILIES} from '../../lib/network.ts';
import type {Policy} from '../../policy/policy.ts';
import type {Testbed} from '../../testbed/testbed.ts';
import type {View} from '../report.ts';
import type {Check, CheckRunner} from './check.ts';
import {runAnswerChecks, runLoopbackCheck, runPingChecks} from './connectivity.ts';
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

/** Runs all checks, for each family from its first vantage point, one after the other. */
export async function runChecks(
	testbed: Testbed,
	policy: Policy,
	views: ReadonlyArray<Pick<View, 'vantagePoint' | 'expected'>>,
): Promise<readonly Check[]> {
	const checks: Check[] = [];
	for (const family of FAMILIES) {
		const view = views.find(({vantagePoint}) => vantagePoint.family === family);
		if (view) {
			const {vantagePoint, expected: opened} = view;
			const here = testbed.targetFor(vantagePoint);
			const context = {testbed, policy, vantagePoint, here, there: vantagePoint.source, opened};
			for (const runCheck of RUNNERS) {
				const first = await runCheck(context);
				const failed = first.some(({result}) => result === 'failed');
				// On a busy machine an answer may arrive too late. Where rules block it, it never arrives.
				checks.push(...(failed ? await runCheck(context) : first));
			}
		}
	}

	return checks;
}
