import {expect, test} from 'vitest';
import {UNKNOWN_VISIBILITY, type VisibilityFrom} from '../../source/exposure/aggregate.ts';
import {protocolRows} from '../../source/exposure/protocol-rows.ts';
import {FAMILIES, type Family} from '../../source/lib/network.ts';
import {protocolNumbered} from '../../source/policy/ip-protocols.ts';
import {triedNumbers} from '../../source/proof/protocols.ts';
import type {ProtocolUse} from '../../source/services/protocol-use.ts';

const [ESP, VRRP] = [50, 112];
const KEEPALIVED: ProtocolUse = {
	...{protocol: protocolNumbered(VRRP), families: FAMILIES},
	...{by: 'keepalived', how: 'raw socket'},
};

/** What strangers reach: before the change every protocol, after it these alone. */
function strangers(after: readonly number[] | undefined): readonly VisibilityFrom[] {
	const seen = (numbers: readonly number[] | undefined) => ({
		...UNKNOWN_VISIBILITY,
		protocols: numbers && new Set(numbers),
	});
	return FAMILIES.map((family: Family) => ({
		...{family, name: 'anywhere on eth0', kind: 'anywhere', inInterface: 'eth0'},
		source: family === 4 ? '203.0.113.77' : '2001:db8:77::77',
		before: seen(after && triedNumbers(family)),
		after: seen(after),
	}));
}

test('a protocol that something receives has a row, and all that are shut by the change share one', () => {
	const rows = protocolRows(strangers([ESP]), [KEEPALIVED]);
	expect(rows).toContainEqual({
		...{name: 'VRRP', by: 'keepalived', families: [4, 6], from: 'anywhere'},
		...{before: 'open', after: 'shut'},
	});
	expect(rows.find(({name}) => name.startsWith('ESP'))).toMatchObject({
		...{families: [4, 6], before: 'open', after: 'open'},
	});
	const [rest] = rows.filter(({name}) => name.includes(' more'));
	expect(rest).toMatchObject({before: 'open', after: 'shut'});
	expect(rest?.by).toBeUndefined();
});

test('without packets it is unknown, of what something receives', () => {
	expect(protocolRows(strangers(undefined), [KEEPALIVED])).toMatchObject([
		{name: 'VRRP', by: 'keepalived', before: 'unknown', after: 'unknown'},
	]);
});
