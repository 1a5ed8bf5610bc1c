import {describe, expect, it} from 'vitest';
import type {Published} from '../../source/existing/nat/published-ports.ts';
import {
	UNKNOWN_VISIBILITY,
	type Visibility,
	type VisibilityFrom,
} from '../../source/exposure/aggregate.ts';
import type {Exposed} from '../../source/exposure/model.ts';
import {exposedRows} from '../../source/exposure/rows.ts';
import {FAMILIES, type Family} from '../../source/lib/network.ts';
import type {Listener} from '../../source/services/listener.ts';
import {CONTAINER, socketOn} from '../_helpers/lab/sockets.ts';

const visibility = (tcp: readonly number[], more: Partial<Visibility> = {}): Visibility => ({
	open: {tcp: tcp.map((port) => ({first: port, last: port})), udp: []},
	unknown: {tcp: [], udp: []},
	forwarded: [],
	...more,
});

const seenFrom = (
	family: Family,
	before: Visibility,
	more: Partial<VisibilityFrom> = {},
): VisibilityFrom => ({
	family,
	name: 'anywhere on eth0',
	kind: 'anywhere',
	source: family === 4 ? '203.0.113.77' : '2001:db8:77::77',
	inInterface: 'eth0',
	before,
	...more,
});

const listener = (port: number, more: Partial<Listener> = {}) =>
	socketOn(port, {address: '::', families: FAMILIES, ...more});

const sent = (port: number, to: string, here = false) =>
	({protocol: 'tcp', first: port, last: port, to, here}) as const;

const say = ({ports, families, from, before, after, ...row}: Exposed) =>
	[
		ports.map(({first, last}) => (first === last ? first : `${first}-${last}`)).join(','),
		`IPv${families.join('+')} from ${from}`,
		after === undefined ? before : `${before}, ${after}`,
		row.listens ? [row.process, row.to, row.by].filter(Boolean).join(' ') || 'somebody' : 'nobody',
	].join('; ');

const rows = (...args: Parameters<typeof exposedRows>) => exposedRows(...args).map(say);

describe('what the outside can reach', () => {
	it('is said once where all agree, and for each place where they do not', () => {
		const both = FAMILIES.map((family) => seenFrom(family, visibility([22, 80])));
		expect(rows(both, [listener(22, {process: 'sshd'}), listener(80)], [])).toEqual([
			'22; IPv4+6 from anywhere; open; sshd',
			'80; IPv4+6 from anywhere; open; somebody',
		]);
		const inner = seenFrom(4, visibility([22]), {name: 'anywhere on eth1', inInterface: 'eth1'});
		expect(rows([...both, inner], [listener(80)], [])).toEqual([
			'80; IPv4 from anywhere on eth0; open; somebody',
			'80; IPv6 from anywhere; open; somebody',
			'80; IPv4 from anywhere on eth1; shut; somebody',
			'22; IPv4+6 from anywhere; open; nobody',
		]);
	});

	it('is one row for the sockets of a program that differ by family alone', () => {
		const both = FAMILIES.map((family) => seenFrom(family, visibility([22])));
		const sockets = [
			listener(22, {process: 'sshd', families: [6]}),
			listener(22, {process: 'sshd', families: [4], address: '0.0.0.0'}),
		];
		expect(rows(both, sockets, [])).toEqual(['22; IPv4+6 from anywhere; open; sshd']);
	});

	it('is said of a network where it is another there', () => {
		const friend = seenFrom(4, visibility([22, 5432]), {name: '10.0.0.0/8', kind: 'network'});
		expect(
			rows([seenFrom(4, visibility([22])), friend], [listener(22), listener(5432)], []),
		).toEqual([
			'22; IPv4 from anywhere; open; somebody',
			'5432; IPv4 from 10.0.0.0/8; open; somebody',
			'5432; IPv4 from anywhere; shut; somebody',
		]);
	});

	it('is what can be reached first, and loopback last', () => {
		const shut = seenFrom(4, visibility([80]), {after: visibility([22])});
		expect(
			rows(
				[shut],
				[listener(25), listener(631, {reach: 'loopback', address: '127.0.0.1'}), listener(80)],
				[],
			),
		).toEqual([
			'80; IPv4 from anywhere; open, shut; somebody',
			'25; IPv4 from anywhere; shut, shut; somebody',
			'631; IPv4+6 from this machine only; shut, shut; somebody',
			'22; IPv4 from anywhere; shut, open; nobody',
		]);
	});

	it('is by the address that something listens on', () => {
		const at = (destination: string, ...open: readonly number[]) =>
			seenFrom(4, visibility(open), {destination});
		const both = [at('192.0.2.1', 80), at('192.0.2.2')];
		expect(rows(both, [listener(80, {address: '192.0.2.2', families: [4]})], [])).toContain(
			'80; IPv4 from anywhere; shut; somebody',
		);
		expect(rows(both, [listener(80)], [])).toEqual(['80; IPv4 from anywhere; open; somebody']);
	});
});

