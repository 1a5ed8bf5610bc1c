import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {contains} from '../../source/lib/network.ts';
import {joinProtocols, mergeOpenings} from '../../source/policy/merge-openings.ts';
import {type Opening, type PortOpening, printOpening} from '../../source/policy/opening.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {crowdedOpenings, openings} from '../_helpers/samples/arbitraries.ts';
import {countCalls} from '../_helpers/samples/count-calls.ts';

const read = (texts: readonly string[]) => texts.flatMap((text) => parseOpening(text, new Map()));
const merge = (...texts: readonly string[]) => mergeOpenings(read(texts)).map(printOpening);

/** One address inside and outside of each network that `crowdedOpenings` draws. */
const SOURCES = ['10.1.2.3', '10.1.9.9', '10.9.9.9', '192.0.2.1', 'fd00::1', '2001:db8::1'];
const INTERFACES = ['eth0', 'wg0', 'other'];

/** Everything that a list lets in, and whether it is held to a rate; by trying each and every packet. */
function letIn(list: readonly Opening[]): ReadonlySet<string> {
	const found = new Set<string>();
	for (const opening of list) {
		for (const on of INTERFACES.filter((name) => opening.on === undefined || opening.on === name)) {
			if (opening.kind === 'mdns') {
				found.add(`mdns on ${on}`);
				continue;
			}

			const {from, protocol, first, last, limit} = opening;
			const sources = SOURCES.filter((source) => from === undefined || contains(from.cidr, source));
			for (const source of sources) {
				for (const name of protocol === 'both' ? ['tcp', 'udp'] : [protocol]) {
					for (let port = first; port <= last; port += 1) {
						// Without a limit it is let in with one as well: the first packets pass both.
						found.add(`${name} ${port} from ${source} on ${on} limit`);
						found.add(`${name} ${port} from ${source} on ${on}${limit ? ' limit' : ''}`);
					}
				}
			}
		}
	}

	return found;
}

function scopeOf({from, on, limit}: PortOpening): string {
	return `${from?.cidr} ${on} ${limit}`;
}

function overlap(a: PortOpening, b: PortOpening): boolean {
	const sameProtocol = a.protocol === b.protocol || a.protocol === 'both' || b.protocol === 'both';
	return sameProtocol && a.first <= b.last && b.first <= a.last;
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
		[
			['22/tcp from 0.0.0.0/0', '22/tcp from ::/0'],
			['22/tcp from 0.0.0.0/0', '22/tcp from ::/0'],
		],
		[['22/tcp on eth0', '22/tcp'], ['22/tcp']],
		[
			['22/tcp on eth0', '22/tcp on wg0'],
			['22/tcp on eth0', '22/tcp on wg0'],
		],
		[['22/tcp limit', '22/tcp'], ['22/tcp']],
		[
			['22/tcp limit', '22/tcp from 10.0.0.0/8'],
			['22/tcp limit', '22/tcp from 10.0.0.0/8'],
		],
		[['22/tcp limit from 10.0.0.0/8', '22/tcp limit'], ['22/tcp limit']],
		[
			['mdns', '22/tcp', 'mdns on eth0', 'mdns'],
			['mdns', '22/tcp'],
		],
		[
			['mdns on eth0', 'mdns on eth0', 'mdns on wg0'],
			['mdns on eth0', 'mdns on wg0'],
		],
		[[], []],
	])('%j become %j', (before, after) => {
		expect(merge(...before)).toEqual(after);
	});

	it('lets in exactly what was let in before, at the same rate', () => {
		fc.assert(
			fc.property(fc.array(crowdedOpenings, {maxLength: 10}), (list) => {
				expect(letIn(mergeOpenings(list))).toEqual(letIn(list));
			}),
			{numRuns: 800},
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
						.filter((other) => scopeOf(other) === scopeOf(opening) && overlap(opening, other));
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
							(old.kind === 'mdns' ||
								opening.kind === 'mdns' ||
								(scopeOf(old) === scopeOf(opening) && overlap(old, opening))),
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
