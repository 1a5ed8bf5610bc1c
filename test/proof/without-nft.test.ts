import {writeFileSync} from 'node:fs';
import path from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {FAMILIES} from '../../source/lib/network.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {ONE_CARD, openedPorts, proofOf, prove, spellPorts} from '../_helpers/samples/proofs.ts';
import {dockerRules, openDock} from '../system/containers.ts';

const POLICY = completePolicy({
	role: 'server',
	helpers: ['ftp', 'pptp'],
	openings: parseOpenings('21-22/tcp, 53, 8000-8010/tcp limit', new Map()),
});

/** In the words of u32: the port that a TCP segment goes to is 8080. */
const U32 = '0>>22&0x3C@0&0xFFFF=0x1F90';

/** At places where none covers another: they are tried together. */
const FAULTS = [
	{
		command: 'ip6tables -I INPUT 1 -p tcp --dport 3306 -j ACCEPT',
		finds: /3306\/tcp passes from anywhere over IPv6: rule 1 of INPUT, not part of this firewall/,
	},
	{
		// No rule names the port in a way that we could read: found by taking apart what passes in part.
		command: `iptables -I INPUT 1 -p tcp -m u32 --u32 '${U32}' -j ACCEPT`,
		finds: /Difference: 8080\/tcp passes from anywhere over IPv4/,
	},
	{
		command: 'iptables -D FW-WIZARD-INPUT -p udp --dport 53 -j ACCEPT',
		finds: /Difference: 53\/udp is closed from anywhere over IPv4: rule \d+ of FW-WIZARD-INPUT/,
	},
	{
		command: 'ip6tables -t nat -A PREROUTING -p tcp --dport 8443 -j REDIRECT --to-ports 22',
		finds:
			/8443\/tcp passes from anywhere over IPv6: -A PREROUTING .*-j REDIRECT --to-ports 22, in nat/,
	},
	{
		command: 'ip6tables -D FW-WIZARD-INPUT -j REJECT; ip6tables -A FW-WIZARD-INPUT -j DROP',
		finds: /Failed: IPv6: closed ports are blocked, TCP: the client is told nothing/,
	},
];

async function hideNft(host: Host): Promise<void> {
	const hidden = path.join(host.folder, 'nft');
	writeFileSync(hidden, '', {mode: 0o644});
	await host.must('mount', ['--bind', hidden, '/usr/sbin/nft']);
}

describe.each(mainly('legacy'))('where there is no nft, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host({backend});
		await hideNft(host);
		await host.ip(ONE_CARD);
	});

	test('what passes is exactly what the policy says', async () => {
		const {views, checks, proven} = await proofOf(host, POLICY);
		for (const {vantage, passed} of views) {
			for (const protocol of ['tcp', 'udp'] as const) {
				expect(spellPorts(passed[protocol]), `${vantage.source} on ${vantage.inInterface}`).toBe(
					openedPorts(POLICY, vantage, protocol),
				);
			}
		}

		expect(views).toHaveLength(2);
		expect(proven).toBe(true);
		// Only what takes a packet that no program can send: with such flags, or of other protocols.
		const untried = checks.filter(({result}) => result === 'untried');
		expect(untried.map(({name}) => name)).toEqual([
			'IPv4: only protocols that are opened pass',
			'IPv6: only protocols that are opened pass',
			'IPv4: packets that fit no connection (INVALID) do not pass',
			'IPv4: unsolicited ACK packets do not pass',
			'IPv4: the GRE of PPTP as a client',
			'IPv6: packets that fit no connection (INVALID) do not pass',
			'IPv6: unsolicited ACK packets do not pass',
		]);
		expect(checks.map(({name}) => name)).toEqual(
			expect.arrayContaining([
				'IPv4: 8000/tcp takes 6 new connections at once',
				'IPv6: closed ports are blocked, UDP',
			]),
		);
	}, 120_000);

	test('every fault is found and named', async () => {
		for (const rules of buildRuleSet(POLICY, {families: FAMILIES}).families) {
			const program = rules.family === 4 ? 'iptables-restore' : 'ip6tables-restore';
			await host.must(program, ['--noflush'], {input: printRestore(rules)});
		}

		await host.must('sh', ['-ec', FAULTS.map(({command}) => command).join('\n')]);
		const {status, stdout} = await prove(host, POLICY, '--of', 'running');
		for (const {finds} of FAULTS) {
			expect(stdout).toMatch(finds);
		}

		expect(stdout).toContain('Not tried: tables of nftables: nft is not installed');
		expect(status).toBe(1);
	}, 120_000);

	test('published ports are followed to the container', async () => {
		const dock = await openDock(lab, backend);
		await hideNft(dock.target);
		for (const family of FAMILIES) {
			const program = family === 4 ? 'iptables-restore' : 'ip6tables-restore';
			await dock.target.must(program, [], {input: dockerRules(family)});
		}

		const policy = {...POLICY, openings: parseOpenings('8080/tcp', new Map()), helpers: []};
		const {proven, views} = await proofOf(dock.target, {...policy, published: 'policy'});
		const forwarded = views.filter(({vantage}) => /^anywhere/.test(vantage.name));
		expect(forwarded.map((view) => spellPorts(view.forwarded.tcp))).toEqual(['8080', '8080']);
		expect(proven).toBe(true);
		const left = await prove(dock.target, policy);
		expect(left.stdout).toMatch(
			/^Left out: 8081\/tcp \(Docker\), 8053\/udp \(Docker\) are open as published; /m,
		);
		expect(left.stdout).toContain('Proven without what was left out: what the policy says.');
		expect(left.status).toBe(0);
	}, 120_000);

	test('the checklist rehearses the boot all the same', async () => {
		await host.must('sh', ['-c', 'iptables -F INPUT; ip6tables -F INPUT; ip6tables -t nat -F']);
		await wizardDoes(host, 'apply', '--role', 'server', '--open', '22/tcp');
		const {status, items} = await readChecklist(host);
		expect({status, ports: items.ports?.state}).toEqual({status: 0, ports: 'ok'});
	});
});
