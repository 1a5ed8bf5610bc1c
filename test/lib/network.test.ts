import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
	canonicalAddress,
	contains,
	type Family,
	type Network,
	normalizeAddress,
	parseAddress,
	parseNetwork,
	prefixBits,
} from '../../source/lib/network.ts';
import {addresses, networks} from '../_helpers/samples/arbitraries.ts';
import {inputErrorOf} from '../_helpers/samples/errors.ts';

/** An address as one number, read without the library under test. Takes no dots within IPv6. */
function toNumber(address: string): bigint {
	if (!address.includes(':')) {
		return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
	}

	const [head = '', tail] = address.split('::');
	const left = head.split(':').filter(Boolean);
	const right = (tail ?? '').split(':').filter(Boolean);
	const zeros = Array.from({length: 8 - left.length - right.length}, () => '0');
	return [...left, ...zeros, ...right].reduce(
		(sum, group) => sum * 65_536n + BigInt(`0x${group}`),
		0n,
	);
}

function rangeOf({cidr, family}: Network): readonly [bigint, bigint] {
	const [base = '', prefix = ''] = cidr.split('/');
	const size = 1n << BigInt((family === 4 ? 32 : 128) - Number(prefix));
	return [toNumber(base), toNumber(base) + size - 1n];
}

const families: ReadonlyArray<[Family, number]> = [
	[4, 32],
	[6, 128],
];

describe('parseNetwork', () => {
	it.each([
		['198.51.100.7', 4, '198.51.100.7/32'],
		['198.51.100.7/24', 4, '198.51.100.0/24'],
		['198.51.100.7/0', 4, '0.0.0.0/0'],
		['10.255.255.255/9', 4, '10.128.0.0/9'],
		['2001:DB8:0:0:0:0:0:1', 6, '2001:db8::1/128'],
		['2001:db8::ffff/112', 6, '2001:db8::/112'],
		['2001:0:0:1:0:0:0:1', 6, '2001:0:0:1::1/128'],
		['2001:db8:0:1:1:1:1:1', 6, '2001:db8:0:1:1:1:1:1/128'],
		['::', 6, '::/128'],
		['::/0', 6, '::/0'],
		['64:ff9b::192.0.2.33', 6, '64:ff9b::c000:221/128'],
		['::192.0.2.33/127', 6, '::c000:220/127'],
	])('reads %s', (text, family, cidr) => {
		expect(parseNetwork(text)).toEqual({family, cidr});
	});

	it.each([
		['300.1.1.1', 'not an IP address'],
		['10.1', 'not an IP address'],
		['167772161', 'not an IP address'],
		['0x7f.1', 'not an IP address'],
		['0x7f.0.0.1', 'not an IP address'],
		['010.0.0.1', 'not an IP address'],
		['1.2.3.4.5', 'not an IP address'],
		['1.2.3.4\n', 'not an IP address'],
		['fe80::1%eth0', 'not an IP address'],
		['fe80::1%25/64', 'not an IP address'],
		['[::1]', 'not an IP address'],
		['1::2::3', 'not an IP address'],
		['12345::', 'not an IP address'],
		['::1.2.3.256', 'not an IP address'],
		['example.org', 'not an IP address'],
		['', 'not an IP address'],
		['/8', 'not an IP address'],
		['10.0.0.0/', 'not a network'],
		['10.0.0.0/8/8', 'not a network'],
		['10.0.0.0/-1', 'not a network'],
		['10.0.0.0/8.0', 'not a network'],
		['10.0.0.0/255.0.0.0', 'not a network'],
		['10.0.0.0/0x8', 'not a network'],
		['10.0.0.0/33', 'at most /32'],
		['2001:db8::/129', 'at most /128'],
		['::ffff:192.0.2.1', 'IPv4 address written as IPv6'],
		['::ffff:c000:201', 'IPv4 address written as IPv6'],
		['::FFFF:0:0/96', 'IPv4 address written as IPv6'],
	])('refuses %j', (text, message) => {
		expect(inputErrorOf(() => parseNetwork(text)).message).toContain(message);
	});

	it('takes four numbers of a byte for IPv4, and nothing else without a colon', () => {
		const part = fc.oneof(
			fc.integer({min: 0, max: 300}).map(String),
			fc.constantFrom('', '00', '01', '0x1', '-1', '1e1', ' 1'),
		);
		fc.assert(
			fc.property(fc.array(part, {minLength: 3, maxLength: 5}), (parts) => {
				const bytes = parts.every((text) => /^(?:0|[1-9]\d*)$/.test(text) && Number(text) < 256);
				const text = parts.join('.');
				expect(normalizeAddress(text)).toBe(bytes && parts.length === 4 ? text : undefined);
			}),
			{numRuns: 2000},
		);
	});

	it('says how to write an IPv4-mapped address', () => {
		expect(inputErrorOf(() => parseNetwork('::ffff:192.0.2.1')).hint).toBe('Write 192.0.2.1');
	});

	it.each(families)('clears the host bits and keeps the rest, IPv%i', (family, width) => {
		const prefixes = fc.integer({min: 0, max: width});
		fc.assert(
			fc.property(addresses(family), prefixes, (address, prefix) => {
				const network = parseNetwork(`${address}/${prefix}`);
				const shift = BigInt(width - prefix);
				expect(network.family).toBe(family);
				expect(rangeOf(network)[0]).toBe((toNumber(address) >> shift) << shift);
				expect(network.cidr.endsWith(`/${prefix}`)).toBe(true);
				expect(parseNetwork(network.cidr)).toEqual(network);
			}),
			{numRuns: 1000},
		);
	});
});

