import {expect, test} from 'vitest';
import {comparePorts} from '../../source/proof/compare-ports.ts';
import type {NamedVantagePoint} from '../../source/proof/vantage-points.ts';

const port = (first: number, last = first) => ({first, last});
/** The policy opens all of these; INPUT lets 22 in, 8080 is forwarded, 8088 is published and does not arrive. */
const seen = (kind: NamedVantagePoint['kind']) => ({
	expected: {tcp: [port(22), port(8080), port(8088), port(9000)], udp: []},
	passed: {tcp: [port(22)], udp: []},
	forwarded: {tcp: [port(8080)], udp: []},
	published: [
		{...port(8080), protocol: 'tcp' as const, to: '172.17.0.2:80', open: true},
		{...port(8088), protocol: 'tcp' as const, to: '172.18.0.2:80', open: false},
		{...port(9000), protocol: 'udp' as const, to: '172.18.0.2:90', open: false},
	],
	vantagePoint: {kind},
});

test.each([
	['anywhere', [port(8088), port(9000)]],
	['inside', [port(9000)]],
] as const)(
	'from %s, an open port is closed where a packet does not arrive, unless containers keep it apart',
	(kind, ports) => {
		expect(comparePorts(seen(kind), 'tcp', kind === 'anywhere')).toEqual([{fate: 'closed', ports}]);
	},
);
