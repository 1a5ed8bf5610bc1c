import {expect, it} from 'vitest';
import {describePublicAddress, type Scope, scopeOf} from '../../source/lib/address-scope.ts';

it.each<[Scope, readonly string[]]>([
	['public', ['8.8.8.8', '2a01:4f8::1', '2002:808:808::1']],
	['private', ['10.0.0.1', '172.31.255.1', '192.168.1.1', '100.64.0.1', 'fd00::1']],
	['link-local', ['169.254.1.1', 'fe80::1']],
	['loopback', ['127.0.0.1', '127.0.0.53', '::1']],
	['other', ['192.0.2.1', '224.0.0.251', '0.0.0.0', '2001:db8::1', 'ff02::fb', 'no address']],
])('%s', (scope, addresses) => {
	expect(addresses.map(scopeOf)).toEqual(addresses.map(() => scope));
});

it('says whether NAT stands in front of this machine', () => {
	const exposure = (...addresses: readonly string[]) =>
		describePublicAddress(
			addresses.map((cidr) => ({cidr, scope: scopeOf(cidr.split('/')[0] ?? '')})),
		);
	expect(exposure('127.0.0.1/8', '8.8.8.8/24', '2a01::1/64')).toMatch(
		/at 8\.8\.8\.8 and 1 more: no NAT/,
	);
	expect(exposure('10.0.0.1/8', '::1/128')).toMatch(/no public address/);
	expect(exposure('::1/128', 'fe80::1/64')).toMatch(/No address was found/);
});
