import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {InputError} from '../../source/lib/errors.ts';
import {parseNetwork} from '../../source/lib/network.ts';
import {closeOpenings} from '../../source/policy/close-openings.ts';
import {mergeOpenings} from '../../source/policy/merge-openings.ts';
import {type Opening, printOpening} from '../../source/policy/opening.ts';
import {parseOpenings, parseOpeningWords} from '../../source/policy/parse-opening.ts';
import {covers} from '../../source/policy/port-openings.ts';
import {makeGroup} from '../../source/policy/sources.ts';
import {crowdedOpenings} from '../_helpers/samples/arbitraries.ts';

const OFFICE = makeGroup('office', [parseNetwork('10.1.0.0/16'), parseNetwork('192.0.2.0/24')]);
const read = (text: string) => parseOpenings(text, new Map(), [OFFICE]);
const close = (before: string, toClose: string) => {
	const {openings, closed} = closeOpenings(read(before), read(toClose));
	return [openings.map(printOpening).join('; '), closed.map(printOpening).join('; ')];
};

describe('closeOpenings', () => {
	it.each([
		['22/tcp, 8080/tcp', '8080', '22/tcp', '8080/tcp'],
		['53', '53/udp', '53/tcp', '53/udp'],
		['8000-8010/tcp', '8003-8020', '8000-8002/tcp', '8003-8010/tcp'],
		['22/tcp limit', '22/tcp', '', '22/tcp limit'],
		[
			'80/tcp from 10.0.0.0/8, 192.0.2.1',
			'80/tcp from 192.0.2.1',
			'80/tcp from 10.0.0.0/8',
			'80/tcp from 192.0.2.1',
		],
		['80/tcp from 10.0.0.0/8', '80/tcp', '', '80/tcp from 10.0.0.0/8'],
		[
			'80/tcp from 10.1.0.0/16, 10.2.0.1, 192.0.2.1',
			'80/tcp from 10.0.0.0/8',
			'80/tcp from 192.0.2.1',
			'80/tcp from 10.1.0.0/16, 10.2.0.1',
		],
		['80/tcp on eth0, 80/tcp on wg0', '80/tcp on eth0', '80/tcp on wg0', '80/tcp on eth0'],
		['80/tcp on wg0, 81/tcp', '80/tcp on wg+', '81/tcp', '80/tcp on wg0'],
		['80/tcp from @office', '80/tcp from @office', '', '80/tcp from @office'],
		// What the group has is closed, whatever else names it.
		[
			'80/tcp from @office, 192.0.2.7, 198.51.100.1',
			'80/tcp from @office',
			'80/tcp from 198.51.100.1',
			'80/tcp from @office, 192.0.2.7',
		],
		['mdns, esp, 9/sctp', 'mdns, 9/sctp', 'esp', 'mdns; 9/sctp'],
		['gre from 192.0.2.1', 'gre', '', 'gre from 192.0.2.1'],
	])('of %s closes %s', (before, toClose, left, closed) => {
		expect(close(before, toClose)).toEqual([left, closed]);
	});

	it.each([
		['22/tcp', '80/tcp'],
		['22/tcp', '22/udp'],
		['22/tcp', '22/sctp'],
		['22/tcp on eth0', '22/tcp on eth1'],
		['22/tcp', '22/tcp from 10.0.0.0/8'],
		['22/tcp from 10.0.0.0/8', '22/tcp from 192.0.2.0/24'],
		['gre', 'esp'],
	])('of %s refuses to close %s', (before, toClose) => {
		expect(() => close(before, toClose)).toThrow(InputError);
	});

	it.each([
		['22/tcp', '22/tcp from 10.0.0.0/8', '22/tcp is open to all addresses, not only to 10.0.0.0/8'],
		[
			'20-30/tcp from 10.0.0.0/8, 192.0.2.1 limit',
			'22/tcp from 10.1.0.0/16',
			'22/tcp from 10.0.0.0/8, 192.0.2.1 limit is open to 10.0.0.0/8, not only to 10.1.0.0/16',
		],
		[
			'22/tcp from @office',
			'22/tcp from 10.1.2.3',
			'22/tcp from @office is open to @office, not only to 10.1.2.3',
		],
		[
			'22/tcp from @office, 10.0.0.0/8',
			'22/tcp from 10.0.0.0/8',
			'22/tcp from @office, 10.0.0.0/8 is open to @office, not only to 10.0.0.0/8',
		],
		['22/tcp', '22/tcp on eth0', '22/tcp is open on all interfaces, not only on eth0'],
		['mdns', 'mdns on eth0', 'mdns is open on all interfaces, not only on eth0'],
		['22/tcp on wg+', '22/tcp on wg0', '22/tcp on wg+ is open on wg+, not only on wg0'],
		// It would stay open to ::1 on eth0.
		[
			'80/tcp on eth0, 80/tcp from ::1',
			'80/tcp on eth0',
			'80/tcp from ::1 is open on all interfaces, not only on eth0',
		],
	])('of %s closes %s not in part: %s', (before, toClose, message) => {
		expect(() => close(before, toClose)).toThrow(message);
	});

	it('says how the whole is closed, in a command that closes it', () => {
		const before = '20-30/tcp from 10.0.0.0/8 limit comment "some"';
		try {
			close(before, '22/tcp from 10.1.0.0/16');
			expect.unreachable();
		} catch (error) {
			const [, words = ''] = /close '(.+)'$/.exec((error as InputError).hint) ?? [];
			expect(close(before, words)[1]).toBe('22/tcp from 10.0.0.0/8 limit comment "some"');
		}
	});

	it('leaves all ports but the closed ones as they were', () => {
		fc.assert(
			fc.property(
				fc.array(crowdedOpenings, {maxLength: 6}),
				crowdedOpenings,
				(list, {on: _, ...one}) => {
					const toClose = ('from' in one ? {...one, from: undefined} : one) as Opening;
					const before = mergeOpenings(list);
					const isOpen = (openings: readonly Opening[], port: number, protocol: 'tcp' | 'udp') =>
						openings.some((opening) => covers(opening, {port, protocol}));
					let after: readonly Opening[];
					try {
						after = closeOpenings(before, [toClose]).openings;
					} catch (error) {
						expect(error).toBeInstanceOf(InputError);
						after = before;
					}

					for (const protocol of ['tcp', 'udp'] as const) {
						for (let port = 1; port < 100; port += 1) {
							const wanted =
								isOpen(before, port, protocol) &&
								!(toClose.kind === 'port' && isOpen([toClose], port, protocol));
							if (toClose.kind === 'port' || toClose.kind === 'protocol') {
								expect(isOpen(after, port, protocol)).toBe(wanted);
							}
						}
					}
				},
			),
		);
	});
});

describe('parseOpeningWords', () => {
	it.each([
		[['8080/tcp'], ['8080/tcp']],
		[
			['80', '443'],
			['80', '443'],
		],
		[
			['22/tcp from 10.0.0.0/8', '443/tcp'],
			['22/tcp from 10.0.0.0/8', '443/tcp'],
		],
		[
			['443', 'from', '10.0.0.0/8,', 'fd00::/8', 'limit', '53'],
			['443 from 10.0.0.0/8, fd00::/8 limit', '53'],
		],
		[['5432/tcp', 'on', 'wg0'], ['5432/tcp on wg0']],
	])('reads %j', (words, openings) => {
		expect(parseOpeningWords(words, new Map()).map(printOpening)).toEqual(openings);
	});
});
