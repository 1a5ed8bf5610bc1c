import {describe, expect, it} from 'vitest';
import {adviseOpenings} from '../../source/policy/advise-openings.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';

/** Interfaces that are part of others. */
const PARTS: Readonly<Record<string, string>> = {eno1: 'br0', eno2: 'bond0'};
const advise = (text: string, interfaces?: readonly string[]) =>
	adviseOpenings(
		parseOpenings(text, OWN_SERVICES),
		interfaces && new Map(interfaces.map((name) => [name, PARTS[name]])),
	);

describe('the advice on openings', () => {
	it('names interfaces that do not exist, each once', () => {
		expect(advise('22 on eth9, esp on eth9, 80 on eth0, 443', ['lo', 'eth0'])).toContain(
			'There is no interface eth9 now: 22 on eth9, esp on eth9 open nothing until it exists.',
		);
		expect(advise('22/tcp on wg0', ['lo'])).toEqual([
			'There is no interface wg0 now: 22/tcp on wg0 opens nothing until it exists.',
		]);
		expect(advise('22/tcp on wg0', ['wg0'])).toEqual([]);
		expect(advise('22/tcp on br-+', ['br-0123456789ab'])).toEqual([]);
		expect(advise('22/tcp on br-+', ['bridge'])).toHaveLength(1);
		expect(advise('22/tcp on wg0')).toEqual([]);
	});

	it('names interfaces whose packets come in on a bridge or a bond', () => {
		expect(
			advise('80/tcp on eno1, 22/tcp on br0, 1/udp on eno+, 2/udp on e+', [
				...Object.keys(PARTS),
				'br0',
				'eth0',
			]),
		).toEqual([
			'What comes in on eno1 belongs to br0: 80/tcp on eno1 opens nothing. Write: 80/tcp on br0',
			'What comes in on eno+ belongs to br0: 1/udp on eno+ opens nothing. Write: 1/udp on br0',
		]);
	});

	it('says that mosh needs SSH', () => {
		expect(advise('mosh')).toEqual([expect.stringContaining('needs 22/tcp as well')]);
		expect(advise('mosh, ssh')).toEqual([]);
		expect(advise('60000-61000/udp, 1-100')).toEqual([]);
	});

	it('says what of IPsec belongs together, and opens none of it', () => {
		expect(advise('esp')).toEqual([expect.stringContaining('esp may need 500/udp and 4500/udp')]);
		expect(advise('esp, ah, 500/udp')).toEqual([
			expect.stringContaining('esp and ah may need 4500/udp as well'),
		]);
		expect(advise('esp, 500/udp, 4500')).toEqual([]);
		expect(advise('500/udp, 4500/udp')).toEqual([expect.stringContaining('send esp as well')]);
		expect(advise('1-1000/udp, gre, vrrp')).toEqual([]);
	});
});
