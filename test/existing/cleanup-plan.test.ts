import {describe, expect, it} from 'vitest';
import {
	chainsBehind,
	describeCleanup,
	printCleanup,
	touchedChains,
} from '../../source/existing/cleanup-format.ts';
import {planCleanup} from '../../source/existing/cleanup-plan.ts';
import type {RulesSnapshot} from '../../source/existing/snapshot.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';

const OWN = [':FW-WIZARD-INPUT - [0:0]', '-A INPUT -j FW-WIZARD-INPUT'];
const OWN_RULE = '-A FW-WIZARD-INPUT -j DROP';

/** What somebody typed years ago, with a policy that shuts. */
const HAND_MADE = [
	'-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
	'-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT',
	'-A FORWARD -i eth1 -j ACCEPT',
	'-A OUTPUT -p tcp -m tcp --dport 25 -j mail',
	'-A mail -j REJECT --reject-with icmp-port-unreachable',
];

function snapshot(
	lines: readonly string[],
	{inUse = true, policies = ['ACCEPT', 'ACCEPT', 'ACCEPT']} = {},
): RulesSnapshot {
	const chains = [...new Set(lines.filter((line) => line.startsWith('-A')).map(chainOf))].filter(
		(name) => !['INPUT', 'FORWARD', 'OUTPUT', 'FW-WIZARD-INPUT'].includes(name),
	);
	const text = [
		...['*nat', ':OUTPUT ACCEPT [0:0]', '-A OUTPUT -p tcp -j REDIRECT', 'COMMIT', '*filter'],
		...['INPUT', 'FORWARD', 'OUTPUT'].map((name, at) => `:${name} ${policies[at]} [5:300]`),
		...chains.map((name) => `:${name} - [0:0]`),
		...lines.filter((line) => line.startsWith(':')),
		...lines.filter((line) => line.startsWith('-A')),
		...['COMMIT', ''],
	].join('\n');
	return asSnapshot(text, inUse);
}

function asSnapshot(text: string, inUse = true): RulesSnapshot {
	const backend = inUse ? 'nft' : 'legacy';
	return {family: 4, backend, inUse, text, rules: parseSave(text, 4)};
}

function chainOf(line: string): string {
	return line.split(' ')[1] ?? '';
}

const neighbours = asSnapshot(NEIGHBOURS.iptables);