describe('canonicalAddress', () => {
	it('gives every address one spelling, the shortest, as RFC 5952 wants', () => {
		fc.assert(
			fc.property(addresses(6), (address) => {
				const text = canonicalAddress(address);
				expect(toNumber(text)).toBe(toNumber(address));
				expect(text).toBe(spell6(toNumber(address)));
				expect(canonicalAddress(text.toUpperCase())).toBe(text);
			}),
			{numRuns: 1000},
		);
	});

	it('leaves IPv4 as it is', () => {
		expect(canonicalAddress('192.0.2.1')).toBe('192.0.2.1');
		expect(parseAddress('0.0.0.0').toString()).toBe('0.0.0.0');
	});
});

function covers(outer: Network | undefined, inner: Network | undefined): boolean {
	return prefixBits(inner).startsWith(prefixBits(outer));
}

describe('prefixBits and contains', () => {
	const any = networks();

	it('agree with comparing the numbers', () => {
		fc.assert(
			fc.property(any, any, (outer, inner) => {
				const [[low, high], [from, to]] = [rangeOf(outer), rangeOf(inner)];
				const base = inner.cidr.split('/')[0] ?? '';
				const sameFamily = outer.family === inner.family;
				expect(covers(outer, inner)).toBe(sameFamily && low <= from && to <= high);
				expect(contains(outer.cidr, base)).toBe(sameFamily && low <= from && from <= high);
			}),
			{numRuns: 2000},
		);
	});

	it.each(families)('see a network within each wider one of its own, IPv%i', (family) => {
		fc.assert(
			fc.property(networks([family]), fc.nat(), (inner, less) => {
				const [base = '', prefix = ''] = inner.cidr.split('/');
				const outer = parseNetwork(`${base}/${Math.max(0, Number(prefix) - (less % 129))}`);
				expect(covers(outer, inner)).toBe(true);
				expect(covers(inner, outer)).toBe(outer.cidr === inner.cidr);
			}),
		);
	});

	it('take an absent network for anywhere', () => {
		fc.assert(
			fc.property(any, (network) => {
				expect(covers(undefined, network)).toBe(true);
				expect(covers(network, undefined)).toBe(false);
			}),
		);
		expect(covers(undefined, undefined)).toBe(true);
	});
});

/** RFC 5952, section 4: lower case, no leading zeros, `::` for the first longest run of two or more. */
function spell6(number: bigint): string {
	const groups = number.toString(16).padStart(32, '0').match(/.{4}/g) ?? [];
	const short = groups.map((group) => group.replace(/^0{1,3}/, ''));
	let best = {start: 0, length: 1};
	for (const start of short.keys()) {
		let length = 0;
		while (short[start + length] === '0') {
			length += 1;
		}

		best = length > best.length ? {start, length} : best;
	}

	return best.length < 2
		? short.join(':')
		: `${short.slice(0, best.start).join(':')}::${short.slice(best.start + best.length).join(':')}`;
}
