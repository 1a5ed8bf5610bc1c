import process from 'node:process';
import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {restore} from '../../source/host/netfilter/iptables.ts';
import {FAMILIES, parseNetwork} from '../../source/lib/network.ts';
import {completePolicy, type Policy, policyFlags, VERDICTS} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {INSIDE, IPV6, joinedPair, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {networks, policies} from '../_helpers/samples/arbitraries.ts';
import {edgesOf, openedPorts, proofOf, spellPorts} from '../_helpers/samples/proofs.ts';
import {scan} from '../_helpers/traffic/scan.ts';

/** How many random policies: three verdicts and two backends each. */
const COUNT = Number(process.env.FWW_POLICIES ?? 1);
/** Ports that no policy names, which nmap looks at as well. */
const STRAY = 20;

const POLICIES = policies({
	interfaces: fc.constantFrom('eth0', 'wg0'),
	networks: fc.oneof(
		networks(),
		fc
			.constantFrom('10.0.0.0/8', '198.51.100.0/30', '198.51.100.2', '2001:db8::/64', '::/0')
			.map(parseNetwork),
	),
}).map((policy) => completePolicy({...policy, openings: policy.openings.slice(0, 6)}));

const CASES = fc
	.sample(
		fc.tuple(
			POLICIES,
			fc.array(fc.integer({min: 1, max: 65_535}), {minLength: STRAY, maxLength: STRAY}),
		),
		COUNT,
	)
	.map(([policy, stray], index) => ({policy, stray, index}));

type Pair = {readonly target: Host; readonly probe: Host};

describe('what passes is exactly what the policy says', () => {
	const lab = useLab();
	let pairs: readonly Pair[];

	beforeAll(async () => {
		pairs = await Promise.all(BACKENDS.map(async (backend) => joinedPair(lab, backend)));
	});

	describe.each(CASES)('policy $index', ({policy, stray}) => {
		test.each(VERDICTS)(
			'%s',
			async (verdict) => {
				const wanted = {...policy, verdict};
				// The usual run has one of the backends for each verdict.
				const chosen = pairs.filter(
					(_, index) => rounds(0, 1) === 1 || index === VERDICTS.indexOf(verdict) % pairs.length,
				);
				await Promise.all(
					chosen.map(async (pair) => {
						await comparePackets(pair, wanted);
						await compareNmap(pair, wanted, stray);
					}),
				);
			},
			120_000,
		);
	});
});

/** Every port, by our own packets. */
async function comparePackets({target}: Pair, policy: Policy): Promise<void> {
	const report = await proofOf(target, policy);
	const about = describePolicy(policy);
	for (const {vantage, passed} of report.views) {
		for (const protocol of ['tcp', 'udp'] as const) {
			expect(
				spellPorts(passed[protocol]),
				`${protocol} from ${vantage.source} on ${vantage.inInterface}, ${about}`,
			).toBe(openedPorts(policy, vantage, protocol));
		}
	}

	expect(report.views.map(({vantage}) => vantage.family)).toEqual(expect.arrayContaining([4, 6]));
	expect(
		report.checks.filter(({result}) => result === 'failed'),
		about,
	).toEqual([]);
	expect(report.proven, about).toBe(true);
}

/** The edges of the openings and some other ports, by nmap's: every one of them has a service. */
async function compareNmap(
	{target, probe}: Pair,
	policy: Policy,
	stray: readonly number[],
): Promise<void> {
	// A scan of a range takes more connections than a rate limit allows.
	const unlimited = completePolicy({
		...policy,
		openings: policy.openings.map((opening) =>
			opening.kind === 'port' ? {...opening, limit: false} : opening,
		),
	});
	for (const rules of buildRuleSet(unlimited, {families: FAMILIES}).families) {
		const {family} = rules;
		const empty = ['filter', 'raw'].map((table) => `*${table}\n-F\nCOMMIT\n`).join('');
		for (const text of [empty, printRestore(rules)]) {
			expect(await restore(family, text, target.run)).toBeUndefined();
		}
	}

	const ports = [...new Set([...edgesOf(policy), ...stray])].sort((a, b) => a - b);
	const services = await serve(target, ...ports.flatMap((port) => [`tcp:${port}`, `udp:${port}`]));
	const looks = [INSIDE, OUTSIDE, IPV6].flatMap((initSystem) =>
		(
			[
				['tcp', '-sS'],
				['udp', '-sU'],
			] as const
		).map((kind) => ({...initSystem, kind})),
	);
	await Promise.all(
		looks.map(async ({target: address, probe: source, kind: [protocol, kind]}) => {
			const origin = {family: address.includes(':') ? 6 : 4, source, inInterface: 'eth0'} as const;
			const seen = await scan(probe, address, [kind, '-p', ports.join(',')], protocol);
			expect(
				spellPorts((seen.ports.open ?? []).map((port) => ({first: port, last: port}))),
				`nmap ${kind} from ${source}, ${describePolicy(policy)}`,
			).toBe(openedPorts(policy, origin, protocol, ports));
		}),
	);
	await services.stop();
}

function describePolicy(policy: Policy): string {
	return `FWW_SEED=${fc.readConfigureGlobal().seed}: ${policyFlags(policy).join(' ')}`;
}
