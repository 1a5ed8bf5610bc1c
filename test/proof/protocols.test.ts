import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {contains, FAMILIES, parseNetwork} from '../../source/lib/network.ts';
import {SCTP} from '../../source/policy/ip-protocols.ts';
import {isDiscovery, type Opening, printOpening} from '../../source/policy/opening.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, type Policy} from '../../source/policy/policy.ts';
import {networksOf} from '../../source/policy/sources.ts';
import {type ProtocolChecks, runProtocolChecks} from '../../source/proof/protocols.ts';
import {isProven} from '../../source/proof/report.ts';
import type {NamedVantagePoint} from '../../source/proof/vantage-points.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {
	loadAll,
	loadSource,
	plannedSource,
	type RulesUnderTest,
	readLoaded,
} from '../../source/testbed/load-rules.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {openings} from '../_helpers/samples/arbitraries.ts';
import {useTestbed} from './use-testbed.ts';

const INTERFACES = [
	{name: 'eth0', addresses: ['198.51.100.1/24', '2001:db8::1/64']},
	{name: 'wg0', addresses: ['192.168.7.1/24', '2001:db8:7::1/64']},
];

const anywhere = (family: 4 | 6, inInterface: string, source: string): NamedVantagePoint => ({
	...{kind: 'anywhere', name: `anywhere on ${inInterface}`},
	...{family, inInterface, source},
});
const within = (family: 4 | 6, name: string, source: string): NamedVantagePoint => ({
	...{kind: 'client', name, family, inInterface: 'eth0', source},
});
const VANTAGE_POINTS: readonly NamedVantagePoint[] = [
	anywhere(4, 'eth0', '203.0.113.77'),
	anywhere(4, 'wg0', '203.0.113.78'),
	within(4, '10.0.0.0/8', '10.1.2.3'),
	anywhere(6, 'eth0', '2001:db8:77::77'),
	anywhere(6, 'wg0', '2001:db8:77::78'),
	within(6, 'fd00::/8', 'fd00::5'),
];

/** Policies that are about protocols without ports, for these vantage points. */
const POLICIES = fc
	.array(
		openings({
			interfaces: fc.constantFrom('eth0', 'wg0'),
			networks: fc.constantFrom('10.0.0.0/8', 'fd00::/8', '0.0.0.0/0').map(parseNetwork),
		}).filter(
			(opening) =>
				opening.kind === 'protocol' || (opening.kind === 'port' && opening.protocol === 'sctp'),
		),
		{minLength: 1, maxLength: 6},
	)
	.map((list) => completePolicy({openings: list}));

/** The names of what passes, straight from the openings: no rule decides here. */
function isOpen(
	policy: Policy,
	{family, source, inInterface}: NamedVantagePoint,
	matches: (opening: Opening) => boolean,
): boolean {
	return policy.openings.some(
		(opening) =>
			!isDiscovery(opening) &&
			(opening.on === undefined || opening.on === inInterface) &&
			((opening.from && networksOf(opening.from))?.some(({cidr}) => contains(cidr, source)) ??
				true) &&
			(opening.kind === 'port' || opening.protocol.families.includes(family)) &&
			matches(opening),
	);
}

