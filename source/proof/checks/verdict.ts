import type {Verdict} from '../../policy/policy.ts';
import type {Protocol} from '../../policy/services.ts';
import {countWithIptables} from '../count-iptables.ts';
import {type Check, type CheckContext, firstClosed, named, READ_ONLY} from './index.ts';

/** What a client is told at a shut port. */
export type Refusal = 'port unreachable' | 'reset' | 'nothing';

/** What each verdict tells it (source/ruleset/build.ts). */
const REFUSALS: Readonly<Record<Verdict, Readonly<Record<Protocol, Refusal>>>> = {
	reject: {tcp: 'port unreachable', udp: 'port unreachable'},
	reset: {tcp: 'reset', udp: 'port unreachable'},
	drop: {tcp: 'nothing', udp: 'nothing'},
};

/** Milliseconds: the kernel of the copy answers before the sender's call returns. */
const TIMEOUT_MS = 250;

/** Whether what is shut is turned away as the policy chose: by the packets that come back. */
export async function runVerdictChecks(context: CheckContext): Promise<readonly Check[]> {
	const {testbed, policy, vantagePoint, opened} = context;
	const checks: Check[] = [];
	for (const protocol of ['tcp', 'udp'] as const) {
		const port = firstClosed(opened[protocol]);
		if (port === undefined) {
			continue;
		}

		const name = named(`what is shut is turned away, ${protocol.toUpperCase()}`, vantagePoint);
		const expected = REFUSALS[policy.verdict][protocol];
		const refusal = await observe(context, protocol, port);
		// The kernel sends so many errors a second (icmp_ratelimit), and a sweep takes them all.
		const spent = !testbed.adjustable && expected === 'port unreachable' && refusal === 'nothing';
		checks.push(
			refusal === expected
				? {name, result: 'ok', detail: ''}
				: spent
					? {name, result: 'untried', detail: READ_ONLY}
					: {
							name,
							result: 'failed',
							detail: `the client is told ${refusal}, and under ${policy.verdict} it is ${expected}`,
						},
		);
	}

	return checks;
}

/** Counts in the outside what comes back from one try. */
async function observe(
	{testbed, vantagePoint, here, there}: CheckContext,
	protocol: Protocol,
	port: number,
): Promise<Refusal> {
	const error =
		vantagePoint.family === 4
			? '-p icmp --icmp-type port-unreachable'
			: '-p ipv6-icmp --icmpv6-type port-unreachable';
	// An error bears the head of what it answers, by which conntrack knows what it is about.
	const about = `-m conntrack --ctstate RELATED --ctproto ${protocol} --ctorigdstport ${port}`;
	const [resets = 0, errors = 0] = await countWithIptables(
		testbed.outside,
		vantagePoint.family,
		[`-p tcp --sport ${port} --tcp-flags RST RST`, `${error} ${about}`].map((match) => ({
			...{table: 'filter', chain: 'INPUT', match},
		})),
		async () =>
			testbed.senders[vantagePoint.family].ask('ask', {
				...{protocol, source: there, target: here, port, timeout: TIMEOUT_MS},
			}),
	);
	return resets > 0 ? 'reset' : errors > 0 ? 'port unreachable' : 'nothing';
}
