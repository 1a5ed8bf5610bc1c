import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {printNft} from '../../source/export/nft.ts';
import {FAMILIES} from '../../source/lib/network.ts';
import {instantOf} from '../../source/policy/ending.ts';
import {HELPER_NAMES} from '../../source/policy/helpers.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, type Policy} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {compilePolicy} from '../../source/ruleset/build.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {connect, INSIDE, IPV6, joinedPair, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';
import {HELPED, openedPorts, proofOf, spellPorts} from '../_helpers/samples/proofs.ts';
import {scan} from '../_helpers/traffic/scan.ts';
import {FLAGS, OPEN, OPEN_INSIDE, TYPED} from '../_helpers/ui/journey.ts';

/** Two rules for each of three networks of a family: they have a chain of their own. */
const GROUP =
	'7000 from 10.7.0.0/16, 192.0.2.128/25, 203.0.113.0/24, fd07::/16, fd08::/16, fd09::/16';

const openings = (text: string) => parseOpenings(text, OWN_SERVICES);
const textOf = (policy: Policy) => printNft(compilePolicy(policy, {families: FAMILIES}));

test('what the user says of an opening stays whole in the text, and as far as it fits in the rule', () => {
	const long = `"${'ü'.repeat(99)}`;
	const text = textOf(
		completePolicy({
			role: 'server',
			openings: openings(`1/tcp comment "the \\"Web\\" $(x)", 2/tcp comment "\\${long}"`),
		}),
	);
	expect(text).toContain(`comment "You opened 1/tcp (the 'Web' $(x))"`);
	expect(text).toContain(`\t\t# You opened 1/tcp (the "Web" $(x))\n`);
	expect(text).toContain(`\t\t# You opened 2/tcp (${long})\n`);
	expect(text).toContain(`comment "'${'ü'.repeat(63)}"`);
});

describe('export nft', () => {
	const lab = useLab();
	let target: Host;
	let probe: Host;

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, 'nft'));
	});

	const load = async (text: string) => target.must('nft', ['-f', '-'], {input: text});
	const loaded = async () => target.must('nft', ['list', 'ruleset']);

	test('is found to open exactly the ports of the policy, by nmap from another machine', async () => {
		await load(await wizardDoes(target, 'export', 'nft', ...FLAGS));
		for (const [{target: address}, letIn] of [
			[INSIDE, OPEN_INSIDE],
			[OUTSIDE, OPEN],
			[IPV6, OPEN],
		] as const) {
			const {ports, rest} = await scan(probe, address, ['-sS', '-p', '1-10000'], 'tcp');
			expect({ports, rest}).toEqual({
				ports: {closed: letIn},
				rest: {filtered: 10_000 - letIn.length},
			});
		}

		expect(await target.must('iptables-save', [])).not.toContain('-A ');
	});

	test('loaded again stays as it is, and leaves the tables of others', async () => {
		await load('table inet other { chain c { tcp dport 1 accept; }; }');
		const before = await loaded();
		await load(textOf(completePolicy({role: 'server', verdict: 'drop'})));
		expect(await loaded()).not.toBe(before);
		await load(await wizardDoes(target, 'export', 'nft', ...FLAGS));
		expect(sorted(await loaded())).toEqual(sorted(before));
		await load('delete table inet other');
	});

	test('is proven by packets and dialogues', async () => {
		const policy = completePolicy({
			role: 'server',
			verdict: 'reset',
			helpers: [...HELPER_NAMES],
			log: true,
			openings: openings(
				`${TYPED}, ${HELPED}, 5432/tcp on wg0, 443/tcp from 2001:db8:5::/48, mdns, ${GROUP}`,
			),
		});
		await load(textOf(policy));
		const report = await proofOf(target, policy, '--of', 'running');
		for (const {vantage, passed} of report.views) {
			for (const protocol of ['tcp', 'udp'] as const) {
				expect(spellPorts(passed[protocol]), vantage.name).toBe(
					openedPorts(policy, vantage, protocol),
				);
			}
		}

		expect(report.checks.filter(({result}) => result !== 'ok')).toEqual([]);
		expect(report.proven).toBe(true);
	}, 90_000);

	test.each([
		['reject', 'refused'],
		['reset', 'refused'],
		['drop', 'timed out'],
	] as const)('%s: a client that is not let in is %s', async (verdict, outcome) => {
		await load(textOf(completePolicy({role: 'server', verdict})));
		for (const address of [OUTSIDE.target, IPV6.target]) {
			expect(await connect(probe, address, 99)).toBe(outcome);
		}
	});

	test('limits new connections as the policy does: six from an IPv4 address, or an IPv6 /64', async () => {
		const policy = completePolicy({role: 'server', openings: openings('22/tcp limit')});
		await load(textOf(policy));
		await serve(target, 'tcp:22');
		await probe.must('ip', ['address', 'add', '2001:db8::3/64', 'dev', 'eth0', 'nodad']);
		for (const address of [OUTSIDE.target, IPV6.target]) {
			for (let count = 1; count <= 6; count++) {
				expect(await connect(probe, address, 22), `${address}, connection ${count}`).toBe(
					'succeeded',
				);
			}
		}

		expect(await connect(probe, OUTSIDE.target, 22)).toBe('refused');
		expect(await connect(probe, INSIDE.target, 22)).toBe('succeeded');
		const {stderr} = await probe.run('nc.openbsd', [
			...['-s', '2001:db8::3', '-v', '-z', '-w', '2', IPV6.target, '22'],
		]);
		expect(stderr).toContain('refused');
	});

	test('ends an opening in the second that the policy names, in every zone', async () => {
		const end = Math.ceil(Date.now() / 1000) + 4;
		const until = instantOf((end - 1) * 1000);
		const policy = completePolicy({
			role: 'server',
			openings: openings(`8080/tcp until ${until}, 8081/tcp`),
		});
		await serve(target, 'tcp:8080', 'tcp:8081');
		await target.must('env', ['TZ=America/New_York', 'nft', '-f', '-'], {input: textOf(policy)});
		const seen: Array<readonly [number, string, number]> = [];
		do {
			const began = Date.now();
			const outcome = await connect(probe, OUTSIDE.target, 8080);
			seen.push([began, outcome, Date.now()]);
		} while (Date.now() < (end + 1) * 1000);
		for (const [began, outcome, over] of seen) {
			// What is sent while it ends may be either.
			if (over < end * 1000 || began >= end * 1000) {
				expect(outcome).toBe(began < end * 1000 ? 'succeeded' : 'refused');
			}
		}

		expect(new Set(seen.map(([, outcome]) => outcome)).size).toBe(2);
		expect(await connect(probe, OUTSIDE.target, 8081)).toBe('succeeded');
	});

	test('loads for any policy, also where no file names protocols', async () => {
		await target.must('sh', ['-c', 'rm -f /etc/protocols /etc/services']);
		await fc.assert(
			fc.asyncProperty(policies(), async (policy) => {
				const {status, stderr} = await target.run('nft', ['-c', '-f', '-'], {
					input: textOf(policy),
				});
				expect({status, stderr}, textOf(policy)).toEqual({status: 0, stderr: ''});
			}),
			{numRuns: 60},
		);
	});
});

/** Which table was made last does not matter. */
function sorted(ruleset: string): readonly string[] {
	return ruleset.split(/^(?=table )/m).sort();
}
