import type {Verdict} from '../policy/policy.ts';
import type {Protocol} from '../policy/services.ts';
import {type Check, firstShut, named, type Stage} from './dialogues.ts';
import type {Namespace} from './namespace.ts';

/** What a client is told at a shut port. */
export type Refusal = 'port unreachable' | 'reset' | 'nothing';

/** What each verdict tells it (source/ruleset/build.ts). */
const REFUSALS: Readonly<Record<Verdict, Readonly<Record<Protocol, Refusal>>>> = {
	reject: {tcp: 'port unreachable', udp: 'port unreachable'},
	reset: {tcp: 'reset', udp: 'port unreachable'},
	drop: {tcp: 'nothing', udp: 'nothing'},
};

const TABLE = 'fw_wizard_refusals';
/** Milliseconds: the kernel of the copy answers before the sender's call returns. */
const PATIENCE = 250;

/** Whether what is shut is turned away as the policy chose: by the packets that come back. */
export async function refusals(stage: Stage): Promise<readonly Check[]> {
	const {policy, vantage, opened} = stage;
	const checks: Check[] = [];
	for (const protocol of ['tcp', 'udp'] as const) {
		const port = firstShut(opened[protocol]);
		if (port === undefined) {
			continue;
		}

		const name = named(`what is shut is turned away, ${protocol.toUpperCase()}`, vantage);
		const expected = REFUSALS[policy.verdict][protocol];
		const refusal = await observe(stage, protocol, port);
		checks.push(
			refusal === expected
				? {name, result: 'ok', detail: ''}
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
	// An error bears the head of what it answers (RFC 792, RFC 4443): its protocol and port, in bits.
	const number = protocol === 'tcp' ? 6 : 17;
	const error =
		vantage.family === 4
			? `icmp type destination-unreachable icmp code port-unreachable @th,136,8 ${number} @th,240,16 ${port}`
			: `icmpv6 type destination-unreachable icmpv6 code port-unreachable @th,112,8 ${number} @th,400,16 ${port}`;
	await nft(world.outside, [
		`table inet ${TABLE} { chain back { type filter hook prerouting priority raw - 10;`,
		`tcp sport ${port} tcp flags & rst == rst counter;`,
		`${error} counter;`,
		'}; }',
	]);
	await world.senders[vantage.family].ask('ask', {
		...{protocol, source: there, target: here, port, timeout: PATIENCE},
	});
	const {stdout} = await world.outside.run('nft', ['list', 'table', 'inet', TABLE]);
	await nft(world.outside, [`delete table inet ${TABLE}`]);
	const [resets = 0, errors = 0] = [...stdout.matchAll(/packets (\d+)/g)].map(([, count]) =>
		Number(count),
	);
	return resets > 0 ? 'reset' : errors > 0 ? 'port unreachable' : 'nothing';
}

async function nft(namespace: Namespace, lines: readonly string[]): Promise<void> {
	await namespace.run('nft', ['-f', '-'], {input: `${lines.join('\n')}\n`});
}
