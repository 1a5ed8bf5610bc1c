import {beforeAll, describe, expect, test, vi} from 'vitest';
import type {Item} from '../../source/checklist/checklist-item.ts';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {ownLines, readSaves} from '../_helpers/samples/saves.ts';
import {canLogIn} from '../_helpers/ssh/ssh.ts';

const FLAGS = ['--role', 'server', '--helper', 'ftp', '--open', '22/tcp', '--published', 'policy'];
const JUMP = '-A INPUT -j FW-WIZARD-INPUT';

/** Both are read by the shell when ifupdown brings an interface up, and when the script of sshd starts it. */
const WITNESSES = {
	'/etc/network/if-pre-up.d/witness': '#!/bin/sh\niptables-save >"/run/rules-at-$IFACE"\n',
	'/etc/default/ssh': 'iptables-save >/run/rules-at-ssh; ip6tables-save >>/run/rules-at-ssh\n',
};

/**
 * What such a machine may have beside nftables, which flushes all tables at boot, and fail2ban. Debian's
 * iptables-persistent takes ufw away, which is there otherwise, and disabled.
 */
const VARIANTS = [[], ['iptables-persistent'], ['docker.io']].slice(0, rounds(1, 3));

describe.each(
	(['sysvinit', 'openrc'] as const).flatMap((init) =>
		VARIANTS.map((packages) => ({init, packages})),
	),
)('a Debian that boots with $init, with $packages', ({init, packages}) => {
	const debians = useDebians(useLab());
	let debian: Debian;
	const sh = async (text: string) => debian.host.must('sh', ['-ec', text]);
	const check = async (...flags: readonly string[]): Promise<Readonly<Record<string, Item>>> => {
		const {stdout} = await debian.host.run('node', [PROGRAM, 'check', '--json', ...flags]);
		const {items} = JSON.parse(stdout) as {items: readonly Item[]};
		return Object.fromEntries(items.map((item) => [item.id, item]));
	};
	const addToBoot = {
		sysvinit: 'update-rc.d fail2ban enable; [ ! -x /usr/sbin/ufw ] || update-rc.d ufw enable',
		openrc: 'rc-update add fail2ban default; [ ! -x /usr/sbin/ufw ] || rc-update add ufw sysinit',
	}[init];

	beforeAll(async () => {
		debian = await debians.boot('bookworm', WITNESSES, {init, packages});
		await debian.install();
		await sh(`chmod 755 /etc/network/if-pre-up.d/witness; ${addToBoot}`);
	}, 600_000);

	test('has the rules before the network and before the first service, at each boot', async () => {
		expect(await debian.host.must('node', [PROGRAM, 'apply', ...FLAGS, '--yes'])).toContain(
			`At boot: ${init} (detected; to change it: --boot); but / is an overlay, which may forget`,
		);
		expect((await check()).service).toMatchObject({
			state: 'ok',
			title: `the boot service (${init}) is enabled and valid`,
		});
		const {ipv4, ipv6} = await readSaves(debian.host);
		for (const boot of ['first', 'second']) {
			await debian.reboot();
			const seen = await sh(`cd /run; grep -c -- '${JUMP}' rules-at-*`);
			expect({boot, seen: seen.trim().split('\n')}).toEqual({
				boot,
				seen: ['rules-at---all:1', 'rules-at-eth0:1', 'rules-at-lo:1', 'rules-at-ssh:2'],
			});
			const after = await readSaves(debian.host);
			expect(after.ipv4).toContain(JUMP);
			expect({ipv4: ownLines(after.ipv4), ipv6: ownLines(after.ipv6)}).toEqual({
				ipv4: ownLines(ipv4),
				ipv6: ownLines(ipv6),
			});
			expect(await canLogIn(debian, 4)).toBe(true);
		}

		// The watch, which the script that comes last has started.
		await sh('iptables -F; ip6tables -F');
		await vi.waitFor(async () => expect((await readSaves(debian.host)).ipv6).toContain(JUMP), {
			timeout: 30_000,
			interval: 200,
		});
		expect((await check()).watch?.cause).toContain('repaired once since the boot');

		expect(await check()).toMatchObject({
			service: {state: 'ok'},
			rehearsal: {state: 'ok'},
			loaders: {state: 'ok'},
			survived: {state: 'ok'},
		});
	}, 240_000);

	test('leaves no loop: scripts can be added and removed as before', async () => {
		const said = await sh('update-rc.d fail2ban disable 2>&1; update-rc.d fail2ban enable 2>&1');
		expect(said).not.toMatch(/loop|FATAL|exiting/i);
		if (init === 'openrc') {
			expect(await sh('rc-update --update 2>&1')).not.toMatch(/loop/i);
		}
	});

	test('is found where the init system does not start it, and put back', async () => {
		await sh(
			init === 'openrc'
				? 'rc-update delete fw-wizard-again sysinit'
				: 'update-rc.d -f fw-wizard-again remove',
		);
		expect((await check()).service).toMatchObject({
			state: 'failed',
			cause: {
				openrc: 'fw-wizard-again is not in the runlevel sysinit',
				sysvinit: 'no runlevel starts /etc/init.d/fw-wizard-again',
			}[init],
		});
		expect((await check('--fix')).service).toMatchObject({state: 'ok'});
	});

	test('restarts and stops without opening the machine, and falls back to the floor', async () => {
		const before = await readSaves(debian.host);
		const said = await sh(
			'for verb in restart stop start; do /etc/init.d/fw-wizard $verb; done 2>&1',
		);
		expect(said).toContain('Loading the firewall rules of fw-wizard');
		expect(said).toContain('The firewall rules of fw-wizard stay');
		expect(await readSaves(debian.host)).toEqual(before);
		const damaged = await sh(
			'echo >>/etc/fw-wizard/restore; /etc/init.d/fw-wizard restart 2>&1 || echo failed',
		);
		expect(damaged).toContain('fw-wizard: /etc/fw-wizard/restore is missing or damaged');
		expect(damaged).toMatch(/failed\n$/);
		expect((await readSaves(debian.host)).ipv4).toContain('-A FW-WIZARD-INPUT -j REJECT');
	});

	test('is gone after undo --all', async () => {
		await debian.host.must('node', [PROGRAM, 'undo', '--all']);
		expect(await sh('find /etc -name "*fw-wizard*"')).toBe('');
	});
});
