import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';

const OPENED = ['22/tcp', '80/tcp', '8443/tcp', '9000/tcp', '9001/tcp'];
const POLICY = ['--role', 'server', ...OPENED.flatMap((opening) => ['--open', opening])];
const ACCEPT = '-p tcp -m tcp --dport 3306 -j ACCEPT';

/** Rules of others that the policy does not remove, and what is said of each. */
const kept = (backend: string) =>
	[
		[
			`iptables -A INPUT ${ACCEPT}`,
			/^Beside the policy: 3306\/tcp is open from anywhere over IPv4: -A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT, in filter$/m,
		],
		[
			'ip6tables -A INPUT -p tcp --dport 8443 -j DROP',
			/: 8443\/tcp is closed from anywhere over IPv6: -A INPUT -p tcp -m tcp --dport 8443 -j DROP, in filter$/m,
		],
		[
			'iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080',
			/: 80\/tcp is closed from anywhere over IPv4: -A PREROUTING .* -j REDIRECT --to-ports 8080, in nat; to open it, open 8080 as well$/m,
		],
		[
			'iptables -t raw -A PREROUTING -p udp --sport 53 -j NOTRACK',
			/: no longer so over IPv4: its own UDP questions, as to DNS, are answered: -A PREROUTING .*--sport 53 -j (?:NOTRACK|CT --notrack), in raw$/m,
		],
		[
			'nft add table inet guard { chain c { type filter hook input priority 5; tcp dport 9000 drop; }; }',
			/: 9000\/tcp is closed from anywhere over IPv4 and IPv6: tcp dport 9000 drop, in inet guard, chain c$/m,
		],
		[
			`iptables-${backend === 'nft' ? 'legacy' : 'nft'} -A INPUT -p tcp --dport 9001 -j DROP`,
			/: 9001\/tcp is closed from anywhere over IPv4: -A INPUT .* --dport 9001 -j DROP, in filter, (?:nft|legacy) backend$/m,
		],
	] as const;

describe.each(BACKENDS)("apply beside other programs' rules, %s", (backend) => {
	const lab = useLab();

	const run = async (host: Host, command: string) =>
		host.must('sh', ['-c', command.replaceAll(/[;{}]/g, '\\$&')]);

	test('says before it loads what they open and block, and check tells what is new', async () => {
		const host = await lab.host({backend});
		for (const [command] of kept(backend)) {
			await run(host, command);
		}

		const {status, stderr} = await wizard(host, 'apply', ...POLICY);
		expect(status).toBe(0);
		for (const [, said] of kept(backend)) {
			expect(stderr).toMatch(said);
		}

		const {failed, items} = await readChecklist(host);
		expect(failed).toEqual({});
		expect(items.known?.state).toBe('ok');
		expect(items.known?.cause).toContain('3306/tcp is open');

		await run(host, 'iptables -I INPUT -p tcp --dport 5432 -j ACCEPT');
		const later = await readChecklist(host);
		expect(later.failed).toEqual({
			reached: expect.stringMatching(
				/^5432\/tcp is open from anywhere over IPv4: -A INPUT .* --dport 5432 -j ACCEPT, in filter$/,
			),
		});
		expect(later.items.known?.cause).toContain('3306/tcp is open');

		// A repair accepts nothing in the name of the user.
		await run(host, 'iptables -F FW-WIZARD-INPUT');
		expect((await wizard(host, 'check', '--fix')).status).toBe(1);
		expect(Object.keys((await readChecklist(host)).failed)).toEqual(['reached']);
	});

	test('says it before the user confirms, and nothing where there are only our own', async () => {
		const host = await lab.host({backend});
		await run(host, `iptables -A INPUT ${ACCEPT}`);
		const args = ['apply', ...POLICY, '--confirm-within', '3600'];
		const said = new RegExp(`${kept(backend)[0][1].source}[^]*The old rules come back`, 'm');
		await host.start(process.execPath, [CLI, ...args], said);
		expect(await wizardDoes(host, 'confirm', 'keep')).toContain('Kept change 1');
		await run(host, `iptables -D INPUT ${ACCEPT}`);
		expect((await wizard(host, 'apply', ...POLICY)).stderr).not.toContain('Beside the policy');
		await wizardDoes(host, 'undo');
		// What is flushed opens nothing afterwards.
		await run(host, `iptables -A INPUT ${ACCEPT}`);
		const flush = ['--existing', 'flush-input'];
		expect((await wizard(host, 'apply', ...POLICY, ...flush)).stderr).not.toContain('Beside');
	});
});
