import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {FAMILIES} from '../../source/lib/network.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, type Policy} from '../../source/policy/policy.ts';
import {printPolicy} from '../../source/policy/print-policy.ts';
import {nmapCommands} from '../../source/proof/nmap/commands.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {INSIDE, IPV6, joinedPair, OUTSIDE} from '../_helpers/lab/pair.ts';

const policyOf = (openings: string, verdict: Policy['verdict'] = 'drop') =>
	completePolicy({role: 'server', verdict, openings: parseOpenings(openings, new Map())});

const POLICY = policyOf('22/tcp, 80/tcp, 53/udp, 443/tcp from 10.0.0.0/8');
/** Of the ports above, and of some others. */
const PORTS = 'T:20-100,440-450,U:50-60';
const FAST = ['-n', '-Pn', '--min-rate', '300', '--max-retries', '3'];

describe('prove --nmap', () => {
	const lab = useLab();
	let target: Host;
	let probe: Host;
	let scan: string;

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, 'nft'));
		scan = path.join(probe.folder, 'scan.xml');
	});

	async function load(policy: Policy): Promise<void> {
		for (const rules of buildRuleSet(policy, {families: FAMILIES}).families) {
			const program = rules.family === 4 ? 'iptables-restore' : 'ip6tables-restore';
			await target.must(program, [], {input: printRestore(rules)});
		}
	}

	const nmap = async (...words: readonly string[]) =>
		probe.must('nmap', [...FAST, '-sS', '-sU', '-p', PORTS, '-oX', scan, ...words], {
			timeout: 60_000,
		});

	async function judge(policy: Policy, ...flags: readonly string[]) {
		const file = path.join(target.folder, 'policy.json');
		writeFileSync(file, printPolicy(policy));
		const words = [CLI, 'prove', '--policy', file, ...flags];
		const {status, stdout, stderr} = await target.run(process.execPath, words, {timeout: 60_000});
		return {status, stdout, stderr};
	}

	test.each(['drop', 'reject', 'reset'] as const)(
		'a scan under %s shows the policy',
		async (verdict) => {
			const policy = {...POLICY, verdict};
			await load(policy);
			await nmap(OUTSIDE.target);
			const {status, stdout} = await judge(policy, '--nmap', scan, '--from', OUTSIDE.probe);
			expect(stdout).toBe(
				`The scan of ${OUTSIDE.target} lists 103 ports, and none contradicts the policy.\n`,
			);
			expect(status).toBe(0);
		},
	);

	test('a port that the policy opens, and that nmap leaves out as filtered', async () => {
		await load(policyOf('22/tcp, 53/udp, 443/tcp from 10.0.0.0/8'));
		await nmap(OUTSIDE.target);
		expect(readFileSync(scan, 'utf8')).not.toMatch(/portid="80"/);
		const {status, stdout} = await judge(POLICY, '--nmap', scan);
		expect(stdout).toContain(
			`Difference: 80/tcp of ${OUTSIDE.target} is filtered: the policy opens it`,
		);
		expect(status).toBe(1);
	});

	test('a scan from a network that the policy names', async () => {
		await load(POLICY);
		await nmap(INSIDE.target);
		const unknown = await judge(POLICY, '--nmap', scan);
		expect(unknown.stdout).toBe(
			`Not judged: 443/tcp of ${INSIDE.target} is closed: whether the policy allows it depends on where the scan was made
The scan does not show whether the policy is in effect.
To judge more, add the address that the scan was made from: --from ADDRESS
`,
		);
		expect(unknown.status).toBe(1);
		const json = await judge(POLICY, '--nmap', scan, '--from', INSIDE.probe, '--json');
		expect(JSON.parse(json.stdout)).toEqual({
			...{proven: true, addresses: [INSIDE.target], ports: 103},
			...{differences: [], unjudged: []},
		});
		expect(json.status).toBe(0);
		const stranger = await judge(POLICY, '--nmap', scan, '--from', OUTSIDE.probe);
		expect(stranger.stdout).toContain('443/tcp of 10.9.8.1 is closed: the policy blocks it');
		expect(stranger.status).toBe(1);
	});

	test('the command that is suggested scans an IPv6 address too', async () => {
		await load(POLICY);
		const [program = '', ...words] = nmapCommands(IPV6.target).fast.split(' ');
		const args = words.map((word) =>
			word === '-p-' ? '-p1-100' : word === 'scan.xml' ? scan : word,
		);
		await probe.must(program, args, {timeout: 60_000});
		const {status, stdout} = await judge(POLICY, '--nmap', scan, '--from', IPV6.probe);
		expect(stdout).toBe(
			`The scan of ${IPV6.target} lists 100 ports, and none contradicts the policy.\n`,
		);
		expect(status).toBe(0);
	});

	test.each([
		[['--from', OUTSIDE.target], /is this machine/],
		[['--from', '127.0.0.1'], /is this machine/],
		[['--from', 'eth0'], /"eth0" is not an IP address/],
		[['--from', '10.0.0.0\u001B[2J'], /"10\.0\.0\.0\?\[2J" is not an IP address/],
		[['--from', '198.51.100.7'], /no IPv4 address was scanned/],
	])('%j is refused', async (flags, words) => {
		const {status, stdout, stderr} = await judge(POLICY, '--nmap', scan, ...flags);
		expect({status, stdout}).toEqual({status: 2, stdout: ''});
		expect(stderr).toMatch(words);
	});

	test('--from without a scan is refused', async () => {
		const {status, stderr} = await judge(POLICY, '--from', '198.51.100.7');
		expect(status).toBe(2);
		expect(stderr).toContain('--nmap FILE');
	});
});
