import type {Interface} from '../host/machine/interfaces.ts';
import type {Family} from '../lib/network.ts';
import {completePolicy, VERDICTS, type Verdict} from '../policy/policy.ts';
import {buildRuleSet} from '../ruleset/build.ts';
import type {Answer} from '../testbed/agent.ts';
import {loadSource, plannedSource} from '../testbed/load-rules.ts';
import {withWorld} from '../testbed/testbed.ts';
import {planVantages} from './vantage-points.ts';

/** What a client of a shut TCP port sees under each verdict, measured over IPv4. */
export type Demonstration = Readonly<Record<Verdict, Answer>>;

/** Where nothing listens and no policy of ours opens anything. */
const SHUT_PORT = 9;
/** Milliseconds after which this client gives up; a real one waits much longer. */
const PATIENCE = 1000;

/** Loads a rule set of each verdict in a throw-away namespace, and knocks at a shut port. */
export async function demonstrateVerdicts(
	interfaces: readonly Interface[],
): Promise<Demonstration> {
	const families: readonly Family[] = [4];
	const policies = VERDICTS.map((verdict) => completePolicy({role: 'workstation', verdict}));
	const [vantage] = policies
		.slice(0, 1)
		.flatMap((policy) => planVantages(policy, interfaces, undefined).vantages);
	if (!vantage) {
		throw new RangeError('no vantage');
	}

	return withWorld(interfaces, [vantage], async (world) => {
		const answers: Array<readonly [Verdict, Answer]> = [];
		for (const policy of policies) {
			const source = plannedSource(buildRuleSet(policy, {families}));
			// The second load fills the same chain anew; its jump is there already, and one more does no harm.
			await loadSource(world.machine, source, families);
			const answer = await world.senders[4].ask('ask', {
				...{protocol: 'tcp', source: vantage.source, target: world.targetFor(vantage)},
				...{port: SHUT_PORT, timeout: PATIENCE},
			});
			answers.push([policy.verdict, answer]);
		}

		return Object.fromEntries(answers) as unknown as Demonstration;
	});
}
