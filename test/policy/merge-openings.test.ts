import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {contains, FAMILIES} from '../../source/lib/network.ts';
import {joinProtocols, mergeOpenings} from '../../source/policy/merge-openings.ts';
import {
	isDiscovery,
	type Opening,
	type PortOpening,
	type ProtocolOpening,
	printOpening,
} from '../../source/policy/opening.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {defaultPolicy} from '../../source/policy/policy.ts';
import {networksOf, sourceBits} from '../../source/policy/sources.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {evaluate} from '../../source/ruleset/evaluate.ts';
import {firstPacket, stretches} from '../../source/ruleset/evaluate-ports.ts';
import type {FamilyRules, Rule} from '../../source/ruleset/model.ts';
import type {Packet} from '../../source/ruleset/packet.ts';
import {crowdedOpenings, openings} from '../_helpers/samples/arbitraries.ts';
import {countCalls} from '../_helpers/samples/count-calls.ts';

const read = (texts: readonly string[]) => texts.flatMap((text) => parseOpening(text, new Map()));
const merge = (...texts: readonly string[]) => mergeOpenings(read(texts)).map(printOpening);

/** One address inside and outside of each network that `crowdedOpenings` draws. */
const SOURCES = ['10.1.2.3', '10.1.9.9', '10.9.9.9', '192.0.2.1', 'fd00::1', '2001:db8::1'];
const INTERFACES = ['eth0', 'wg0', 'other'];

/** Ports that `crowdedOpenings` does not name, beside all that it does. */
const SCTP_PORTS = Array.from({length: 20}, (_, port) => port);

/** What is open without a limit. */
const FREE = 'free';

/**
 * What a list opens, by trying each and every packet: `FREE`, or the counters that may each let the
 * packet in. Openings of the same ports share a counter, which counts each source by itself.
 */
function openedBy(list: readonly Opening[]): ReadonlyMap<string, readonly string[]> {
	const found = new Map<string, readonly string[]>();
	const add = (packet: string, counter: string) => {
		const all = new Set([...(found.get(packet) ?? []), counter]);
		found.set(packet, all.has(FREE) ? [FREE] : [...all].sort());
	};
	for (const opening of list) {
		for (const on of INTERFACES.filter((name) => opening.on === undefined || opening.on === name)) {
			if (isDiscovery(opening)) {
				add(`${opening.kind} on ${on}`, FREE);
				continue;
			}

			const {from} = opening;
			const sources = SOURCES.filter(
				(source) => (from && networksOf(from))?.some(({cidr}) => contains(cidr, source)) ?? true,
			);
			if (opening.kind === 'protocol') {
				const {number, families} = opening.protocol;
				// What opens SCTP as a whole opens each of its ports.
				const names = number === 132 ? SCTP_PORTS.map((port) => `sctp ${port}`) : [`ip ${number}`];
				for (const source of sources.filter((source) =>
					families.some((family) => source.includes(':') === (family === 6)),
				)) {
					for (const name of names) {
						add(`${name} from ${source} on ${on}`, FREE);
					}
				}

				continue;
			}

			const {protocol, first, last, limit} = opening;
			for (const source of sources) {
				for (const name of protocol === 'both' ? ['tcp', 'udp'] : [protocol]) {
					for (let port = first; port <= last; port += 1) {
						add(
							`${name} ${port} from ${source} on ${on}`,
							limit ? `${name} ${first}-${last}` : FREE,
						);
					}
				}
			}
		}
	}

	return found;
}

/** Whether openings that overlap may become one, for a source that both have: under a limit also their ports are the same. */
function isScope(a: PortOpening, b: PortOpening): boolean {
	const scopeOf = ({on, limit, first, last}: PortOpening) =>
		`${on} ${limit ? `${first}-${last}` : 'free'}`;
	return (
		scopeOf(a) === scopeOf(b) &&
		(a.from?.map(sourceBits).some((one) => b.from?.map(sourceBits).includes(one)) ??
			b.from === undefined)
	);
}

/** The same by the evaluator: it is asked again without each limited rule that let the packet in. */
function countersOf(rules: FamilyRules, packet: Packet): readonly string[] {
	const {by, verdict} = evaluate(rules, packet);
	const limit = by?.rule.match.hashlimit;
	if (verdict !== 'ACCEPT' || limit === undefined) {
		return verdict === 'ACCEPT' ? [FREE] : [];
	}

	const others = countersOf(withoutRule(rules, by?.rule), packet);
	return others.includes(FREE) ? others : [...new Set([limit.name, ...others])].sort();
}

function withoutRule({family, tables}: FamilyRules, rule: Rule | undefined): FamilyRules {
	return {
		family,
		tables: tables.map((table) => ({
			...table,
			chains: table.chains.map((chain) => ({
				...chain,
				rules: chain.rules.filter((other) => other !== rule),
			})),
		})),
	};
}

