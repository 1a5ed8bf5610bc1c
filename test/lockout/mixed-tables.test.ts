import {existsSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {beforeEach, describe, expect, test} from 'vitest';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {CLI, startApply, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';

const OPEN = [
	...['--role', 'server', '--open', '22/tcp'],
	// A chain of their own, in each family.
	...['--open', '443 from 10.0.0.1, 10.0.0.2, 10.0.0.3, fd00::1, fd00::2, fd00::3'],
];

/** What other programs put into the tables of iptables with nft(8), as NetBird does. */
const ADDED = [
	{
		what: 'a base chain of its own, with a set',
		rules: `add set FAMILY filter peers { typeof FAMILY saddr; }
add chain FAMILY filter acl-in { type filter hook input priority 0; policy accept; }
add rule FAMILY filter acl-in iifname "wt0" FAMILY saddr @peers ct state new counter accept
add rule FAMILY filter acl-in tcp dport 22 counter drop`,
		printed: true,
	},
	{
		what: 'a rule in INPUT that iptables cannot print',
		rules: 'insert rule FAMILY filter INPUT ct mark 5 meta cgroup 7 counter accept',
		printed: false,
	},
	{
		what: 'a chain that iptables cannot print',
		rules: `add chain FAMILY filter other
add rule FAMILY filter other ct mark 5 meta cgroup 7 counter accept`,
		printed: false,
	},
];

describe.each(ADDED.slice(0, rounds(1, ADDED.length)))(
	'rules of nftables in the tables of iptables: $what',
	({rules, printed}) => {
		const lab = useLab();
		let host: Host;

		beforeEach(async () => {
			host = await lab.host({backend: 'nft'});
		});

		const add = async () =>
			host.must('nft', ['-f', '-'], {
				input: ['ip', 'ip6'].map((family) => `${rules.replaceAll('FAMILY', family)}\n`).join(''),
			});
		/** What there is of ours, and of the other program. */
		const seen = async () => {
			const listed = await host.must('nft', ['list', 'ruleset']);
			return {
				own: (listed.match(/FW-WIZARD/g) ?? []).length,
				others: listed.match(/@peers|22 counter packets \d+ bytes \d+ drop|ct mark/g)?.length,
			};
		};

		test('undo --all removes our rules, and only them', async () => {
			await wizardDoes(host, 'apply', ...OPEN, '--open', '21/tcp', '--helper', 'ftp');
			await add();
			const {others} = await seen();
			await wizardDoes(host, 'undo', '--all');
			expect(await seen()).toEqual({own: 0, others});
			expect(existsSync(path.join(host.folder, 'etc/fw-wizard'))).toBe(false);
		});

		const start = async (seconds: string) =>
			startApply(host, ...OPEN, '--open', '80/tcp', '--confirm-within', seconds);

		test('a change beside which they come is confirmed', async () => {
			const kept = await start('60');
			await add();
			await wizardDoes(host, 'confirm', 'keep');
			expect(await kept.ended).toBe(0);
		});

		test('check compares our rules, and tries with the others what can be tried', async () => {
			await wizardDoes(host, 'apply', ...OPEN);
			await add();
			const {items} = await readChecklist(host);
			expect(items['running-ipv4']?.state).toBe('ok');
			expect(items['running-ipv6']?.state).toBe('ok');
			expect(items.reached).toMatchObject(
				printed
					? {state: 'failed', cause: expect.stringContaining('22/tcp')}
					: {state: 'open', cause: expect.stringContaining('another program keeps nftables rules')},
			);
			await host.must('iptables', ['-D', 'FW-WIZARD-INPUT', '1']);
			expect((await readChecklist(host)).failed).toHaveProperty('running-ipv4');
		});

		test('undo removes our rules, and only them', async () => {
			await wizardDoes(host, 'apply', ...OPEN);
			await add();
			const {others} = await seen();
			await wizardDoes(host, 'undo');
			expect(await seen()).toEqual({own: 0, others});
		});

		test('a change beside which they come is rolled back by its watchdog', async () => {
			await wizardDoes(host, 'apply', ...OPEN);
			const late = await start('10');
			await add();
			const {others} = await seen();
			expect(await late.ended).toBe(4);
			const input = await host.must('iptables', ['-S', 'FW-WIZARD-INPUT']);
			expect(input).toContain('--dport 22 ');
			expect(input).not.toContain('--dport 80 ');
			const chain = await host.must('nft', ['list', 'chain', 'ip', 'filter', 'INPUT']);
			expect(chain).toContain('jump FW-');
			expect((await seen()).others).toBe(others);
		});

		test('rules that a change has removed come back beside them', async () => {
			const rules = ['-A INPUT -s 192.0.2.7/32 -j DROP', '-A INPUT -j theirs'];
			await host.must('iptables-restore', [], {
				input: `*filter\n:INPUT DROP [0:0]\n:theirs - [0:0]\n${rules.join('\n')}\n-A theirs -p udp -j ACCEPT\nCOMMIT\n`,
			});
			const late = await startApply(
				host,
				...OPEN,
				'--existing',
				'flush-input',
				'--confirm-within',
				'10',
			);
			await add();
			const {others} = await seen();
			expect(await late.ended).toBe(4);
			expect((await seen()).others).toBe(others);
			const chain = await host.must('nft', ['list', 'chain', 'ip', 'filter', 'INPUT']);
			expect(chain).toMatch(/policy drop;[^}]* 192\.0\.2\.7 .*drop\n[^}]*jump theirs/);
		});

		test('the boot loads our rules beside them, and adds no second jump', async () => {
			await wizardDoes(host, 'apply', ...OPEN);
			await add();
			const before = await seen();
			for (const more of ['', 'iptables -F FW-WIZARD-INPUT; ']) {
				await host.must('sh', ['-c', `${more}sh /etc/fw-wizard/restore`]);
				expect(await seen()).toEqual(before);
			}
		});

		if (!printed) {
			return;
		}

		test('an exported script is taken back, and removed', async () => {
			const script = '/etc/firewall.sh';
			await host.must('sh', [
				'-ec',
				`"$@" >${script}`,
				'sh',
				process.execPath,
				CLI,
				'export',
				'shell',
				...OPEN,
			]);
			await host.must('sh', [script]);
			await add();
			const {others} = await seen();
			await host.must('sh', [script, 'undo']);
			expect(await seen()).toEqual({own: 0, others});
			await host.must('nft', ['flush', 'ruleset']);
			await host.must('sh', [script]);
			await host.must('sh', [script, 'keep']);
			await add();
			expect((await host.run('sh', [script, 'status'])).status).toBe(0);
			await host.must('sh', [script, 'remove']);
			expect(await seen()).toEqual({own: 0, others});
			expect((await wizard(host, 'undo', '--all')).status).toBe(0);
		});
	},
);
