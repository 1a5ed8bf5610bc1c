import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {contains, parseNetwork, stripPrefixLength} from '../../source/lib/network.ts';
import {closeOpenings} from '../../source/policy/close-openings.ts';
import {addOpenings} from '../../source/policy/narrow-openings.ts';
import {printOpening, shortOpening} from '../../source/policy/opening.ts';
import {parseOpenings, parseOpeningWords} from '../../source/policy/parse-opening.ts';
import {parsePolicy} from '../../source/policy/parse-policy.ts';
import {completePolicy, unusedGroups} from '../../source/policy/policy.ts';
import {policyToJson} from '../../source/policy/print-policy.ts';
import {
	GROUP_NAME,
	makeGroup,
	networksOf,
	parseGroupFile,
	type SourceGroup,
} from '../../source/policy/sources.ts';
import {GROUP_PREFIX} from '../../source/ruleset/model.ts';
import {networks} from '../_helpers/samples/arbitraries.ts';
import {inputErrorOf} from '../_helpers/samples/errors.ts';

const group = (name: string, ...list: readonly string[]) => makeGroup(name, list.map(parseNetwork));
const OFFICE = group('office', '198.51.100.0/24', '2001:db8::/32');
const CDN = group('cdn', '192.0.2.0/24', '203.0.113.7');
const GROUPS = [OFFICE, CDN];

const read = (text: string) => parseOpenings(text, new Map(), GROUPS);
const print = (text: string) => read(text).map(printOpening).join(', ');
const policyOf = (openings: readonly string[], sources: unknown, readFile?: () => string) =>
	parsePolicy(JSON.stringify({version: 1, role: 'server', openings, sources}), new Map(), readFile);

describe('an opening for a group', () => {
	it.each([
		['443/tcp from @office', '443/tcp from @office'],
		['443/tcp FROM @OFFICE,10.0.0.0/8', '443/tcp from @office, 10.0.0.0/8'],
		['443/tcp from 10.0.0.0/8, @cdn, 80/tcp', '443/tcp from 10.0.0.0/8, @cdn, 80/tcp'],
		['443/tcp from @cdn, 443/tcp from @office', '443/tcp from @cdn, @office'],
		['443/tcp from @cdn, @cdn', '443/tcp from @cdn'],
		['443 from @cdn on eth0 limit comment "Web"', '443 from @cdn on eth0 limit comment "Web"'],
		// Its networks can change: one that it contains, or that contains them, stays.
		['443/tcp from @cdn, 192.0.2.9', '443/tcp from @cdn, 192.0.2.9'],
		['443/tcp from @cdn, 192.0.0.0/16', '443/tcp from @cdn, 192.0.0.0/16'],
		['443/tcp from @cdn, 443/tcp', '443/tcp'],
		['6in4 from @office, 6in4', '6in4'],
		['esp from @office', 'esp from @office'],
	])('%s is read, and printed as %s', (text, printed) => {
		expect(print(text)).toBe(printed);
		expect(print(printed)).toBe(printed);
	});

	it('is read from the words of a command line, and shown short by its name', () => {
		const words = ['443/tcp', 'from', '@office,', '@cdn', '22/tcp'];
		const [first, second] = parseOpeningWords(words, new Map(), GROUPS);
		expect([first, second].map((one) => one && shortOpening(one))).toEqual([
			'443/tcp from @office, @cdn',
			'22/tcp',
		]);
	});

	it.each([
		[
			'443/tcp from @ofice',
			'The policy has no group of sources @ofice',
			'Its groups: @office, @cdn.',
		],
		['443/tcp from @', 'The policy has no group of sources @', '@office'],
		['443/tcp from @office,', undefined, ''],
		['443/tcp @office', '"@office" is not understood here', 'Write 22/tcp'],
	])('%s: %s', (text, message, hint) => {
		if (message === undefined) {
			expect(print(text)).toBe('443/tcp from @office');
			return;
		}

		const error = inputErrorOf(() => read(text));
		expect(error.message).toContain(message);
		expect(error.hint).toContain(hint);
	});

	it.each([
		['443/tcp from @cdn, 10.0.0.0/8', '443/tcp from @cdn', '443/tcp from 10.0.0.0/8'],
		['443/tcp from @cdn, 10.0.0.0/8', '443/tcp from 10.0.0.0/8', '443/tcp from @cdn'],
		['443/tcp from @cdn, @office', '443/tcp', ''],
	])('of %s, %s is closed', (before, closed, left) => {
		const {openings} = closeOpenings(read(before), read(closed));
		expect(openings.map(printOpening).join('; ')).toBe(left);
	});

	it.each(['443/tcp from 192.0.2.9', '443/tcp from 192.0.0.0/8, 10.0.0.0/8'])(
		'is not closed in part: %s',
		(closed) => {
			const error = inputErrorOf(() =>
				closeOpenings(read('443/tcp from @cdn, 10.0.0.0/8'), read(closed)),
			);
			expect(error.message).toContain('is open to @cdn, not only to 192.0.');
			expect(error.hint).toMatch(/close '443\/tcp from @cdn, 10\.0\.0\.0\/8'$/);
		},
	);

	it('narrows what is open to all, and neither widens nor narrows another group', () => {
		const add = (before: string, added: string) =>
			addOpenings(read(before), read(added)).openings.map(printOpening).join('; ');
		expect(add('443/tcp', '443/tcp from @cdn')).toBe('443/tcp from @cdn');
		expect(add('443/tcp from @office', '443/tcp from @cdn')).toBe('443/tcp from @office, @cdn');
		expect(add('443/tcp from 192.0.0.0/8', '443/tcp from @cdn')).toBe(
			'443/tcp from 192.0.0.0/8, @cdn',
		);
	});
});