describe('planCleanup', () => {
	it('takes nothing where all is kept, whatever is there', () => {
		for (const there of [snapshot(HAND_MADE), neighbours, snapshot([])]) {
			expect(planCleanup([there], 'keep')).toEqual({
				...{mode: 'keep', cleanups: [], breaks: [], refusal: undefined},
			});
		}
	});

	it('takes nothing where INPUT has our jump alone', () => {
		expect(planCleanup([snapshot([...OWN, OWN_RULE])], 'flush-input').cleanups).toEqual([]);
		expect(planCleanup([snapshot([...OWN, OWN_RULE])], 'flush-filter').cleanups).toEqual([]);
	});

	it('takes the rules of INPUT, ours excepted, and leaves chains, tables and the policy', () => {
		const there = snapshot([...OWN, ...HAND_MADE, OWN_RULE], {policies: ['DROP', 'DROP', 'DROP']});
		const {cleanups} = planCleanup([there], 'flush-input');
		expect(cleanups).toEqual([
			{
				...{family: 4, backend: 'nft', inUse: true, rules: HAND_MADE.slice(0, 2)},
				...{emptied: ['INPUT'], removed: [], policies: []},
			},
		]);
		expect(cleanups.map(printCleanup)).toEqual([['-F INPUT']]);
		expect(cleanups.map(touchedChains)).toEqual([['INPUT']]);
	});

	it('takes a rule of others that leads to our chain under a condition', () => {
		const rule = '-A INPUT -i eth0 -j FW-WIZARD-INPUT';
		const {cleanups} = planCleanup([snapshot([...OWN, rule, OWN_RULE])], 'flush-input');
		expect(cleanups[0]?.rules).toEqual([rule]);
	});

	it('empties the whole table as -F does, and opens OUTPUT, which would shut out everybody', () => {
		const there = snapshot([...HAND_MADE, ...OWN, OWN_RULE], {policies: ['DROP', 'DROP', 'DROP']});
		const {cleanups, breaks, refusal} = planCleanup([there], 'flush-filter');
		expect(cleanups.map(printCleanup)).toEqual([
			['-F INPUT', '-F FORWARD', '-F OUTPUT', '-F mail', '-P OUTPUT ACCEPT'],
		]);
		expect(cleanups[0]?.rules).toEqual(HAND_MADE);
		expect(breaks).toEqual([expect.stringMatching(/forwards/)]);
		expect(refusal).toBeUndefined();
	});

	it('opens INPUT of the other backend, whose DROP nothing of ours comes before', () => {
		const shut = {inUse: false, policies: ['DROP', 'ACCEPT', 'ACCEPT']};
		const both = [snapshot([]), snapshot(HAND_MADE, shut)];
		expect(planCleanup(both, 'flush-input').cleanups.map(printCleanup)).toEqual([
			['-F INPUT', '-P INPUT ACCEPT'],
		]);
		expect(planCleanup([snapshot([], shut)], 'flush-input').cleanups[0]).toMatchObject({
			policies: [{chain: 'INPUT', from: 'DROP', to: 'ACCEPT'}],
		});
	});

	it('names what it breaks: those whose jumps go, and not those who are elsewhere', () => {
		const {breaks, cleanups} = planCleanup([neighbours], 'flush-input');
		expect(breaks.map((line) => line.split(':')[0])).toEqual(['Tailscale', 'libvirt', 'fail2ban']);
		expect(cleanups[0]?.rules).toEqual([
			'-A INPUT -j ts-input',
			'-A INPUT -j LIBVIRT_INP',
			'-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd',
		]);
	});

	it.each([
		['DOCKER-USER', 'Docker'],
		['LIBVIRT_FWO', 'libvirt'],
		['KUBE-FORWARD', 'Kubernetes'],
		['NETAVARK_FORWARD', 'podman'],
	])('does not empty the table under %s', (chain, name) => {
		const there = snapshot([`-A FORWARD -j ${chain}`, `-A ${chain} -j RETURN`]);
		expect(planCleanup([there], 'flush-filter').refusal).toBe(
			`The filter table is not flushed while ${name} needs its rules`,
		);
		expect(planCleanup([there], 'flush-input').refusal).toBeUndefined();
	});

	it('takes ufw away as ufw disable does, and leaves the rules beside it', () => {
		const ufw = [
			'-A INPUT -s 192.0.2.9/32 -j DROP',
			'-A INPUT -j ufw-before-input',
			'-A OUTPUT -j ufw-before-output',
			'-A ufw-before-input -p tcp -m tcp --dport 22 -j ACCEPT',
			'-A ufw-before-output -j ACCEPT',
		];
		const there = snapshot(ufw, {policies: ['DROP', 'DROP', 'ACCEPT']});
		const {cleanups} = planCleanup([there], 'keep', ['ufw']);
		expect(cleanups.map(printCleanup)).toEqual([
			[
				...['-D INPUT -j ufw-before-input', '-D OUTPUT -j ufw-before-output'],
				...['-F ufw-before-input', '-F ufw-before-output'],
				...['-X ufw-before-input', '-X ufw-before-output'],
				...['-P INPUT ACCEPT', '-P FORWARD ACCEPT'],
			],
		]);
		expect(cleanups.flatMap(({rules}) => rules)).toEqual(ufw.slice(1));
		const flushed = planCleanup([there], 'flush-input', ['ufw']).cleanups[0];
		expect(flushed && printCleanup(flushed)[0]).toBe('-F INPUT');
		expect(flushed && printCleanup(flushed)).not.toContain('-D INPUT -j ufw-before-input');
	});

	it('leaves FORWARD shut under Docker when ufw goes', () => {
		const there = snapshot(
			['-A INPUT -j ufw-before-input', '-A ufw-before-input -j ACCEPT', '-A DOCKER-USER -j RETURN'],
			{policies: ['DROP', 'DROP', 'ACCEPT']},
		);
		const {cleanups} = planCleanup([there], 'keep', ['ufw']);
		expect(cleanups[0]?.policies.map(({chain}) => chain)).toEqual(['INPUT']);
	});

	it('says in a line what goes', () => {
		const there = snapshot([...HAND_MADE, ...OWN, OWN_RULE], {policies: ['DROP', 'DROP', 'DROP']});
		expect(planCleanup([there], 'flush-filter').cleanups.map(describeCleanup)).toEqual([
			'IPv4: 2 rules of INPUT, 1 rule of FORWARD, 1 rule of OUTPUT, 1 rule of mail, the policy DROP of OUTPUT',
		]);
	});
});

describe('chainsBehind', () => {
	it('follows jumps to chains that stay, near and far, and not to targets', () => {
		const there = snapshot([
			...['-A INPUT -j near', '-A INPUT -j ACCEPT', '-A near -g far', '-A far -j near'],
			'-A lonely -j RETURN',
		]);
		expect(chainsBehind(there, ['INPUT'])).toEqual(['near', 'far']);
	});
});
