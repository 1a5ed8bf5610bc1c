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
	networks: [],
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

function texts({findings: lines}: ReturnType<typeof describeMachine>): readonly string[] {
	return lines.map(({text}) => text);
}

describe('what Welcome says of the machine', () => {
	test('says what is still being looked for', () => {
		const {headline, findings} = describeMachine({
			...{root: true, families: [4, 6], services: OWN_SERVICES},
			interfaces: FACTS.interfaces,
		});
		expect(headline).toBe('Looking at this machine');
		expect(findings.map(({text}) => text)).toEqual([
			'iptables: looking',
			'Network: eth0 192.0.2.1 2001:db8::1',
		]);
	});

	test('names the machine, the user, and from where the user comes', () => {
		const accessPorts = [{protocol: 'tcp', first: 22, last: 22}] as const;
		const session: Facts['session'] = {
			...({kind: 'remote', client: '198.51.100.7', connection: 'ended'} as const),
			...{inInterface: 'eth0', accessPorts},
		};
		expect(describeMachine({...FACTS, session}).head).toMatch(
			/^\S+, .* from 198\.51\.100\.7 \(22\/tcp\)$/,
		);
		expect(describeMachine(FACTS).head).toMatch(/ at the console$/);
	});

	test('counts the ports that are open where nothing filters', () => {
		const facts = factsKnown({
			listeners: [22, 80, 81].map((port) => socketOn(port)),
			published: [CONTAINER],
			recommendation: {role: 'server', reason: 'nginx listens on all addresses'},
		});
		const headline = (neighbours: readonly Neighbour[], interfaces = FACTS.interfaces) =>
			describeMachine({...FACTS, interfaces}, {...facts, existing: withNeighbours(neighbours)})
				.headline;
		expect(headline([DOCKER])).toBe(
			'This server has no firewall. 4 ports are open to other machines.',
		);
		const isPublic = [{name: 'eth0', addresses: ['9.9.9.9/24']}];
		expect(headline([], isPublic)).toBe(
			'This server has no firewall. 4 ports are open to the internet.',
		);
		expect(headline([UFW, DOCKER])).toBe('Other firewall rules are active: ufw.');
	});

	test('has warnings first', () => {
		const facts = factsKnown({published: [CONTAINER]});
		const machine = describeMachine(FACTS, {...facts, existing: withNeighbours([UFW, DOCKER])});
		expect(texts(machine)).toEqual([
			'ufw: it owns the firewall',
			'1 port is published past INPUT by Docker: see Ports',
			'iptables: 1.8.9 (nft), for IPv4 and IPv6',
			'Network: eth0 192.0.2.1 2001:db8::1',
		]);
		expect(machine.findings.map(({tone}) => tone === 'attention').lastIndexOf(true)).toBe(1);
	});

	test('has at most ten entries, however much there is', () => {
		const many = Array.from({length: 40}, (_, index) => ({
			...UFW,
			...{name: `table ${index}`, kind: 'rules' as const},
		}));
		const machine = describeMachine(
			{
				...FACTS,
				root: false,
				iptables: undefined,
				interfaces: Array.from({length: 300}, (_, index) => ({
					name: `veth${index}`,
					addresses: ['192.0.2.1/24', 'fe80::1/64'],
				})),
			},
			{...factsKnown({published: [CONTAINER]}), existing: withNeighbours(many)},
		);
		expect(machine.findings.length).toBeLessThanOrEqual(10);
		expect(machine.headline).toBe(
			'Other firewall rules are active: table 0, table 1, table 2, table 3 and 36 more.',
		);
		expect(texts(machine)).toContain('39 more warnings: fw-wizard facts');
		expect(texts(machine)).toContain(
			'Network: veth0 192.0.2.1, veth1 192.0.2.1, veth2 192.0.2.1, veth3 192.0.2.1 and 296 more',
		);
	});

	test('does not call unknown what is none', () => {
		const none = {...factsKnown({listeners: []}), existing: withNeighbours([])};
		expect(describeMachine(FACTS, none).headline).toBe(
			'This machine has no firewall. No port is open to other machines.',
		);
		const nothing = {...NOTHING_KNOWN, existing: unknown('only root can read the rules')};
		expect(texts(describeMachine(FACTS, nothing))[0]).toBe(
			'Which rules there are already could not be detected',
		);
		expect(describeMachine(FACTS, nothing).headline).toBe('A firewall for this machine.');
	});
});
