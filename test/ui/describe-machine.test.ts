import {describe, expect, test} from 'vitest';
import type {Neighbour} from '../../source/existing/neighbours.ts';
import type {Facts} from '../../source/host/machine/facts.ts';
import {known, unknown} from '../../source/lib/fact.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {NOTHING_KNOWN} from '../../source/ui/state/state.ts';
import {describeMachine} from '../../source/ui/text/welcome.ts';
import {CONTAINER, socketOn} from '../_helpers/lab/sockets.ts';
import {factsKnown} from '../_helpers/ui/facts-known.ts';

const FACTS: Facts = {
	root: true,
	families: [4, 6],
	interfaces: [{name: 'eth0', addresses: ['192.0.2.1/24', '2001:db8::1/64']}],
	services: OWN_SERVICES,
	iptables: {version: '1.8.9', backend: 'nft'},
	session: {kind: 'console'},
};
const UFW: Neighbour = {
	name: 'ufw',
	kind: 'manager',
	does: 'ufw is another firewall',
	means: 'It owns the firewall',
	owns: true,
	needsFilter: false,
};
const DOCKER: Neighbour = {
	...UFW,
	...{name: 'Docker', kind: 'service', owns: false, needsFilter: true},
};

function withNeighbours(neighbours: readonly Neighbour[]) {
	return known({neighbours, snapshots: [], owners: [], choices: []});
}

function texts(lines: ReturnType<typeof describeMachine>): readonly string[] {
	return lines.map(({text}) => text);
}

describe('what Welcome shows', () => {
	test('says what is still being looked for', () => {
		expect(texts(describeMachine(FACTS))).toEqual([
			'iptables: 1.8.9 (nft), for IPv4 and IPv6',
			'Network: eth0 192.0.2.1 2001:db8::1',
			"You: at the machine's own console",
			'Listens: looking',
		]);
	});

	test('has warnings first, and the recommended role with its reason', () => {
		const facts = factsKnown({
			listeners: [22, 80, 81, 82, 83, 84].map((port) => socketOn(port)),
			published: [CONTAINER],
			recommendation: {role: 'server', reason: 'nginx listens on all addresses'},
		});
		const lines = describeMachine(FACTS, {...facts, existing: withNeighbours([UFW, DOCKER])});
		expect(texts(lines)).toEqual([
			'ufw: it owns the firewall',
			'1 port passes INPUT by, forwarded by Docker: no rule here shuts it',
			'iptables: 1.8.9 (nft), for IPv4 and IPv6',
			'Network: eth0 192.0.2.1 2001:db8::1',
			"You: at the machine's own console",
			'Listens for others: 22/tcp, 80/tcp, 81/tcp, 82/tcp and 2 more',
			'Neighbours: ufw, Docker',
			'Recommended role: Server, since nginx listens on all addresses',
		]);
		expect(lines.map(({tone}) => tone === 'warning').lastIndexOf(true)).toBe(1);
	});

	test('has at most ten entries, however much there is', () => {
		const many = Array.from({length: 40}, (_, index) => ({
			...UFW,
			...{name: `table ${index}`, kind: 'rules' as const},
		}));
		const lines = describeMachine(
			{
				...FACTS,
				root: false,
				iptables: undefined,
				interfaces: Array.from({length: 300}, (_, index) => ({
					name: `veth${index}`,
					addresses: ['fe80::1/64'],
				})),
			},
			{
				...factsKnown({
					listeners: Array.from({length: 2000}, (_, index) => socketOn(index + 1)),
					published: [CONTAINER],
					recommendation: {role: 'server', reason: 'nginx listens'},
				}),
				existing: withNeighbours(many),
			},
		);
		expect(lines.length).toBeLessThanOrEqual(10);
		expect(texts(lines)).toContain('39 more warnings: fw-wizard facts');
		expect(texts(lines)).toContain(
			'Network: veth0 fe80::1, veth1 fe80::1, veth2 fe80::1, veth3 fe80::1 and 296 more',
		);
	});

	test('does not call unknown what is none', () => {
		const none = {...factsKnown({listeners: []}), existing: withNeighbours([])};
		expect(texts(describeMachine(FACTS, none))).toContain('Listens for others: nothing');
		const nothing = {...NOTHING_KNOWN, existing: unknown('only root can read the rules')};
		expect(texts(describeMachine(FACTS, nothing))[0]).toBe(
			'Which rules there are already was not found out',
		);
		expect(texts(describeMachine(FACTS, nothing))).toContain('Listens for others: not known here');
	});
});
