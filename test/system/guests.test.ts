import {writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {execute} from '../_helpers/lab/programs.ts';

const BRIDGE = 'incusbr0';
const SERVER = ['apply', '--role', 'server', '--no-helper', '--open', '22/tcp'];
const NAMED = `dnsmasq serves the hosts behind ${BRIDGE}, and is not open to them. To open: 53 on ${BRIDGE}, 67/udp on ${BRIDGE}`;

describe.each(BACKENDS)('guests on a bridge of this machine, %s', (backend) => {
	const lab = useLab();
	let host: Host;
	let guest: Host;

	beforeAll(async () => {
		host = await lab.host({backend});
		guest = await lab.host();
		await lab.join(
			{host, device: 'tap0', addresses: []},
			{host: guest, device: 'eth0', addresses: []},
		);
		await host.ip([
			`link add ${BRIDGE} type bridge forward_delay 0`,
			`address add 10.77.0.1/24 dev ${BRIDGE}`,
			`address add fd77::1/64 dev ${BRIDGE} nodad`,
			`link set ${BRIDGE} up`,
			`link set tap0 master ${BRIDGE} up`,
			// Not a bridge of guests: the machine's own way out.
			'link add br0 type bridge',
			'address add 198.51.100.1/24 dev br0',
			'link set br0 up',
			'route add default via 198.51.100.9 dev br0',
		]);
		await serve('--interface', BRIDGE, '--dhcp-range', '10.77.0.50,10.77.0.90,255.255.255.0');
	}, 60_000);

	/** A dnsmasq as incus and libvirt start it. */
	const serve = async (...words: readonly string[]) => {
		const file = path.join(host.folder, 'leases');
		await host.start(
			'dnsmasq',
			[
				...['--keep-in-foreground', '--log-facility=-', '--conf-file=/dev/null', '--no-resolv'],
				...[
					'--no-hosts',
					'--no-ping',
					'--bind-dynamic',
					'--except-interface=lo',
					'--user=root',
					'--pid-file=',
				],
				...[`--dhcp-leasefile=${file}`, '--address=/host.test/10.77.0.1', ...words],
			],
			/started/,
		);
	};

	const script = () => {
		const file = path.join(guest.folder, 'lease.sh');
		writeFileSync(file, '#!/bin/sh\n[ "$1" != bound ] || echo "lease $ip"\n', {mode: 0o755});
		return file;
	};

	/** What a guest gets: an address, and the answer to a question. */
	const gets = async () => {
		const lease = await guest.run('busybox', [
			...['udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '3', '-T', '1', '-s', script()],
		]);
		await guest.ip(['address replace 10.77.0.60/24 dev eth0']);
		const answer = await guest.run(process.execPath, [
			'-e',
			`const {Resolver} = require('node:dns'); const one = new Resolver({timeout: 700, tries: 2}); one.setServers(['10.77.0.1']); one.resolve4('host.test', (error, found) => console.log(found?.[0] ?? error.code));`,
		]);
		return {lease: /lease 10\.77\./.test(lease.stdout), name: answer.stdout.trim()};
	};

	test('lose DHCP and DNS where nothing is opened, which is said; and keep them where it is', async () => {
		const works = {lease: true, name: '10.77.0.1'};
		expect(await gets()).toEqual(works);
		const shut = await wizard(host, ...SERVER, '--yes');
		expect(shut.status).toBe(0);
		expect(shut.stderr).toContain(NAMED);
		expect(await gets()).toMatchObject({lease: false, name: expect.not.stringContaining('10.')});
		const open = await wizard(
			host,
			...[...SERVER, '--open', `53 on ${BRIDGE}`, '--open', `67/udp on ${BRIDGE}`, '--yes'],
		);
		expect(open.stderr).not.toContain('dnsmasq');
		expect(await gets()).toEqual(works);
		await wizardDoes(host, 'undo', '--all');
	}, 120_000);

	test('are let in by a rule of their program, and nothing is said', async () => {
		for (const words of ['udp --dport 67', 'udp --dport 53', 'tcp --dport 53']) {
			await host.must('iptables', [
				...['-I', 'INPUT', '-i', BRIDGE, '-p', ...words.split(' '), '-j', 'ACCEPT'],
			]);
		}

		const {stderr} = await wizard(host, ...SERVER, '--yes');
		expect(stderr).not.toContain('dnsmasq');
		expect(await gets()).toEqual({lease: true, name: '10.77.0.1'});
		await wizardDoes(host, 'undo', '--all');
		expect((await execute([...host.enter, 'iptables', '-F', 'INPUT'])).status).toBe(0);
	}, 120_000);
});
