import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {derive} from '../../source/exposure/derive.ts';
import {measureExposure} from '../../source/exposure/measure.ts';
import {planForExposure} from '../../source/exposure/vantage-points.ts';
import {FAMILIES, type Family} from '../../source/lib/network.ts';
import {subtractRanges} from '../../source/lib/port-ranges.ts';
import {completePolicy, type Policy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {plannedSource, type RulesUnderTest} from '../../source/testbed/load-rules.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';
import {HAND_MADE} from '../_helpers/samples/existing-rules.ts';

const INTERFACES = [
	{name: 'eth0', addresses: ['192.0.2.1/24', '2001:db8::1/64']},
	{name: 'wg0', addresses: ['10.9.0.1/24']},
];
const PROTOCOLS = ['tcp', 'udp'] as const;
const POLICIES = fc
	.sample(policies({interfaces: fc.constantFrom('eth0', 'wg0')}), 6)
	.map((policy) => completePolicy({...policy, openings: policy.openings.slice(0, 6)}));

/** Rules of iptables, one text for each family. */
function sourceOf(texts: Readonly<Record<Family, string>>): RulesUnderTest {
	return {
		loads: FAMILIES.map((family) => ({
			program: family === 4 ? 'iptables-restore' : 'ip6tables-restore',
			args: [],
			text: texts[family],
		})),
		rules: FAMILIES.map((family) => parseSave(texts[family], family)),
		nativeTables: [],
		unseen: [],
	};
}

const filter = (...rules: readonly string[]) =>
	['*filter', ':INPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');

async function vantagePointsFor(source: RulesUnderTest, policy?: Policy) {
	const plan = await planForExposure(INTERFACES, FAMILIES, policy, source, undefined, new Set());
	return plan.vantagePoints;
}

/** From each place: what the rules say, and what packets to a copy of this machine found. */
async function both(source: RulesUnderTest, policy?: Policy) {
	const vantagePoints = await vantagePointsFor(source, policy);
	const {before} = await measureExposure(
		INTERFACES,
		vantagePoints,
		source,
		undefined,
		[22, 80, 5353],
	);
	return vantagePoints.map((place, index) => ({
		place: `${place.name} IPv${place.family}`,
		derived: derive(place, source),
		tried: before[index],
	}));
}

describe('what is derived from rules alone is what packets find', () => {
	test.each(POLICIES)('random policy %#', async (policy) => {
		const source = plannedSource(buildRuleSet(policy, {families: FAMILIES}));
		for (const {place, derived, tried} of await both(source, policy)) {
			for (const protocol of PROTOCOLS) {
				const where = `${protocol}, ${place}, ${JSON.stringify(policy)}`;
				const wrong = subtractRanges(derived.open[protocol], tried?.open[protocol] ?? []);
				expect(wrong, where).toEqual([]);
				const missed = subtractRanges(tried?.open[protocol] ?? [], [
					...derived.open[protocol],
					...derived.unknown[protocol],
				]);
				expect(missed, where).toEqual([]);
				if (policy.openings.every((opening) => opening.kind !== 'port' || !opening.limit)) {
					expect(derived.unknown[protocol], where).toEqual([]);
				}
			}
		}
	});

	test('a hand-made firewall', async () => {
		const texts = {4: HAND_MADE.iptables, 6: HAND_MADE.ip6tables};
		const compared = await both(sourceOf(texts));
		expect(compared.length).toBeGreaterThan(1);
		for (const {place, derived, tried} of compared) {
			expect({place, ...derived.open}).toEqual({place, ...tried?.open});
			expect({place, ...derived.unknown}).toEqual({place, tcp: [], udp: []});
		}
	});
});

describe('what rules alone do not say is unknown', () => {
	const REJECTING = filter('-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -j REJECT');
	const at = async (source: RulesUnderTest) => {
		const place = (await vantagePointsFor(source)).find(({family}) => family === 4);
		return place && derive(place, source);
	};
	const ALL = [{first: 1, last: 65_535}];
	const SSH = [{first: 22, last: 22}];

	test('beside tables of nftables, which may shut what the rules let in', async () => {
		const source = sourceOf({4: REJECTING, 6: REJECTING});
		expect(await at(source)).toMatchObject({open: {tcp: SSH}, unknown: {tcp: []}});
		for (const more of [{nativeTables: ['inet shop']}, {unseen: ['tables of nftables']}]) {
			expect(await at({...source, ...more})).toMatchObject({open: {tcp: []}, unknown: {tcp: SSH}});
		}
	});

	test('where a rule ahead of the filter table sends ports elsewhere', async () => {
		const nat =
			'*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 22\nCOMMIT\n';
		const source = sourceOf({4: nat + REJECTING, 6: REJECTING});
		expect(await at(source)).toMatchObject({open: {tcp: []}, unknown: {tcp: ALL}});
	});

	test('where a match is not modelled, but not behind it', async () => {
		const rules = filter(
			'-A INPUT -p tcp -m tcp --dport 22 -m time --timestart 08:00:00 --timestop 18:00:00 --kerneltz -j ACCEPT',
			'-A INPUT -j REJECT',
		);
		const source = sourceOf({4: rules, 6: rules});
		expect(await at(source)).toMatchObject({open: {tcp: []}, unknown: {tcp: SSH, udp: []}});
	});
});
