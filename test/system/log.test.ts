import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {withShortCommands, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {PROGRAM} from '../_helpers/lab/debian.ts';
import {runEmulated} from '../_helpers/lab/emulated.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {joinedPair, OUTSIDE} from '../_helpers/lab/pair.ts';
import {rounds} from '../_helpers/lab/rounds.ts';

/** Sends as many UDP packets to each port as the arguments say: `23:6000`. */
const FLOOD = `
const socket = require('node:dgram').createSocket('udp4');
const [address, ...ports] = process.argv.slice(1);
const send = (port) => new Promise((resolve) => socket.send('x', port, address, resolve));
(async () => {
	for (const [port, count] of ports.map((text) => text.split(':').map(Number))) {
		for (let sent = 0; sent < count; sent += 1) {
			await send(port);
		}
	}
	socket.close();
})();`;

describe.each(mainly('legacy'))('what was blocked (%s)', (backend) => {
	const lab = useLab();
	let target: Host;
	let probe: Host;

	async function blocked() {
		return JSON.parse(await wizardDoes(target, 'log', '--json'));
	}

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, backend));
	});

	test('is nothing without a policy', async () => {
		const {status, stdout} = await wizard(target, 'log');
		expect(status).toBe(0);
		expect(stdout).toMatch(/^No policy is applied/);
	});

	test('is counted packet by packet, however few of them are logged', async () => {
		await wizardDoes(target, 'apply', '--role', 'server', '--log', '--block', OUTSIDE.probe);
		await probe.must(process.execPath, ['-e', FLOOD, OUTSIDE.target, '23:6000', '3306:4000']);
		const {logging, counted} = await blocked();
		expect(logging).toBe(true);
		const ipv4 = counted.rules.filter(({family}: {family: number}) => family === 4);
		expect(ipv4).toContainEqual({
			...{family: 4, packets: 10_000, part: 'blocked', reason: `You blocked ${OUTSIDE.probe}`},
		});
		expect(ipv4).toContainEqual(expect.objectContaining({packets: 0, part: 'verdict'}));
		expect((await wizard(target, 'log')).stdout).toMatch(/^ {2}10,000 from blocked addresses$/m);
	}, 120_000);

	test('says how logging is switched on, and that keeps the policy', async () => {
		await wizardDoes(target, 'apply', '--role', 'server', '--verdict', 'drop', '--open', '53');
		await probe.must(process.execPath, ['-e', FLOOD, OUTSIDE.target, '80:1500', '53:20']);
		const {stdout} = await wizard(target, 'log');
		expect(stdout).toMatch(/^ {2}1500 to ports that are not open$/m);
		const [, command = ''] = /^ {2}fw-wizard (apply .*)$/m.exec(withShortCommands(stdout)) ?? [];
		await wizardDoes(target, ...command.split(' '));
		expect(await blocked()).toMatchObject({logging: true});
		expect((await wizard(target, 'diff', '2')).stdout).toMatch(
			/In the policy:\n {2}- log off\n {2}\+ log on\n$/,
		);
	}, 120_000);

	test.each([
		['a time that is none', ['--since', '1 fortnight']],
		['a time that is an escape sequence', ['--since', '\u001B[2J']],
	])('refuses %s', async (_, words) => {
		const {status, stderr} = await wizard(target, 'log', ...words);
		expect(status).toBe(2);
		expect(stderr).toMatch(/is not a time\n/);
		expect(stderr).not.toContain('\u001B');
	});
});

/** Two floods, a scan of TCP ports, and lines that only pretend to be the kernel's. */
const ATTACKED = `
mark() { printf '\\n--- %s\\n' "$1"; }
ip netns add fww-out
ip link add fww0 type veth peer name eth0 netns fww-out
ip address add 198.51.100.1/24 dev fww0
ip -n fww-out address add 198.51.100.2/24 dev eth0
ip link set fww0 up
ip -n fww-out link set eth0 up
# The first save loads the kernel's modules, which takes long in an emulator.
iptables-save; ip6tables-save
node ${PROGRAM} apply --role server --open 22/tcp --log --yes || exit
ip netns exec fww-out node -e '${FLOOD.replaceAll("'", '"')}' 198.51.100.1 23:6000 3306:4000
for port in $(seq 101 130); do ip netns exec fww-out bash -c "</dev/tcp/198.51.100.1/$port"; done
printf '<4>fw-wizard: IN=fww0 OUT= SRC=203.0.113.66 DST=198.51.100.1 LEN=40 PROTO=TCP SPT=1 DPT=666 \\033[31m\\n' >/dev/kmsg
sleep 2
mark counters
iptables-save -c -t filter; ip6tables-save -c -t filter
mark json
node ${PROGRAM} log --json
mark text
node ${PROGRAM} log
mark kernel
cat /proc/sys/kernel/printk /proc/sys/net/netfilter/nf_log_all_netns
mark end
`;

if (rounds(0, 1) === 1) {
	test('what was blocked, in a Debian that was booted with a kernel of its own', async () => {
		const printed = await runEmulated(ATTACKED);
		expect(printed).toContain('--- end');
		const parts = new Map(
			printed
				.split(/^--- /m)
				.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
		);
		const found = JSON.parse(parts.get('json') ?? '');
		const lines = (parts.get('counters') ?? '').split('\n');
		const blocking = lines.filter((line) => /-A FW-WIZARD.* -j (?:DROP|REJECT)/.test(line));
		const counts = blocking.map((line) => Number(/^\[(\d+):/.exec(line)?.[1]));
		const total = counts.reduce((sum, count) => sum + count, 0);
		expect(total).toBeGreaterThanOrEqual(10_030);
		expect(found.counted.packets).toBe(total);
		expect(found.logging).toBe(true);
		// Ten a minute after the first few: so few of 10,030.
		expect(found.lines).toBeGreaterThan(4);
		expect(found.lines).toBeLessThan(60);
		expect(found.ports[0]).toMatchObject({protocol: 'udp', port: 23});
		expect(found.sources[0]).toMatchObject({address: '198.51.100.2'});
		const text = parts.get('text') ?? '';
		expect(text).not.toContain('203.0.113.66');
		expect(text).toMatch(/^[\x20-\x7E\n]*$/);
		// The console gets warnings at most, and other network namespaces log nothing.
		expect(parts.get('kernel')).toMatch(/^4\t.*\n0\n/);
	}, 1_800_000);
}
