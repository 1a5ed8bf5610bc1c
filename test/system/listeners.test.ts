import {existsSync} from 'node:fs';
import process from 'node:process';
import {beforeAll, describe, expect, it} from 'vitest';
import type {FactSheet} from '../../source/commands/fact-sheet.ts';
import {printable} from '../../source/lib/printable.ts';
import {adviseOn} from '../../source/services/advice.ts';
import type {Listener} from '../../source/services/listener.ts';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {execute} from '../_helpers/lab/programs.ts';
import {UNSAFE} from '../_helpers/samples/errors.ts';
import {listen, startServices} from './services.ts';

/** Sets the title of a terminal, clears it, and closes what ss puts around a name. */
const HOSTILE = '\u001b]0;x\u0007\u001b[2J"))';
const RIGHT_TO_LEFT = 'a\u202eb\nc';

/** A socket as ss says it: where it listens, its families, and all processes that hold it. */
type Row = {readonly where: string; readonly pids: readonly number[]};

/** Reads `ss -Hlntupe`, whose columns may hold anything between `users:` and `ino:`. */
function readSs(text: string): readonly Row[] {
	return text
		.split(/\n(?=(?:tcp|udp) )/)
		.filter(Boolean)
		.map((line) => {
			const [protocol = '', , , , local = ''] = line.split(/\s+/);
			const [, host = '', device, port] = /^(.*?)(?:%([^:\]]+))?:(\d+)$/.exec(local) ?? [];
			const bare = host.replaceAll(/[[\]]/g, '').replace(/^::ffff:(?=\d+\.)/, '');
			const address = bare === '*' ? '::' : bare;
			const dual = address === '::' && line.includes(' v6only:0');
			const families = dual ? '4+6' : address.includes(':') ? '6' : '4';
			return {
				where: `${protocol} ${address}${device === undefined ? '' : `%${device}`} ${port} ${families}`,
				pids: [...line.matchAll(/,pid=(\d+),fd=\d+\)/g)].map(([, pid]) => Number(pid)),
			};
		});
}

const whereOf = ({protocol, address, on, port, families}: Listener) =>
	`${protocol} ${address}${on === undefined ? '' : `%${on}`} ${port} ${families.join('+')}`;

