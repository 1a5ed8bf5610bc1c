import type {Verdict} from '../../policy/policy.ts';
import type {Protocol} from '../../policy/services.ts';
import {countWithIptables} from '../count-iptables.ts';
import {type Check, type CheckContext, check, firstClosed, READ_ONLY, untried} from './check.ts';

/** What a client receives from a closed port. */
type Refusal = 'port unreachable' | 'reset' | 'nothing';

/** The reaction of each verdict (ruleset/build.ts). */
const REFUSALS: Readonly<Record<Verdict, Readonly<Record<Protocol, Refusal>>>> = {
	reject: {tcp: 'port unreachable', udp: 'port unreachable'},
	reset: {tcp: 'reset', udp: 'port unreachable'},
	drop: {tcp: 'nothing', udp: 'nothing'},
};

/** Milliseconds. The kernel of the copy answers before the sender's system call returns. */
const TIMEOUT_MS = 250;

/** Closed ports react as the policy's verdict says. The packets that the client receives are counted. */
export async function runVerdictChecks(context: CheckContext): Promise<readonly Check[]> {
	const {testbed, policy, vantagePoint, notClosed} = context;
	const checks: Check[] = [];
	for (const protocol of ['tcp', 'udp'] as const) {
		const port = firstClosed(notClosed[protocol]);
		if (port === undefined) {
			continue;
		}

		const name = `closed ports are blocked, ${protocol.toUpperCase()}`;
		const expected = REFUSALS[policy.verdict][protocol];
		const refusal = await observe(context, protocol, port);
		// The kernel limits the errors that it sends in a second (icmp_ratelimit), and a sweep uses them up.
		const rateLimited =
			!testbed.adjustable && expected === 'port unreachable' && refusal === 'nothing';
		const detail = `the client is told ${refusal}, and under ${policy.verdict} it is ${expected}`;
		checks.push(
			rateLimited
				? untried(name, vantagePoint, READ_ONLY)
				: check(name, vantagePoint, refusal === expected, detail),
		);
	}

	return checks;
}

/** Sends one packet, and counts in the outside what it receives. */
async function observe(
	{testbed, vantagePoint, here, there}: CheckContext,
	protocol: Protocol,
	port: number,
): Promise<Refusal> {
	const error =
		vantagePoint.family === 4
			? '-p icmp --icmp-type port-unreachable'
			: '-p ipv6-icmp --icmpv6-type port-unreachable';
	// An ICMP error contains the header of the packet that caused it: conntrack matches it by that.
	const cause = `-m conntrack --ctstate RELATED --ctproto ${protocol} --ctorigdstport ${port}`;
	const [resets = 0, errors = 0] = await countWithIptables(
		testbed.outside,
		vantagePoint.family,
		[`-p tcp --sport ${port} --tcp-flags RST RST`, `${error} ${cause}`].map((match) => ({
			...{table: 'filter', chain: 'INPUT', match},
		})),
		async () =>
			testbed.senders[vantagePoint.family].run('requestEcho', {
				...{protocol, source: there, target: here, port, timeout: TIMEOUT_MS},
			}),
	);
	return resets > 0 ? 'reset' : errors > 0 ? 'port unreachable' : 'nothing';
}
