import {writeFileSync} from 'node:fs';
import path from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {beforeAll, describe, expect, test} from 'vitest';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {joinedPair} from '../_helpers/lab/pair.ts';
import {ONE_CARD} from '../_helpers/samples/proofs.ts';

/** The addresses that the two machines share: one of them has both. */
const SHARED = {4: '198.51.100.100', 6: 'fe80::64'} as const;

/** Messages of the other machine that must pass before a pair counts as kept. A machine takes over after three are missing. */
const MESSAGES = 8;
const TIMEOUT_MS = 60_000;

function configuration(state: 'MASTER' | 'BACKUP', priority: number): string {
	const instance = (name: string, more: string, address: string) => `
vrrp_instance ${name} {
	state ${state}
	interface eth0
	virtual_router_id 51
	priority ${priority}
	advert_int 1
	${more}
	virtual_ipaddress {
		${address}
	}
}
`;
	return `global_defs {
	vrrp_garp_master_delay 0
}
${instance('four', '', `${SHARED[4]}/24`)}${instance('six', 'native_ipv6', `${SHARED[6]}/64`)}`;
}

async function startKeepalived(host: Host, state: 'MASTER' | 'BACKUP', priority: number) {
	const file = path.join(host.folder, 'keepalived.conf');
	writeFileSync(file, configuration(state, priority));
	const pids = ['-p', '-r', '-c'].flatMap((flag) => [
		flag,
		path.join(host.folder, `keepalived${flag}.pid`),
	]);
	return host.start(
		'keepalived',
		['-n', '-l', '-P', '-f', file, ...pids],
		/Entering (?:BACKUP|MASTER)/,
	);
}

describe('a pair of keepalived', () => {
	const lab = useLab();
	let hosts: readonly Host[];
	let backup: Host;

	/** How many machines have each of the two addresses now. */
	async function masters(): Promise<readonly number[]> {
		const lists = await Promise.all(
			hosts.map(async (host) => host.must('ip', ['-o', 'address', 'show', 'dev', 'eth0'])),
		);
		return Object.values(SHARED).map(
			(address) => lists.filter((text) => text.includes(` ${address}/`)).length,
		);
	}

	async function until(wanted: string): Promise<void> {
		const end = Date.now() + TIMEOUT_MS;
		while (`${await masters()}` !== wanted && Date.now() < end) {
			await delay(100);
		}

		expect(`${await masters()}`).toBe(wanted);
	}

	beforeAll(async () => {
		const {target, probe} = await joinedPair(lab, 'nft');
		hosts = [probe, target];
		backup = target;
		await startKeepalived(probe, 'MASTER', 150);
		await until('1,1');
		await startKeepalived(target, 'BACKUP', 100);
		await until('1,1');
	});

	test('is named before rules that block it are loaded, and then splits', async () => {
		expect(await wizardDoes(backup, 'facts')).toMatch(
			/vrrp, IPv4\+IPv6, keepalived \d+, raw socket/,
		);
		const {status, stderr} = await wizard(backup, 'apply', '--role', 'server');
		expect(status).toBe(0);
		expect(stderr).toContain('keepalived receives VRRP, which is not open. To open: vrrp.');
		await until('2,2');
	}, 120_000);

	test('keeps one master through apply where VRRP is open, on both machines', async () => {
		await wizardDoes(
			backup,
			'apply',
			'--role',
			'server',
			'--open',
			'ssh',
			'--open',
			'vrrp on eth0',
		);
		await until('1,1');
		// Both begin without rules.
		await wizardDoes(backup, 'undo', '--all');
		await until('1,1');
		for (const host of hosts) {
			const {stderr} = await wizard(
				host,
				...['apply', '--role', 'server', '--open', 'ssh', '--open', 'vrrp'],
			);
			expect(stderr).not.toContain('VRRP');
		}

		for (const family of [4, 6] as const) {
			const save = family === 4 ? 'iptables-save' : 'ip6tables-save';
			const passed = async () =>
				Number(
					/\[(\d+):\d+\] -A FW-WIZARD-INPUT -p vrrp /.exec(await backup.must(save, ['-c']))?.[1],
				);
			const end = Date.now() + TIMEOUT_MS;
			while ((await passed()) < MESSAGES && Date.now() < end) {
				expect(await masters()).toEqual([1, 1]);
				await delay(100);
			}

			expect(await passed()).toBeGreaterThanOrEqual(MESSAGES);
		}

		expect(await masters()).toEqual([1, 1]);
		expect(await hosts[0]?.must('ip', ['-o', 'address'])).toContain(SHARED[4]);
	}, 180_000);
});

describe('IPsec of the kernel', () => {
	const lab = useLab();

	test('is named with the protocol that its peers send, before rules that block it are loaded', async () => {
		const host = await lab.host();
		const template = 'tmpl src 203.0.113.9 dst 198.51.100.1 proto esp reqid 1 mode tunnel';
		await host.ip([`xfrm policy add src 10.2.0.0/16 dst 10.1.0.0/16 dir in ${template}`]);
		expect(await wizardDoes(host, 'facts')).toContain('esp, IPv4, IPsec');
		const blocked = await wizard(host, 'apply', '--role', 'server');
		expect(blocked.stderr).toContain('IPsec receives ESP, which is not open. To open: esp.');
		const opened = await wizard(host, 'apply', '--role', 'server', '--open', 'esp on eth9');
		expect(opened.stderr).not.toContain('not open');
		expect(opened.stderr).toContain('There is no interface eth9 now: esp on eth9 opens nothing');
		expect(opened.stderr).toContain('esp may need 500/udp and 4500/udp as well.');
	});
});

describe('check of protocols without ports', () => {
	const lab = useLab();

	test('names rules of others that block what is opened, or open what is not', async () => {
		const host = await lab.host();
		await host.ip(ONE_CARD);
		await wizardDoes(host, 'apply', '--role', 'server', '--open', 'ssh', '--open', 'vrrp');
		expect((await readChecklist(host)).items.protocols).toBeUndefined();
		await host.must('iptables', ['-I', 'INPUT', '1', '-p', 'gre', '-j', 'ACCEPT']);
		expect((await readChecklist(host)).items.protocols).toMatchObject({
			state: 'open',
			cause: 'GRE passes (rule 1 of INPUT)',
		});
		await host.must('ip6tables', ['-I', 'INPUT', '1', '-d', 'ff00::/8', '-j', 'DROP']);
		expect((await readChecklist(host)).items.protocols).toMatchObject({
			state: 'failed',
			cause: 'VRRP to ff02::12 does not pass (rule 1 of INPUT); GRE passes (rule 1 of INPUT)',
		});
	}, 120_000);
});
