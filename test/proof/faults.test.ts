import {describe, expect, test} from 'vitest';
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {FAMILIES} from '../../source/lib/network.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, type Policy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {BACKENDS, mainly} from '../_helpers/lab/backends.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {takeTurns} from '../_helpers/lab/turns.ts';
import {ONE_CARD, prove} from '../_helpers/samples/proofs.ts';
import {FAULTS, type Fault} from './faults.ts';

const [PLAIN, SCOPED] = [
	'21-22/tcp, 53, 8000-8010/tcp',
	'22/tcp, 5432/tcp from 10.1.0.0/16, 9100/tcp on wg0, 2222/tcp limit',
].map((openings) =>
	completePolicy({
		role: 'server',
		helpers: ['ftp'],
		openings: parseOpenings(openings, new Map()),
	}),
) as [Policy, Policy];

const turn = takeTurns(3);

describe.concurrent('every fault is found and named', () => {
	const lab = useLab();

	const faultless = BACKENDS.flatMap((backend) =>
		[PLAIN, SCOPED].map((policy) => [backend, policy] as const),
	).filter((_, index) => rounds(0, 1) === 1 || index % 3 === 0);
	test.each(faultless)(
		'and where there is none, none, %s',
		async (backend, policy) => {
			await turn(async () => {
				const {status, stdout} = await proveRunning(await lab.host({backend}), policy, backend);
				expect(stdout).toMatch(/Proven: exactly what the policy says/);
				expect(stdout).not.toMatch(/^(?:Difference|Failed|Not tried): /m);
				expect(status).toBe(0);
			});
		},
		300_000,
	);

	test.each(mainly('nft'))(
		'a rule of another program that accepts what is open anyway is none, %s',
		async (backend) => {
			await turn(async () => {
				const host = await lab.host({backend});
				const {status, stdout} = await proveRunning(host, PLAIN, backend, {
					name: 'an earlier ACCEPT',
					after: () => ['iptables -I INPUT 1 -p tcp --dport 21:22 -j ACCEPT'],
					finds: [],
				});
				expect(stdout).toMatch(
					/^Not tried: IPv4: packets that fit no connection \(INVALID\) do not pass: accepted before by .*-A INPUT -p tcp/m,
				);
				expect(stdout).not.toMatch(/^(?:Difference|Failed): /m);
				expect(status).toBe(0);
			});
		},
		300_000,
	);

	// Each on one of the backends, by turns. The usual run has every fifth.
	const cases = FAULTS.map((fault, index) => ({
		...fault,
		backend: BACKENDS[index % BACKENDS.length] as Backend,
	})).filter((_, index) => rounds(0, 1) === 1 || index % 5 === 0);
	test.each(cases)(
		'$name, $backend',
		async ({backend, ...fault}) => {
			await turn(async () => {
				const host = await lab.host({backend});
				const {status, stdout} = await proveRunning(
					host,
					fault.scoped ? SCOPED : PLAIN,
					backend,
					fault,
				);
				for (const words of fault.finds) {
					expect(stdout).toMatch(words);
				}

				expect(stdout).toMatch(/Not what the policy says/);
				expect(status).toBe(1);
			});
		},
		300_000,
	);
});

/** Loads the rules of the policy with a fault in them, and puts what runs to the proof. */
async function proveRunning(host: Host, policy: Policy, backend: Backend, fault?: Fault) {
	await host.ip(ONE_CARD);
	const {edit, after} = fault ?? {};
	for (const rules of buildRuleSet(policy, {families: FAMILIES}).families) {
		const text = printRestore(rules);
		const concerned = edit && (edit.family === undefined || edit.family === rules.family);
		const faulty = concerned ? text.replace(edit.from, edit.to) : text;
		expect(faulty === text).toBe(!concerned);
		const program = rules.family === 4 ? 'iptables-restore' : 'ip6tables-restore';
		await host.must(program, ['--noflush'], {input: faulty});
	}

	for (const command of after?.(backend) ?? []) {
		await host.must('sh', ['-c', command]);
	}

	return prove(host, policy, '--of', 'running');
}