function overlap(a: PortOpening, b: PortOpening): boolean {
	const other = a.protocol === 'both' ? b.protocol : a.protocol;
	const sameProtocol =
		a.protocol === b.protocol ||
		((a.protocol === 'both' || b.protocol === 'both') && other !== 'sctp');
	return sameProtocol && a.first <= b.last && b.first <= a.last;
}

/** Whether two openings of a protocol have a source in common, or are both for all. */
function isWhole(a: ProtocolOpening, b: ProtocolOpening): boolean {
	return (
		a.protocol.name === b.protocol.name &&
		(a.from?.map(sourceBits).some((one) => b.from?.map(sourceBits).includes(one)) ??
			b.from === undefined)
	);
}

describe('mergeOpenings', () => {
	it.each<[readonly string[], readonly string[]]>([
		[['22/tcp', '22/tcp'], ['22/tcp']],
		[
			['53/tcp', '80/tcp', '53/udp'],
			['53', '80/tcp'],
		],
		[
			['80/tcp', '53', '53/udp'],
			['80/tcp', '53'],
		],
		[['20-30/tcp', '25-40/tcp', '22/tcp'], ['20-40/tcp']],
		[
			['1-5/tcp', '6-10/tcp'],
			['1-5/tcp', '6-10/tcp'],
		],
		[
			['1-10', '5-15/tcp'],
			['1-15/tcp', '1-10/udp'],
		],
		[['22/tcp from 10.1.0.0/16', '22/tcp from 10.0.0.0/8'], ['22/tcp from 10.0.0.0/8']],
		[['22/tcp from 10.0.0.0/8', '22/tcp'], ['22/tcp']],
		[['22/tcp from 0.0.0.0/0', '22/tcp from ::/0'], ['22/tcp from 0.0.0.0/0, ::/0']],
		[
			[
				'80/tcp from 10.0.0.0/8',
				'443/tcp',
				'80/tcp from fd00::/8, 10.1.2.3, ::1',
				'80/udp from ::1',
			],
			['80/tcp from 10.0.0.0/8, fd00::/8, ::1', '443/tcp', '80/udp from ::1'],
		],
		[
			['80/tcp from 10.0.0.0/8, ::1 limit', '80/udp from ::1, 10.0.0.0/8 limit', '80/tcp from ::2'],
			['80 from 10.0.0.0/8, ::1 limit', '80/tcp from ::2'],
		],
		[
			['20-30/tcp from 10.0.0.1, 10.0.0.2', '25-40/tcp from 10.0.0.1'],
			['20-40/tcp from 10.0.0.1', '20-30/tcp from 10.0.0.2'],
		],
		[
			['esp from 10.0.0.0/8', '6in4 from 10.0.0.1', 'esp from ::1', 'protocol 41 from ::1'],
			['esp from 10.0.0.0/8, ::1', '6in4 from 10.0.0.1', 'protocol 41 from ::1'],
		],
		[['22/tcp on eth0', '22/tcp'], ['22/tcp']],
		[
			['22/tcp on eth0', '22/tcp on wg0'],
			['22/tcp on eth0', '22/tcp on wg0'],
		],
		[
			['22/tcp on br-+', '22/tcp on br-0123456789ab', '22/tcp on br-0+', '22/tcp on bridge'],
			['22/tcp on br-+', '22/tcp on bridge'],
		],
		[['22/tcp limit', '22/tcp'], ['22/tcp']],
		[
			['22/tcp limit', '22/tcp from 10.0.0.0/8'],
			['22/tcp limit', '22/tcp from 10.0.0.0/8'],
		],
		[['22/tcp limit from 10.0.0.0/8', '22/tcp limit'], ['22/tcp limit']],
		// Six connections a minute to each of these, not to all of them together.
		[
			['20-25/tcp limit', '26-30/tcp limit'],
			['20-25/tcp limit', '26-30/tcp limit'],
		],
		[
			['20-25/tcp limit', '23-30/tcp limit'],
			['20-25/tcp limit', '23-30/tcp limit'],
		],
		[
			['22/tcp limit', '20-30/tcp limit'],
			['22/tcp limit', '20-30/tcp limit'],
		],
		[['22/tcp limit', '22/udp limit', '22/tcp limit'], ['22 limit']],
		[['22/tcp limit', '20-30/tcp'], ['20-30/tcp']],
		[
			['6in4', 'protocol 41 from 0.0.0.0/0', 'ah from 0.0.0.0/0', 'ah', 'ah from 10.0.0.0/8'],
			['6in4', 'ah from 0.0.0.0/0'],
		],
		[
			['6in4', 'protocol 41', '2905/sctp', 'esp on eth0', 'sctp', 'esp', 'vrrp on eth0'],
			['protocol 41', 'sctp', 'esp', 'vrrp on eth0'],
		],
		[
			['mdns', '22/tcp', 'mdns on eth0', 'ssdp on eth0', 'mdns'],
			['mdns', '22/tcp', 'ssdp on eth0'],
		],
		[
			['mdns on eth0', 'mdns on eth0', 'mdns on wg0'],
			['mdns on eth0', 'mdns on wg0'],
		],
		[[], []],
	])('%j become %j', (before, after) => {
		expect(merge(...before)).toEqual(after);
	});

	it('opens exactly what was open before, with the same counters', () => {
		fc.assert(
			fc.property(fc.array(crowdedOpenings, {maxLength: 10}), (list) => {
				expect(openedBy(mergeOpenings(list))).toEqual(openedBy(list));
			}),
			{numRuns: 800},
		);
	});

	it('gives rules that let in the same packets, by the same counters', () => {
		const limited = fc
			.tuple(crowdedOpenings, fc.boolean())
			.map(([opening, limit]) => (opening.kind === 'port' ? {...opening, limit} : opening));
		const lists = fc.array(limited, {minLength: 2, maxLength: 6});
		fc.assert(
			fc.property(lists, fc.constantFrom('tcp', 'udp'), (list, protocol) => {
				for (const family of FAMILIES) {
					const rulesOf = (openings: readonly Opening[]) =>
						buildRuleSet({...defaultPolicy('server'), openings}, {families: [family]})
							.families[0] as FamilyRules;
					const [before, after] = [rulesOf(list), rulesOf(mergeOpenings(list))];
					// What decides changes at the ports where an opening begins, or has just ended.
					const ports = new Set(stretches([before, after]).map(({first}) => first));
					for (const source of SOURCES.filter((one) => one.includes(':') === (family === 6))) {
						for (const inInterface of INTERFACES) {
							for (const port of ports) {
								const packet = firstPacket({family, inInterface, source}, protocol, port);
								expect(countersOf(after, packet)).toEqual(countersOf(before, packet));
							}
						}
					}
				}
			}),
			{numRuns: 150},
		);
	});

	it('leaves nothing to merge', () => {
		const lists = fc.oneof(
			fc.array(crowdedOpenings, {maxLength: 14}),
			fc.array(openings(), {maxLength: 20}),
		);
		fc.assert(
			fc.property(lists, (list) => {
				const merged = mergeOpenings(list);
				expect(mergeOpenings(merged)).toEqual(merged);
				const ports = merged.filter((opening) => opening.kind === 'port');
				for (const [index, opening] of ports.entries()) {
					const twins = ports
						.slice(index + 1)
						.filter((other) => isScope(other, opening) && overlap(opening, other));
					expect(twins.map(printOpening)).toEqual([]);
				}
			}),
			{numRuns: 1000},
		);
	});

	it('keeps the order: each opening stands where what it is made of first stood', () => {
		fc.assert(
			fc.property(fc.array(crowdedOpenings, {maxLength: 10}), (list) => {
				const places = mergeOpenings(list).map((opening) =>
					list.findIndex(
						(old) =>
							old.kind === opening.kind &&
							old.on === opening.on &&
							(old.kind === 'port' && opening.kind === 'port'
								? isScope(old, opening) && overlap(old, opening)
								: isDiscovery(old) ||
									(old.kind === 'protocol' &&
										opening.kind === 'protocol' &&
										isWhole(old, opening))),
					),
				);
				expect(places).toEqual([...places].sort((a, b) => a - b));
				expect(places).not.toContain(-1);
			}),
			{numRuns: 1000},
		);
	});

	it('does not change what it is given', () => {
		fc.assert(
			fc.property(fc.array(crowdedOpenings, {maxLength: 8}), (list) => {
				const before = structuredClone(list);
				mergeOpenings(list);
				expect(list).toEqual(before);
			}),
		);
	});

	it.each([
		['ports', (index: number) => `${(index * 37) % 60_000 || 1}/tcp`],
		['sources of one port', (index: number) => `22/tcp from 10.0.${index % 256}.${index >> 8}`],
		['IPv6 sources', (index: number) => `443 from 2001:db8:${index.toString(16)}::/48 limit`],
		['copies', () => '22/tcp from 2001:db8::/32 on eth0'],
	])('makes no more calls for 500 %s than to compare each two of them', (_, textOf) => {
		const list = read(Array.from({length: 500}, (_, index) => textOf(index)));
		const calls = countCalls(() => mergeOpenings(list));
		expect(calls).toBeGreaterThan(list.length);
		// Each has a part for TCP and one for UDP, and a comparison is a few calls.
		expect(calls).toBeLessThan(10 * list.length ** 2);
	});
});

describe('joinProtocols', () => {
	it('unites TCP and UDP of the same port only', () => {
		const tcp = {protocol: 'tcp', first: 53, last: 53} as const;
		const udp = {...tcp, protocol: 'udp'} as const;
		expect(joinProtocols([tcp, {...udp, last: 54}, udp])).toEqual([
			{...tcp, protocol: 'both'},
			{...udp, last: 54},
		]);
		expect(joinProtocols([tcp, {...udp, on: 'eth0'}])).toHaveLength(2);
		expect(joinProtocols([])).toEqual([]);
	});
});
