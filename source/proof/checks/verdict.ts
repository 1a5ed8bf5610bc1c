import type {Verdict} from '../../policy/policy.ts';
import type {Protocol} from '../../policy/services.ts';
import {tally} from '../count-iptables.ts';
import {type Check, firstShut, named, READ_ONLY, type Stage} from './index.ts';

/** What a client is told at a shut port. */
export type Refusal = 'port unreachable' | 'reset' | 'nothing';

/** What each verdict tells it (source/ruleset/build.ts). */
const REFUSALS: Readonly<Record<Verdict, Readonly<Record<Protocol, Refusal>>>> = {
	reject: {tcp: 'port unreachable', udp: 'port unreachable'},
	reset: {tcp: 'reset', udp: 'port unreachable'},
	drop: {tcp: 'nothing', udp: 'nothing'},
};

/** Milliseconds: the kernel of the copy answers before the sender's call returns. */
const PATIENCE = 250;

/** Whether what is shut is turned away as the policy chose: by the packets that come back. */
export async function refusals(stage: Stage): Promise<readonly Check[]> {
	const {world, policy, vantage, opened} = stage;
	const checks: Check[] = [];
	for (const protocol of ['tcp', 'udp'] as const) {
		const port = firstShut(opened[protocol]);
		if (port === undefined) {
			continue;
		}

		const name = named(`what is shut is turned away, ${protocol.toUpperCase()}`, vantage);
		const expected = REFUSALS[policy.verdict][protocol];
		const refusal = await observe(stage, protocol, port);
		// The kernel sends so many errors a second (icmp_ratelimit), and a sweep takes them all.
		const spent = !world.adjustable && expected === 'port unreachable' && refusal === 'nothing';
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
	{world, vantage, here, there}: Stage,
	protocol: Protocol,
	port: number,
): Promise<Refusal> {
	const error =
		vantage.family === 4
			? '-p icmp --icmp-type port-unreachable'
			: '-p ipv6-icmp --icmpv6-type port-unreachable';
	// An error bears the head of what it answers, by which conntrack knows what it is about.
	const about = `-m conntrack --ctstate RELATED --ctproto ${protocol} --ctorigdstport ${port}`;
	const [resets = 0, errors = 0] = await tally(
		world.outside,
		vantage.family,
		[`-p tcp --sport ${port} --tcp-flags RST RST`, `${error} ${about}`].map((match) => ({
			...{table: 'filter', chain: 'INPUT', match},
		})),
		async () =>
			world.senders[vantage.family].ask('ask', {
				...{protocol, source: there, target: here, port, timeout: PATIENCE},
			}),
	);
	return resets > 0 ? 'reset' : errors > 0 ? 'port unreachable' : 'nothing';
}