describe('makeGroup', () => {
	it('keeps the outermost networks, in their order', () => {
		fc.assert(
			fc.property(fc.array(networks(), {minLength: 1, maxLength: 8}), (list) => {
				const {networks: kept} = makeGroup('a', list);
				const isIn = (cidr: string, all: typeof list) =>
					all.some((one) => contains(one.cidr, stripPrefixLength(cidr)));
				expect(list.every(({cidr}) => isIn(cidr, [...kept]))).toBe(true);
				expect(new Set(kept.map(({cidr}) => cidr)).size).toBe(kept.length);
				const order = kept.map((one) => list.findIndex(({cidr}) => cidr === one.cidr));
				expect(order).not.toContain(-1);
			}),
		);
		expect(
			group('a', '10.1.0.0/16', '10.0.0.0/8', '::1', '::1').networks.map((n) => n.cidr),
		).toEqual(['10.0.0.0/8', '::1/128']);
	});

	it.each(['', 'A', '1a', 'a_b', 'a-', '-a', 'a b', 'fourteen-chars', '@a', '$(x)', '../a'])(
		'refuses the name "%s"',
		(name) => {
			expect(inputErrorOf(() => group(name, '10.0.0.1')).message).toContain(
				'is no name of a group',
			);
		},
	);

	it.each(['a', 'office-2', 'x'.repeat(13)])(
		'takes the name "%s", which a chain can have',
		(name) => {
			expect(GROUP_NAME.test(name)).toBe(true);
			expect(`${GROUP_PREFIX}${name}`.length).toBeLessThanOrEqual(28);
		},
	);

	it('refuses a group without a network', () => {
		expect(inputErrorOf(() => makeGroup('a', [])).message).toBe('The group a has no network');
	});
});

describe('parseGroupFile', () => {
	it('reads one network a line, without comments and empty lines', () => {
		const text = '\uFEFF# All\r\n192.0.2.0/24 # one\r\n\n\t2001:DB8::1\n10.1.2.3/8';
		expect(parseGroupFile(text, '/f').map(({cidr}) => cidr)).toEqual([
			...['192.0.2.0/24', '2001:db8::1/128', '10.0.0.0/8'],
		]);
	});

	it.each([
		['192.0.2.0/24\nexample.com\n', 2, '"example.com"'],
		['192.0.2.0/24 10.0.0.0/8', 1, '"192.0.2.0/24 10.0.0.0/8"'],
		['\n\n1.2.3.4/33', 3, 'at most /32'],
		['\u001B[31m', 1, '"?[31m"'],
	])('names file and line of %j', (text, line, what) => {
		const error = inputErrorOf(() => parseGroupFile(text, '/etc/cdn.txt'));
		expect(error.message).toContain(`/etc/cdn.txt, line ${line}: `);
		expect(error.message).toContain(what);
	});
});

describe('the groups of a policy', () => {
	it('are stored with what was read from their files, and read back without these', () => {
		const stored = {cdn: {file: '/etc/cdn.txt', networks: ['192.0.2.0/24', '203.0.113.7']}};
		const policy = policyOf(['443/tcp from @cdn'], {cdn: {file: '/etc/cdn.txt'}}, () =>
			['192.0.2.0/24', '203.0.113.7', '192.0.2.8'].join('\n'),
		);
		expect(policyToJson(policy)).toMatchObject({openings: ['443/tcp from @cdn'], sources: stored});
		expect(policyOf(['443/tcp from @cdn'], stored)).toEqual(policy);
		const changed = policyOf(['443/tcp from @cdn'], stored, () => '10.0.0.0/8');
		expect(networksIn(changed.openings)).toEqual(['10.0.0.0/8']);
	});

	it('have their networks in each opening, whichever came first', () => {
		const policy = completePolicy({
			openings: read('443/tcp from @cdn, 10.0.0.0/8'),
			sources: GROUPS,
		});
		const other = completePolicy({sources: [group('cdn', '10.9.0.0/16')]}, policy);
		expect(networksIn(other.openings)).toEqual(['10.9.0.0/16', '10.0.0.0/8']);
		expect(other.openings.map(printOpening)).toEqual(['443/tcp from @cdn, 10.0.0.0/8']);
		expect(unusedGroups(other).map(({name}) => name)).toEqual(['office']);
	});

	it('are never missing where an opening is for one', () => {
		expect(completePolicy({openings: read('443/tcp from @cdn')}).sources).toEqual([CDN]);
	});

	it.each<[unknown, string]>([
		[{Office: ['10.0.0.1']}, '"sources.Office" is no name of a group of sources'],
		[{a: []}, 'The group a has no network'],
		[{a: ['10.0.0.300']}, '"10.0.0.300" is not an IP address'],
		[{a: {file: 'cdn.txt'}}, '"sources.a.file" must be a path that begins with /'],
		[{a: {file: '/x'}}, 'The group a has no network: /x is empty'],
		[{a: '10.0.0.1'}, '"sources.a" must be a list of networks'],
		[{a: {networks: ['10.0.0.1']}}, '"sources.a'],
	])('of %j are refused', (sources, message) => {
		expect(inputErrorOf(() => policyOf([], sources)).message).toContain(message);
	});

	it('are named where an opening is for another one', () => {
		expect(inputErrorOf(() => policyOf(['80 from @b'], {a: ['::1']})).hint).toContain('@a');
	});
});

function networksIn(openings: ReturnType<typeof read>): readonly string[] {
	return openings.flatMap((one) =>
		'from' in one
			? networksOf(one.from ?? ([] as readonly SourceGroup[])).map(({cidr}) => cidr)
			: [],
	);
}
