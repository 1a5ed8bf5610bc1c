import type {Interface} from '../host/machine/interfaces.ts';
import type {Family} from '../lib/network.ts';
import {completePolicy, VERDICTS, type Verdict} from '../policy/policy.ts';
import {buildRuleSet} from '../ruleset/build.ts';
import type {Answer} from '../testbed/echo.ts';
import {loadSource, plannedSource} from '../testbed/load-rules.ts';
import {withTestbed} from '../testbed/testbed.ts';
import {planForPolicy} from './vantage-points.ts';

/** What a client of a closed TCP port sees under each verdict, measured over IPv4. */
export type Demonstration = Readonly<Record<Verdict, Answer>>;

const NOTHING_OPEN = completePolicy({role: 'workstation'});
/** Closed, since the policy opens nothing. */
const CLOSED_PORT = 9;
/** Milliseconds after which this client gives up. A real client waits much longer. */
const TIMEOUT_MS = 1000;

/** Loads a rule set for each verdict into a copy of this machine, and connects to a closed port. */
export async function demonstrateVerdicts(
	interfaces: readonly Interface[],
): Promise<Demonstration> {
	const families: readonly Family[] = [4];
	const policies = VERDICTS.map((verdict) => ({...NOTHING_OPEN, verdict}));
	const [vantagePoint] = (await planForPolicy(NOTHING_OPEN, interfaces, undefined)).vantagePoints;
	if (!vantagePoint) {
		throw new RangeError('no point to send packets from');
	}

	return withTestbed(interfaces, [vantagePoint], async (testbed) => {
		const answers: Array<readonly [Verdict, Answer]> = [];
		for (const policy of policies) {
			const source = plannedSource(buildRuleSet(policy, {families}));
			// The second load replaces the rules of our chain. It adds the jump once more, which does no harm.
			await loadSource(testbed.machine, source, families);
			const answer = await testbed.senders[4].run('requestEcho', {
				...{protocol: 'tcp', ...testbed.endsFor(vantagePoint)},
				...{port: CLOSED_PORT, timeout: TIMEOUT_MS},
			});
			answers.push([policy.verdict, answer]);
		}

		return Object.fromEntries(answers) as unknown as Demonstration;
	});
}
