import type {Interface} from '../host/machine/interfaces.ts';
import type {Family} from '../lib/network.ts';
import {completePolicy, VERDICTS, type Verdict} from '../policy/policy.ts';
import {buildRuleSet} from '../ruleset/build.ts';
import type {Answer} from '../testbed/agent.ts';
import {loadSource, plannedSource} from '../testbed/load-rules.ts';
import {withTestbed} from '../testbed/testbed.ts';
import {planVantagePoints} from './vantage-points.ts';

/** What a client of a shut TCP port sees under each verdict, measured over IPv4. */
export type Demonstration = Readonly<Record<Verdict, Answer>>;

/** Where nothing listens and no policy of ours opens anything. */
const SHUT_PORT = 9;
/** Milliseconds after which this client gives up; a real one waits much longer. */
const TIMEOUT_MS = 1000;

/** Loads a rule set of each verdict in a throw-away namespace, and knocks at a shut port. */
export async function demonstrateVerdicts(
	interfaces: readonly Interface[],
): Promise<Demonstration> {
	const families: readonly Family[] = [4];
	const policies = VERDICTS.map((verdict) => completePolicy({role: 'workstation', verdict}));
	const [vantagePoint] = policies
		.slice(0, 1)
		.flatMap((policy) => planVantagePoints(policy, interfaces, undefined).vantagePoints);
	if (!vantagePoint) {
		throw new RangeError('no vantage');
	}

	return withTestbed(interfaces, [vantagePoint], async (testbed) => {
		const answers: Array<readonly [Verdict, Answer]> = [];
		for (const policy of policies) {
			const source = plannedSource(buildRuleSet(policy, {families}));
			// The second load fills the same chain anew; its jump is there already, and one more does no harm.
			await loadSource(testbed.machine, source, families);
			const answer = await testbed.senders[4].run('requestEcho', {
				...{protocol: 'tcp', source: vantagePoint.source, target: testbed.targetFor(vantagePoint)},
				...{port: SHUT_PORT, timeout: TIMEOUT_MS},
			});
			answers.push([policy.verdict, answer]);
		}

		return Object.fromEntries(answers) as unknown as Demonstration;
	});
}
