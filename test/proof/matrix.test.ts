import {describe, expect, test} from 'vitest';
import type {PortRange} from '../../source/lib/port-ranges.ts';
import {type NamedPorts, proofMatrix} from '../../source/proof/matrix.ts';
import type {View} from '../../source/proof/report.ts';
import type {NamedVantagePoint} from '../../source/proof/vantage-points.ts';

const port = (first: number, last = first): PortRange => ({first, last});
const NOTHING = {tcp: [], udp: []};

function view(
	point: Partial<NamedVantagePoint>,
	tcp: readonly PortRange[],
	more: Partial<View> = {},
): View {
	return {
		vantagePoint: {
			...{family: 4, inInterface: 'eth0', source: '203.0.113.77', kind: 'anywhere'},
			...{name: 'anywhere', ...point},
		},
		...{passed: {tcp, udp: []}, forwarded: NOTHING, published: []},
		...{expected: {tcp, udp: []}, differences: [], ...more},
	};
}

const NAMED: readonly NamedPorts[] = [
	{protocol: 'tcp', ...port(22), name: 'sshd'},
	{protocol: 'tcp', ...port(8080), name: 'shop-api-1'},
	{protocol: 'tcp', ...port(9000, 9010), name: 'a range'},
];

/** A row as it looks: `22/tcp sshd oo.` */
function draw(views: readonly View[], named: readonly NamedPorts[] | undefined, width = 120) {
	return proofMatrix({views}, named, width).rows.map(({port, who, cells}) => {
		const signs = cells.flat().map(({open, wrong}) => `${open ? 'o' : '.'}${wrong ? '!' : ''}`);
		return [port, who, signs.join('')].filter(Boolean).join(' ');
	});
}

describe('the matrix of a proof', () => {
	test('has a line for each port that something serves, and for each that is open', () => {
		const forwarded = {tcp: [port(8080)], udp: []};
		const views = [
			view({}, [port(22), port(443)], {forwarded}),
			view({family: 6}, [port(22), port(443), port(8080)]),
			view({kind: 'client', name: 'you, 198.51.100.9'}, [port(22), port(9000, 9004)]),
		];
		expect(draw(views, NAMED)).toEqual([
			'22/tcp sshd ooo',
			'8080/tcp shop-api-1 oo.',
			'9000-9004/tcp a range ..o',
			'9005-9010/tcp a range ...',
			'443/tcp nothing listens oo.',
			'65,521 other TCP ports ...',
			'65,535 UDP ports ...',
		]);
	});

	test('counts every port once, whatever is served and open', () => {
		const {rows} = proofMatrix({views: [view({}, [port(1, 65_535)])]}, NAMED, 100);
		expect(rows.map((row) => row.port)).toEqual([
			...['22/tcp', '8080/tcp', '9000-9010/tcp'],
			...['1-21, 23-8079, 8081-8999, 9011-65535/tcp', '65,535 UDP ports'],
		]);
	});

	test('has what differs from the policy first, and marks it', () => {
		const differs = view({}, [port(22), port(5432)], {
			differences: [
				{protocol: 'tcp', ports: [port(5432)], fact: 'passes', cause: 'rule 1 of INPUT'},
			],
		});
		const found = draw([differs, view({family: 6}, [port(22)])], undefined);
		expect(found.slice(0, 2)).toEqual(['5432/tcp o!.', '22/tcp oo']);
	});

	test('has a column for each vantage point, as many as fit; what is beside a network has none', () => {
		const networks = Array.from({length: 9}, (_, index) =>
			view({kind: 'network', name: `10.${index}.0.0/16`}, [port(22)]),
		);
		const views = [
			view({}, [port(22)]),
			view({family: 6}, [port(22)]),
			view({kind: 'beside', name: '10.0.0.0/16'}, []),
			view({kind: 'inside', name: 'containers of shop_default'}, [port(22)]),
			...networks,
		];
		const {columns, hidden} = proofMatrix({views}, NAMED, 60);
		expect(columns.map(({name, families}) => `${name} ${families.join('')}`)).toEqual([
			...['anywhere 46', 'shop_default 4'],
		]);
		expect(hidden).toBe(9);
		expect(proofMatrix({views}, NAMED, 200).hidden).toBe(0);
	});
});