describe('what listens on a machine', () => {
	const lab = useLab();
	let host: Host;
	let machine: FactSheet;
	let listeners: readonly Listener[];
	let rows: readonly Row[];

	beforeAll(async () => {
		host = await lab.host();
		const other = await lab.host();
		await lab.join(
			{host, device: 'eth0', addresses: ['198.51.100.1/24', '2001:db8::1/64']},
			{host: other, device: 'eth0', addresses: ['198.51.100.2/24', '2001:db8::2/64']},
		);
		await startServices(host);
		await listen(
			host,
			{protocol: 'tcp', host: '::', port: 3000},
			{protocol: 'tcp', host: '::', port: 3001, ipv6Only: true},
			{protocol: 'tcp', host: '127.0.0.1', port: 3002},
			{protocol: 'tcp', host: '::ffff:127.0.0.1', port: 3003},
			{protocol: 'tcp', host: '::1', port: 3004},
			{protocol: 'tcp', host: '2001:db8::1', port: 3005},
			{protocol: 'udp6', host: '::', port: 3006},
			{protocol: 'udp6', host: '::', port: 3007, ipv6Only: true},
			{protocol: 'udp4', host: '198.51.100.1', port: 3008},
		);
		await listen(host, {protocol: 'tcp', host: '0.0.0.0', port: 3010}, {name: HOSTILE});
		await listen(host, {protocol: 'tcp', host: '0.0.0.0', port: 3011}, {name: RIGHT_TO_LEFT});
		const socat = ['UDP4-RECVFROM:3012,so-bindtodevice=eth0', '-'];
		await host.start('sh', ['-c', 'echo begun; exec socat "$@"', 'sh', ...socat], /begun/);
		await host.must('sh', ['-c', 'until ss -Hlnu | grep -q :3012; do sleep 0.05; done']);
		machine = JSON.parse(await wizardDoes(host, 'facts', '--json'));
		listeners = machine.listeners as readonly Listener[];
		rows = readSs(await host.must('ss', ['-Hlntupe']));
	});

	it('is what ss says, socket by socket, with a process that holds it', () => {
		expect(rows.length).toBeGreaterThan(20);
		expect([...new Set(listeners.map(whereOf))].sort()).toEqual(
			[...new Set(rows.map(({where}) => where))].sort(),
		);
		for (const listener of listeners) {
			const holders = rows
				.filter(({where}) => where === whereOf(listener))
				.flatMap(({pids}) => pids);
			expect(holders, whereOf(listener)).toContain(listener.pid);
		}
	});

	it('has the names and users of its processes as ps has them', async () => {
		const pids = [...new Set(listeners.map(({pid}) => pid))];
		for (const pid of pids) {
			const user = (await host.must('ps', ['-o', 'user:32=', '-p', `${pid}`])).trim();
			const name = await host.must('cat', [`/proc/${pid}/comm`]);
			const ours = listeners.filter((listener) => listener.pid === pid);
			expect(ours.map((listener) => listener.user)).toEqual(ours.map(() => user));
			expect(ours.map(({process}) => process)).toEqual(
				ours.map(() => printable(name.replace(/\n$/, ''))),
			);
		}
	});

	it('is of the real programs, of which one listens for all', () => {
		const found = (port: number) =>
			listeners
				.filter((listener) => listener.port === port)
				.map(({process, user, reach, families}) => `${process} ${user} ${reach} ${families}`)
				.sort();
		expect(found(22)).toEqual(['sshd root outside 4', 'sshd root outside 6']);
		expect(found(80)).toEqual(['nginx root outside 4', 'nginx root outside 6']);
		expect(found(8081)).toEqual(['nginx root loopback 4']);
		expect(found(5432)).toEqual(['postgres postgres outside 4', 'postgres postgres outside 6']);
		expect(found(6379)).toEqual(['redis-server root loopback 6', 'redis-server root outside 4']);
		expect(found(5353)).toEqual(['avahi-daemon avahi outside 4', 'avahi-daemon avahi outside 6']);
		expect(found(631)).toEqual(['cupsd root loopback 4', 'cupsd root loopback 6']);
		expect(found(3000)).toEqual(['node root outside 4,6']);
		expect(found(3002)).toEqual(['node root loopback 4']);
		expect(found(3003)).toEqual(['node root loopback 4']);
	});

	it.each([
		{port: 22, unit: 'ssh.service', socketUnit: 'ssh.socket'},
		{port: 80, unit: 'nginx.service'},
		{port: 5432, unit: 'postgresql@15-main.service'},
		{port: 6379, unit: 'redis-server.service'},
		{port: 5353, unit: 'avahi-daemon.service', socketUnit: 'avahi-daemon.socket'},
		{port: 8631, unit: 'cups.service', socketUnit: 'cups.socket'},
	])('is advised on with units and files that its package has: $unit', ({port, ...units}) => {
		const listener = listeners.find((each) => each.port === port);
		expect(listener).toBeDefined();
		const {stop, loopback} = adviseOn({...(listener as Listener), ...units});
		const [systemctl, disable, now, ...stopped] = stop?.split(' ') ?? [];
		expect([systemctl, disable, now]).toEqual(['systemctl', 'disable', '--now']);
		expect(stopped.length).toBeGreaterThan(0);
		for (const unit of stopped) {
			expect(existsSync(`/lib/systemd/system/${unit}`), unit).toBe(true);
		}

		// Multicast DNS that only this machine hears would be of no use.
		expect(loopback === undefined).toBe(port === 5353);
		expect(loopback === undefined || existsSync(loopback.file), loopback?.file).toBe(true);
	});

	it('makes a server of it, and says by what', () => {
		expect(machine.recommended).toEqual({
			role: 'server',
			reason: 'nginx, postgresql and redis listen on all addresses',
		});
	});

	it('comes to the terminal without a control character, in text and JSON', async () => {
		for (const words of [
			['facts'],
			['facts', '--json'],
			['facts', '--mask'],
			['facts', '--json', '--mask'],
			['exposure'],
			['exposure', '--json'],
		]) {
			const {stdout, stderr, status} = await host.run(process.execPath, [CLI, ...words]);
			expect({stderr, status}).toEqual({stderr: '', status: 0});
			expect(stdout.replaceAll(/[\n\t]/g, '')).not.toMatch(UNSAFE);
			expect(stdout).toContain(words.includes('--json') ? '?]0;x??[2J\\"))' : '?]0;x??[2J"))');
			expect(stdout).toContain('a?b?c');
		}
	});

	it('is masked without losing which address is which', async () => {
		const text = await wizardDoes(host, 'facts', '--json', '--mask');
		expect(text).not.toMatch(/198\.51\.100|2001:db8/);
		const masked: FactSheet = JSON.parse(text);
		const eth0 = masked.interfaces.find(({name}) => name === 'eth0')?.addresses ?? [];
		const [ipv4] = eth0.map(({cidr}) => cidr);
		expect(ipv4).toMatch(/^ipv4-other-1\/24$/);
		const bound = (masked.listeners as readonly Listener[]).find(({port}) => port === 3008);
		expect(`${bound?.address}/24`).toBe(ipv4);
	});

	it('is found without ss too, which only makes IPv4 on an IPv6 socket uncertain', async () => {
		const hidden = [
			'sh',
			'-c',
			'mount --bind /dev/null "$(readlink -f /usr/bin/ss)"; exec "$@"',
			'sh',
		];
		const {stdout} = await execute([
			...[...host.enter, 'unshare', '--mount', ...hidden],
			...[process.execPath, CLI, 'facts', '--json'],
		]);
		const blind: FactSheet = JSON.parse(stdout);
		expect(blind.missing.join('\n')).toMatch(/ss is not installed/);
		const found = blind.listeners as readonly Listener[];
		const key = ({protocol, address, port, pid}: Listener) =>
			[protocol, address, port, pid].join(' ');
		expect(found.map(key).sort()).toEqual(listeners.map(key).sort());
		const uncertain = found.filter(({ipv4Unknown}) => ipv4Unknown).map(({port}) => port);
		expect(uncertain.sort()).toEqual([3000, 3001, 3006, 3007]);
		expect(found.find(({port, address}) => port === 22 && address === '::')?.families).toEqual([6]);
	});
});
