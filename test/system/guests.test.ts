import {writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import type {Exposed} from '../../source/exposure/model.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {execute} from '../_helpers/lab/programs.ts';

const BRIDGE = 'incusbr0';
const SERVER = ['apply', '--role', 'server', '--no-helper', '--open', '22/tcp'];
const NAMED = `dnsmasq serves guests on ${BRIDGE}, and is not open to them. To open: 53 on ${BRIDGE}, 67/udp on ${BRIDGE}`;

describe.each(mainly('nft'))('guests on a bridge of this machine, %s', (backend) => {
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
		const file = path.join(host.folder, `leases-${words[1]}`);
		return host.start(
			'dnsmasq',
			[
				...['--keep-in-foreground', '--log-facility=-', '--conf-file=/dev/null', '--no-resolv'],
				...'--no-hosts --no-ping --bind-dynamic --except-interface=lo --user=root --pid-file='.split(
					' ',
				),
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

	test('are named with what they use now, and with the table that lets them in to no effect', async () => {
		await host.must('nft', ['-f', '-'], {
			input: `table inet incus { chain in.${BRIDGE} { type filter hook input priority 0; policy accept; ct state established accept; iifname "${BRIDGE}" udp dport { 53, 67 } accept; iifname "${BRIDGE}" tcp dport 53 accept; }; }`,
		});
		await guest.ip([
			'address replace 10.77.0.60/24 dev eth0',
			'route replace default via 10.77.0.1',
		]);
		await host.sysctl({'net.ipv4.ip_forward': 1});
		const code = (words: string) => ['-e', words];
		const service = await host.start(
			process.execPath,
			code(
				"require('node:net').createServer(() => {}).listen(5432, () => console.log('listens')); for (const port of [514, 516]) require('node:dgram').createSocket('udp4').bind(port);",
			),
			/listens/,
		);
		const client = await guest.start(
			process.execPath,
			code(
				"require('node:net').connect(5432, '10.77.0.1', () => console.log('connected')); const one = require('node:dgram').createSocket('udp4'); setInterval(() => (one.send('line', 514, '10.77.0.1'), one.send('line', 516, '203.0.113.5')), 50);",
			),
			/connected/,
		);
		const {stderr} = await wizard(host, ...SERVER, '--yes');
		expect(stderr).toContain(
			`serve guests on ${BRIDGE} (10.77.0.60 uses it now), and are not open to them, though table inet incus of nftables accepts them: what one table blocks is blocked. To open: 53 on ${BRIDGE}, 67/udp on ${BRIDGE}`,
		);
		expect(stderr).toContain(`5432/tcp on ${BRIDGE}`);
		expect(stderr).toContain(`514/udp on ${BRIDGE}`);
		// Sent to another host, through this machine.
		expect(stderr.split('\n').find((line) => line.includes('serve guests'))).not.toContain(
			'516/udp',
		);
		await host.sysctl({'net.ipv4.ip_forward': 0});
		await wizardDoes(host, 'undo', '--all');
		await host.must('nft', ['delete', 'table', 'inet', 'incus']);
		await Promise.all([service.stop(), client.stop()]);
	}, 120_000);

	test('are tried from in exposure and proof', async () => {
		const open = [...SERVER.slice(1), '--open', `53 on ${BRIDGE}`];
		const {rows} = JSON.parse(await wizardDoes(host, 'exposure', ...open, '--json'));
		const ofGuests = (rows as Exposed[]).filter(({from}) => from === `guests on ${BRIDGE}`);
		expect(
			ofGuests.map(({protocol, ports, before, after}) => [
				...[`${ports[0]?.first}/${protocol}`, before, after],
			]),
		).toEqual(
			expect.arrayContaining([
				['53/tcp', 'open', 'open'],
				['53/udp', 'open', 'open'],
				['67/udp', 'open', 'shut'],
			]),
		);
		const {views} = JSON.parse(await wizardDoes(host, 'prove', ...open, '--json'));
		const view = (views as Array<{vantage: {name: string}; passed: unknown}>).find(
			({vantage}) => vantage.name === `guests on ${BRIDGE}`,
		);
		expect(view?.passed).toEqual({
			tcp: [
				{first: 22, last: 22},
				{first: 53, last: 53},
			],
			udp: [{first: 53, last: 53}],
		});
	}, 120_000);

	test('on a network of Docker reach what is open to them when the network is made anew', async () => {
		const container = await lab.host();
		await lab.join(
			{host, device: 'veth0', addresses: []},
			{host: container, device: 'eth0', addresses: ['172.18.0.2/16']},
		);
		const bridge = async (name: string) =>
			host.ip([
				`link add ${name} type bridge forward_delay 0`,
				`address add 172.18.0.1/16 dev ${name}`,
				`link set ${name} up`,
				`link set veth0 master ${name} up`,
			]);
		const code = (words: string) => ['-e', words];
		const connect =
			"const one = require('node:net').connect({port: 5432, host: '172.18.0.1', timeout: 1500}, () => console.log('connected', one.setTimeout(0) === one)); one.on('error', () => process.exit(1)).on('timeout', () => process.exit(1));";
		const works = async () =>
			(
				await container.run(
					process.execPath,
					code(`${connect}one.on('connect', () => process.exit());`),
				)
			).status === 0;
		await bridge('br-0123456789ab');
		const service = await host.start(
			process.execPath,
			code(
				"require('node:net').createServer(() => {}).listen(5432, () => console.log('listens'));",
			),
			/listens/,
		);
		const client = await container.start(process.execPath, code(connect), /connected/);
		expect((await wizard(host, ...SERVER)).stderr).toContain('To open: 5432/tcp on br-+');
		expect(await works()).toBe(false);
		await wizardDoes(host, ...SERVER, '--open', '5432/tcp on br-+');
		expect(await works()).toBe(true);
		await client.stop();
		await host.ip(['link delete br-0123456789ab']);
		await bridge('br-ba9876543210');
		expect(await works()).toBe(true);
		// One with other hosts behind it whose name begins so as well: the opening is for this bridge alone.
		await host.ip(['link add br-lan type bridge']);
		const again = await container.start(process.execPath, code(connect), /connected/);
		expect((await wizard(host, ...SERVER)).stderr).toContain(
			'To open: 5432/tcp on br-ba9876543210',
		);
		await wizardDoes(host, 'undo', '--all');
		await host.ip(['link delete br-lan', 'link delete br-ba9876543210', 'link delete veth0']);
		await Promise.all([service.stop(), again.stop()]);
	}, 120_000);

	test('are also the devices of a hotspot', async () => {
		await host.ip([
			'link add wlan0 type veth peer name wlan1',
			'address add 10.42.0.1/24 dev wlan0',
			'link set wlan0 up',
			'link set wlan1 up',
		]);
		const server = await serve(
			...['--interface', 'wlan0', '--dhcp-range', '10.42.0.50,10.42.0.90,255.255.255.0'],
		);
		const {rows} = JSON.parse(await wizardDoes(host, 'exposure', ...SERVER.slice(1), '--json'));
		expect(
			(rows as Exposed[])
				.filter(({from, ports}) => from.includes('hosts behind wlan0') && ports[0]?.first === 67)
				.map(({before, after}) => [before, after]),
		).toEqual([['open', 'shut']]);
		await server.stop();
		await host.ip(['link delete wlan0']);
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
		// What a program opens to its own guests is no fault of the policy.
		expect(await wizard(host, 'prove')).toMatchObject({status: 0});
		await wizardDoes(host, 'undo', '--all');
		expect((await execute([...host.enter, 'iptables', '-F', 'INPUT'])).status).toBe(0);
	}, 120_000);
});
