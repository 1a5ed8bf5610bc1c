import {FAMILIES, type Family} from '../../source/lib/network.ts';
import {sweep} from '../../source/proof/sweep.ts';
import type {VantagePoint} from '../../source/ruleset/evaluate-ports.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {loadSource, type RulesUnderTest} from '../../source/testbed/load-rules.ts';
import {useTestbed} from './use-testbed.ts';

/** What passes from each place: `tcp 22`, `udp 53`, … */
export type Passed = Readonly<Record<string, readonly string[]>>;

/** A copy of a machine with two interfaces, which several rule sets are loaded in, one after the other. */
type Sweeper = {
	readonly sweep: (
		rules: Readonly<Record<Family, string>>,
		ports: readonly number[],
	) => Promise<Passed>;
};

const INTERFACES = [
	{name: 'eth0', addresses: ['198.51.100.1/24', '2001:db8::1/64']},
	{name: 'eth1', addresses: ['192.168.7.1/24', '2001:db8:7::1/64']},
];

/** Strangers on both interfaces, and somebody in each of the networks that rules of the tests name. */
const VANTAGES: readonly VantagePoint[] = [
	{family: 4, inInterface: 'eth0', source: '203.0.113.77'},
	{family: 4, inInterface: 'eth1', source: '203.0.113.78'},
	{family: 4, inInterface: 'eth0', source: '10.1.2.3'},
	{family: 4, inInterface: 'eth0', source: '10.9.9.9'},
	{family: 6, inInterface: 'eth0', source: '2001:db8:77::77'},
	{family: 6, inInterface: 'eth1', source: '2001:db8:77::78'},
	{family: 6, inInterface: 'eth0', source: '2001:db8:a::5'},
];

/** To be called in a `describe` block. */
export function useSweeper(): Sweeper {
	const testbed = useTestbed(INTERFACES, VANTAGES);
	return {
		async sweep(rules, ports) {
			const loads: RulesUnderTest['loads'] = [
				{program: 'iptables-restore', args: ['-w', '10'], text: rules[4]},
				{program: 'ip6tables-restore', args: ['-w', '10'], text: rules[6]},
			];
			const parsed = FAMILIES.map((family) => parseSave(rules[family], family));
			await loadSource(
				testbed().machine,
				{loads, rules: parsed, nativeTables: [], unseen: []},
				FAMILIES,
			);
			const ranges = ports.map((port) => ({first: port, last: port}));
			const seen = await sweep(testbed(), VANTAGES, {ports: ranges});
			return Object.fromEntries(
				seen.map(({vantagePoint: {source, inInterface}, passed}) => [
					`${source} on ${inInterface}`,
					(['tcp', 'udp'] as const).flatMap((protocol) =>
						ports
							.filter((port) =>
								passed[protocol].some(({first, last}) => first <= port && port <= last),
							)
							.map((port) => `${protocol} ${port}`),
					),
				]),
			);
		},
	};
}
