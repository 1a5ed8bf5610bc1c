import {describe, expect, it} from 'vitest';
import {planChoices} from '../../source/existing/cleanup-options.ts';
import {nameNeighbours, type Traces} from '../../source/existing/neighbours.ts';
import type {RulesSnapshot} from '../../source/existing/snapshot.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {HAND_MADE, PLAIN_FIREWALL} from '../_helpers/samples/existing-rules.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';

function snapshot(text: string, inUse = true): RulesSnapshot {
	const backend = inUse ? 'nft' : 'legacy';
	return {family: 4, backend, inUse, text, rules: parseSave(text, 4)};
}

function save(...rules: readonly string[]): string {
	return ['*filter', ':INPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');
}

const UFW = save(':ufw-before-input - [0:0]', '-A INPUT -j ufw-before-input');
const EMPTY = snapshot(save());
const waysOf = (choices: ReturnType<typeof planChoices>) =>
	choices.map(({existing}) => existing?.mode);

describe('planChoices', () => {
	it('offers nothing where there is nothing to decide', () => {
		expect(planChoices([EMPTY], [])).toEqual([]);
		const ours = save(':FW-WIZARD-INPUT - [0:0]', '-A INPUT -j FW-WIZARD-INPUT');
		expect(planChoices([snapshot(ours)], [])).toEqual([]);
	});

	it('begins with what is recommended, and says of each what goes, rule by rule', () => {
		const choices = planChoices([snapshot(PLAIN_FIREWALL.iptables)], []);
		expect(waysOf(choices)).toEqual(['flush-input', 'keep', 'flush-filter']);
		expect(choices[0]).toMatchObject({
			reason: expect.stringContaining('made by hand'),
			removals: ['IPv4: 7 rules of INPUT'],
			refusal: undefined,
		});
		expect(choices[0]?.rules).toHaveLength(7);
		expect(choices[0]?.rules[1]).toBe('IPv4: -A INPUT -s 203.0.113.0/24 -j DROP');
		expect(choices[1]).toMatchObject({removals: [], rules: [], breaks: [], reason: undefined});
		expect(choices[2]?.rules.at(-1)).toBe('IPv4: -P OUTPUT DROP → ACCEPT');
	});

	it('keeps what programs need, and says why the table cannot be flushed', () => {
		const choices = planChoices([snapshot(NEIGHBOURS.iptables)], []);
		expect(waysOf(choices)).toEqual(['keep', 'flush-input', 'flush-filter']);
		expect(choices.map(({refusal}) => refusal)).toEqual([
			...[undefined, undefined],
			'The filter table is not flushed while Docker and libvirt need its rules',
		]);
	});

	it('lets an owner go or all be, and does not take its rules for leftovers', () => {
		const [first, last, ...more] = planChoices([snapshot(UFW)], ['ufw']);
		expect(first).toMatchObject({
			existing: {mode: 'keep', switchOff: ['ufw']},
			removals: ['IPv4: 1 rule of INPUT, 1 chain of ufw', 'ufw is switched off'],
		});
		expect(last?.existing).toBeUndefined();
		expect(more).toEqual([]);
		const mixed = UFW.replace('COMMIT', '-A INPUT -s 203.0.113.9/32 -j DROP\nCOMMIT');
		expect(waysOf(planChoices([snapshot(mixed)], ['ufw']))).toEqual([
			...['keep', 'flush-input', 'flush-filter', undefined],
		]);
	});

	it('finds a policy of the other backend that shuts everybody out', () => {
		const shut = snapshot(save().replace('ACCEPT', 'DROP'), false);
		expect(planChoices([EMPTY, shut], [])[0]).toMatchObject({
			existing: {mode: 'flush-input'},
			rules: ['IPv4, legacy backend: -P INPUT DROP → ACCEPT'],
		});
	});
});

describe('nameNeighbours', () => {
	const NOTHING: Traces = {
		...{snapshots: [], nativeTables: [], processes: new Set(), tunnels: []},
		...{ufw: false, firewalld: false, nftables: undefined, frozen: undefined},
	};
	const namesOf = (traces: Partial<Traces>) =>
		nameNeighbours({...NOTHING, ...traces}).map(({name}) => name);

	it('knows them by chains, tables, processes and interfaces', () => {
		expect(namesOf({})).toEqual([]);
		expect(namesOf({snapshots: [snapshot(NEIGHBOURS.iptables)]})).toEqual([
			...['Docker', 'libvirt', 'fail2ban', 'Tailscale'],
		]);
		expect(
			namesOf({
				...{processes: new Set(['kubelet', 'crowdsec']), tunnels: ['wg0']},
				nativeTables: [{name: 'inet netavark', text: 'type filter hook input priority 0;'}],
			}),
		).toEqual(['podman', 'Kubernetes', 'CrowdSec', 'WireGuard']);
	});

	it('says who owns the firewall, and who loads it at boot', () => {
		const found = nameNeighbours({
			...NOTHING,
			...{ufw: true, firewalld: true, nftables: {flushes: true}},
			frozen: '/etc/iptables/rules.v4',
		});
		expect(found.map(({name, owns}) => [name, owns])).toEqual([
			...[
				['ufw', true],
				['firewalld', true],
			],
			...[
				['nftables.service', false],
				['netfilter-persistent', false],
			],
		]);
		expect(found[2]?.means).toContain('wipes');
	});

	it('names a rule that decides on everything, and the backend that is not in use', () => {
		const [here] = nameNeighbours({...NOTHING, snapshots: [snapshot(HAND_MADE.iptables)]});
		expect(here).toMatchObject({
			does: '7 rules of INPUT belong to no program that is known (IPv4)',
			means: expect.stringMatching(/^Rule 7 \(.*REJECT.*\) decides on everything/),
		});
		const [there] = nameNeighbours({...NOTHING, snapshots: [snapshot(HAND_MADE.iptables, false)]});
		expect(there?.does).toContain('IPv4, legacy backend');
		expect(there?.means).toContain('both backends');
	});

	it('lets no control character through', () => {
		const text = save('-A INPUT -m comment --comment "\u001B[31m" -j ACCEPT');
		const name = 'inet \u001B]0;x\u0007';
		const found = nameNeighbours({
			...{...NOTHING, snapshots: [snapshot(text)], tunnels: ['w\u001Bg']},
			nativeTables: [{name, text: 'hook input priority'}],
		});
		expect(found).toHaveLength(3);
		expect(JSON.stringify(found)).not.toMatch(/\\u00/);
	});
});
