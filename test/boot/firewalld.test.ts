import {beforeAll, describe, expect, test, vi} from 'vitest';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {SUITES} from '../_helpers/lab/debian-root.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {readAll} from '../_helpers/samples/existing-rules.ts';

const SERVER = ['--role', 'server'];
const POLICY = [...SERVER, '--open', '22/tcp', '--switch-off', 'firewalld'];
/** What an administrator, or fail2ban, never saves. */
const UNSAVED = [
	['--add-port=8080/tcp', '--add-port=9000-9010/udp'],
	['--remove-service=dhcpv6-client'],
	[
		"--add-rich-rule=rule family='ipv4' source address='198.51.100.66' port port='22' protocol='tcp' reject",
	],
	['--zone=trusted', '--add-interface=wg9'],
	['--zone=drop', '--add-source=203.0.113.0/24'],
];

/** The policies and zones that the package of libvirt brings, whose networks are not there. */
const LIBVIRT = {
	'/usr/lib/firewalld/zones/libvirt-routed.xml': '<zone><short>libvirt-routed</short></zone>\n',
	'/usr/lib/firewalld/zones/libvirt.xml':
		'<zone target="ACCEPT"><rule priority="32767"><reject/></rule><protocol value="icmp"/><service name="dhcp"/><service name="dns"/><service name="ssh"/><service name="tftp"/></zone>\n',
	...Object.fromEntries(
		[
			['libvirt-routed-in', 'ACCEPT', 'ANY', 'libvirt-routed', ''],
			['libvirt-routed-out', 'ACCEPT', 'libvirt-routed', 'ANY', ''],
			['libvirt-to-host', 'REJECT', 'libvirt-routed', 'HOST', '<service name="ssh"/>'],
		].map(([name, target, from, to, more]) => [
			`/usr/lib/firewalld/policies/${name}.xml`,
			`<policy target="${target}"><ingress-zone name="${from}"/><egress-zone name="${to}"/>${more}</policy>\n`,
		]),
	),
};

/** firewalld 1.3 of bookworm; and 2.3 of trixie, which owns its table: nobody else may change it. */
describe.each(SUITES)('firewalld of %s', (suite) => {
	const lab = useLab();
	const debians = useDebians(lab);
	let debian: Debian;
	let host: Host;

	const table = async (): Promise<string> =>
		(await host.run('nft', ['list', 'table', 'inet', 'firewalld'])).stdout;
	const unit = async (): Promise<string> => {
		const states = await Promise.all(
			['is-enabled', 'is-active'].map(async (word) => host.run('systemctl', [word, 'firewalld'])),
		);
		return states.map(({stdout}) => stdout.trim()).join(' ');
	};
	const state = async () => ({
		unit: await unit(),
		// What was not saved is added behind the rest where the daemon has started anew.
		table: (await table()).split('\n').sort(),
		rules: await readAll(host),
		zones: await host.must('firewall-cmd', ['--list-all-zones']),
	});

	beforeAll(async () => {
		debian = await debians.boot(suite, LIBVIRT);
		host = debian.host;
		await debian.install();
		await host.must('systemctl', ['enable', '--now', 'firewalld']);
		for (const words of ['--add-service=https', '--add-port=8000-8010/tcp']) {
			await host.must('firewall-cmd', ['--permanent', ...words.split(' ')]);
			await host.must('firewall-cmd', words.split(' '));
		}

		for (const words of UNSAVED) {
			await host.must('firewall-cmd', words);
		}
	}, 600_000);

	test('is refused beside, and what it lets in is imported', async () => {
		const before = await state();
		const {neighbours} = JSON.parse(await host.must('node', [PROGRAM, 'facts', '--json']));
		expect(neighbours).toContainEqual(
			expect.objectContaining({
				name: 'firewalld',
				means: expect.stringMatching(/^It owns the firewall/),
			}),
		);
		const words = [...SERVER, '--open', '22/tcp', '--yes'];
		expect(await host.run('node', [PROGRAM, 'apply', ...words])).toMatchObject({
			status: 3,
			stderr:
				'fw-wizard: firewalld owns the firewall of this machine\nStay with it; or let it be switched off, which undo reverses: --switch-off firewalld\n',
		});
		expect(await state()).toEqual(before);
		const switched = [...SERVER, '--switch-off', 'firewalld', '--json'];
		const {policy} = JSON.parse(await host.must('node', [PROGRAM, 'rules', ...switched]));
		expect(policy.blocked).toEqual(['198.51.100.66']);
		// What is set for good; the zone of wg9 as it is now.
		expect([...policy.openings].sort()).toEqual([
			...['1-65535 on wg9', '22/tcp on eth0', '443/tcp on eth0', '8000-8010/tcp on eth0'],
		]);
	});

	test('is switched off, and back as it was, every time', async () => {
		const before = await state();
		expect(before.unit).toBe('enabled active');
		expect(before.table.join('').includes('owner,persist')).toBe(suite === 'trixie');
		expect(before.zones).toContain('198.51.100.66');
		for (let round = 1; round <= rounds(1, 20); round += 1) {
			const applied = await host.run('node', [PROGRAM, 'apply', ...POLICY, '--yes']);
			expect(applied, `round ${round}`).toMatchObject({
				status: 0,
				stderr: expect.stringMatching(
					/^What firewalld bans stays blocked: 198\.51\.100\.66\. .*\n$/,
				),
			});
			expect(await table()).toBe('');
			expect(await unit()).toBe('disabled inactive');
			expect(await host.must('iptables', ['-S', 'INPUT'])).toContain('FW-WIZARD-INPUT');
			const undone = await host.run('node', [PROGRAM, 'undo']);
			expect(undone, `round ${round}`).toMatchObject({status: 0});
			expect(await state(), `round ${round}`).toEqual(before);
		}
	}, 600_000);

	test('is back as it was where the change is not confirmed', async () => {
		const before = await state();
		const limit = ['--confirm-within', '10'];
		expect(await host.run('node', [PROGRAM, 'apply', ...POLICY, ...limit])).toMatchObject({
			status: 4,
		});
		await vi.waitFor(async () => expect(await state()).toEqual(before), {
			timeout: 60_000,
			interval: 500,
		});
	}, 120_000);
});