describe('the proof of protocols without ports', () => {
	const testbed = useTestbed(INTERFACES, VANTAGE_POINTS);

	/** Loads the rules of a policy in place of those before, changes them, and proves them. */
	async function proveIn(policy: Policy, ...faults: readonly string[]): Promise<ProtocolChecks> {
		const ruleSet = buildRuleSet(policy, {families: FAMILIES});
		const planned = plannedSource(ruleSet);
		const loads = planned.loads.map((load) => ({...load, args: ['-w', '10']}));
		await testbed().machine.run('sh', ['-c', 'iptables -t raw -F; ip6tables -t raw -F']);
		await loadSource(testbed().machine, {...planned, loads}, FAMILIES);
		await loadAll(
			testbed().machine,
			faults.map((command) => ({program: 'sh', args: ['-c', command], text: ''})),
		);
		const loaded: RulesUnderTest = await readLoaded(testbed().machine, FAMILIES);
		return runProtocolChecks(testbed(), VANTAGE_POINTS, policy, ruleSet, loaded);
	}

	test('finds that exactly what random policies open passes', async () => {
		for (const policy of fc.sample(POLICIES, rounds(6, 60))) {
			const {checks, passed} = await proveIn(policy);
			const about = policy.openings.map(printOpening).join(', ');
			expect(
				checks.filter(({result}) => result !== 'ok'),
				about,
			).toEqual([]);
			expect([...passed.keys()], about).toEqual(VANTAGE_POINTS);
			for (const [vantagePoint, names] of passed) {
				const opened = policy.openings.flatMap((opening) =>
					opening.kind === 'protocol' && opening.protocol.number !== SCTP
						? [opening.protocol.number]
						: [],
				);
				const numbers = [...new Set(opened)].filter((number) =>
					isOpen(
						policy,
						vantagePoint,
						(opening) => opening.kind === 'protocol' && opening.protocol.number === number,
					),
				);
				const others = names.filter((name) => !name.endsWith('/sctp'));
				expect(others, `${about}, ${vantagePoint.name}, ${vantagePoint.family}`).toHaveLength(
					numbers.length,
				);
				const port = 9;
				const whole = isOpen(policy, vantagePoint, (opening) =>
					opening.kind === 'port'
						? opening.first <= port && port <= opening.last
						: opening.kind === 'protocol' && opening.protocol.number === SCTP,
				);
				expect(names.includes('9/sctp'), about).toBe(whole);
			}
		}
	}, 240_000);

	test('finds what passes beside the policy, and what does not, and names the rule', async () => {
		const policy = completePolicy({
			openings: parseOpenings('vrrp, esp from 10.0.0.0/8, 2905/sctp, 6in4, gre on wg0', new Map()),
		});
		expect(isProven({views: [], ...(await proveIn(policy)), ...NOTHING_ELSE})).toBe(true);
		const {checks} = await proveIn(
			policy,
			'iptables -I INPUT 1 -p 89 -j ACCEPT',
			'iptables -D FW-WIZARD-INPUT -p 112 -j ACCEPT',
			'iptables -I INPUT 2 -p sctp --dport 2906 -j ACCEPT',
			'ip6tables -I INPUT 1 -p sctp --dport 2905 -j DROP',
			'ip6tables -t raw -I PREROUTING -p 47 -i wg0 -j DROP',
		);
		const failed = checks.filter(({result}) => result === 'failed');
		expect(failed.map(({name, detail}) => `${name}: ${detail}`)).toEqual([
			expect.stringMatching(
				/^IPv4: from anywhere on eth0, .* only 6in4, VRRP, 2905\/sctp pass: OSPF passes \(rule 1 of INPUT\), VRRP does not pass \(rule \d+ of FW-WIZARD-INPUT\), VRRP to 224.0.0.18 does not pass \(rule \d+ of FW-WIZARD-INPUT\), 2906\/sctp passes \(rule 2 of INPUT\)$/,
			),
			expect.stringContaining('IPv4: from anywhere on wg0'),
			expect.stringMatching(/^IPv4: from 10.0.0.0\/8, .* only 6in4, ESP, VRRP, 2905\/sctp pass/),
			expect.stringMatching(
				/^IPv6: from anywhere on eth0.*: 2905\/sctp does not pass \(rule 1 of INPUT\)$/,
			),
			// A rule of raw dropped it, which is not among those that decide in INPUT.
			expect.stringMatching(
				/^IPv6: from anywhere on wg0.*: GRE does not pass, 2905\/sctp does not/,
			),
			expect.stringContaining('IPv6: from fd00::/8'),
		]);
	}, 120_000);

	test('sends to the multicast groups of what is opened, which other rules may treat alone', async () => {
		const policy = completePolicy({openings: parseOpenings('vrrp, ospf, mdns', new Map())});
		expect((await proveIn(policy)).checks.map(({result}) => result)).toEqual(
			VANTAGE_POINTS.map(() => 'ok'),
		);
		const {checks} = await proveIn(
			policy,
			'iptables -I INPUT 1 -m pkttype --pkt-type multicast -j DROP',
			'ip6tables -I INPUT 1 -d ff02::12 -j DROP',
		);
		const [ipv4, , , ipv6] = checks.map(
			({name, result, detail}) => `${name}, ${result}: ${detail}`,
		);
		expect(ipv4).toMatch(
			/^IPv4: from anywhere on eth0, of protocols without ports only OSPF, VRRP pass, failed: IGMP to 224\.0\.0\.1 does not pass.*, OSPF to 224\.0\.0\.5 does not pass.*, VRRP to 224\.0\.0\.18 does not pass/,
		);
		expect(ipv6).toMatch(
			/OSPF, VRRP pass, failed: VRRP to ff02::12 does not pass \(rule 1 of INPUT\)$/,
		);
	}, 120_000);
});

const NOTHING_ELSE = {untried: [], leftOut: [], probes: 0, seconds: 0};