describe('what is forwarded', () => {
	const forwards = visibility([], {forwarded: [sent(8080, '172.17.0.2:80')]});

	it('is open past INPUT; of its proxy only the family that is not forwarded is spoken', () => {
		const proxy = listener(8080, {process: 'docker-proxy', container: 'Docker'});
		expect(
			rows([seenFrom(4, forwards), seenFrom(6, visibility([8080]))], [proxy], [CONTAINER]),
		).toEqual([
			'8080; IPv4 from anywhere; open; 172.17.0.2:80 Docker',
			'8080; IPv6 from anywhere; open; docker-proxy Docker',
		]);
	});

	it('has the names of the containers, once for both families', () => {
		const web = {...CONTAINER, container: 'web', image: 'nginx'};
		const both = [web, {...web, families: [6 as const], address: '::'}];
		const found = exposedRows([seenFrom(4, forwards)], [], both);
		expect(found.map(({container}) => container)).toEqual(['web']);
		expect(exposedRows([seenFrom(4, forwards)], [], [CONTAINER])[0]).not.toHaveProperty(
			'container',
		);
	});

	it('is shut where FORWARD shuts it, and unknown where only rules were read', () => {
		expect(rows([seenFrom(4, visibility([]))], [], [CONTAINER])).toEqual([
			'8080; IPv4 from anywhere; shut; 172.17.0.2:80 Docker',
		]);
		for (const unknown of [
			visibility([], {forwarded: 'unknown'}),
			visibility([], {mayForwardMore: true}),
		]) {
			expect(rows([seenFrom(4, unknown)], [], [CONTAINER])).toEqual([
				'8080; IPv4 from anywhere; unknown; 172.17.0.2:80 Docker',
			]);
		}
	});

	it('is named though no rule was understood', () => {
		const seen = visibility([], {
			forwarded: [sent(7000, '10.0.0.9:70'), sent(7001, '10.0.0.9:70')],
		});
		expect(rows([seenFrom(4, seen)], [], [])).toEqual([
			'7000-7001; IPv4 from anywhere; open; 10.0.0.9:70 a DNAT rule',
		]);
	});

	it('to another port of this machine is that of who listens there', () => {
		const seen = visibility([80], {forwarded: [sent(80, '192.0.2.1:8080', true)]});
		expect(rows([seenFrom(4, seen)], [listener(8080, {process: 'node'})], [])).toEqual([
			'80; IPv4 from anywhere; open; node 192.0.2.1:8080 a DNAT rule',
			'8080; IPv4 from anywhere; shut; node',
		]);
	});

	it('as a whole hides no port of this machine', () => {
		const all: Published = {...CONTAINER, port: 1, last: 65_535};
		expect(rows([seenFrom(4, visibility([22]))], [], [all])).toContain(
			'22; IPv4 from anywhere; open; nobody',
		);
	});
});

it('is unknown where nothing is known, and never shut', () => {
	const dark = FAMILIES.map((family) => seenFrom(family, UNKNOWN_VISIBILITY));
	expect(rows(dark, [listener(22)], [CONTAINER])).toEqual([
		'22; IPv4+6 from anywhere; unknown; somebody',
		'8080; IPv4 from anywhere; unknown; 172.17.0.2:80 Docker',
		'1-21,23-8079,8081-65535; IPv4+6 from anywhere; unknown; nobody',
		'1-65535; IPv4+6 from anywhere; unknown; nobody',
	]);
});
