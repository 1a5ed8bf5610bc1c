import {describe, expect, test, vi} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {ownLines, readSaves} from '../_helpers/samples/saves.ts';
import {canLogIn} from '../_helpers/ssh/ssh.ts';

const POLICY = ['--role', 'server', '--verdict', 'drop', '--helper', 'ftp', '--open', '21-22/tcp'];
const RESTORE = '/etc/fw-wizard/restore';
const FLOOR = '/etc/fw-wizard/floor';

/** A service that empties the chains of IPv4, as iptables-services of Red Hat does. */
const IPTABLES = `[Unit]
Before=network-pre.target
Wants=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'iptables -F; iptables -A INPUT -s 192.0.2.99 -j DROP'
ExecReload=/bin/sh -c 'iptables -F; iptables -A INPUT -s 192.0.2.99 -j DROP'
ExecStop=/bin/sh -c 'iptables -F; iptables -X'
[Install]
WantedBy=multi-user.target
`;

/** Holds the lock of iptables for 15 s from before our service starts. */
const LOCKER = `[Unit]
DefaultDependencies=no
Before=fw-wizard.service
[Service]
ExecStart=/usr/bin/flock /run/xtables.lock sh -c 'systemd-notify --ready; exec sleep 15'
Type=notify
NotifyAccess=all
[Install]
WantedBy=multi-user.target
`;

const own = async ({host}: Debian) => {
	const {ipv4, ipv6} = await readSaves(host);
	return {ipv4: ownLines(ipv4), ipv6: ownLines(ipv6)};
};

const stateOf = async ({host}: Debian) =>
	(
		await host.run('systemctl', ['show', '--value', '-p', 'ActiveState', 'fw-wizard'])
	).stdout.trim();

describe.each(suitesHere())('the service of systemd, %s', (suite) => {
	const debians = useDebians(useLab());

	test.each(mainly('nft'))(
		'loads our rules again behind services that empty all tables, %s',
		async (backend) => {
			const debian = await debians.boot(suite, {'/etc/systemd/system/iptables.service': IPTABLES});
			const {host} = debian;
			await debian.install();
			await debian.chooseBackend(backend);
			for (const name of ['nftables', 'iptables']) {
				await host.must('systemctl', ['--quiet', 'enable', '--now', name]);
			}

			await host.must('node', [PROGRAM, 'apply', ...POLICY, '--yes']);
			const applied = await own(debian);
			expect(applied.ipv4.length).toBeGreaterThan(5);
			// Right after the change, as well as after a boot; more often than systemd starts others in a row.
			for (let boots = 0; boots < rounds(1, 2); boots += 1) {
				await (boots > 0 ? debian.reboot() : undefined);
				expect(await own(debian)).toEqual(applied);
				for (const name of ['nftables', 'iptables']) {
					for (const verb of ['restart', 'reload', 'try-restart', 'reload-or-restart', 'restart']) {
						await host.run('systemctl', ['reset-failed', name]);
						await host.must('systemctl', [verb, name]);
						await vi.waitFor(
							async () =>
								expect({verb, state: await stateOf(debian), rules: await own(debian)}).toEqual({
									verb,
									state: 'active',
									rules: applied,
								}),
							{timeout: 30_000, interval: 200},
						);
					}

					await host.must('systemctl', ['stop', name]);
					await host.must('systemctl', ['start', name]);
					await vi.waitFor(async () => expect(await own(debian)).toEqual(applied), {
						timeout: 30_000,
						interval: 200,
					});
				}
			}

			// Stopped by hand it opens nothing.
			await host.must('systemctl', ['stop', 'fw-wizard']);
			expect(await own(debian)).toEqual(applied);
			await host.must('node', [PROGRAM, 'undo', '--all']);
			expect(await host.must('find', ['/etc/systemd/system', '-name', '*fw-wizard*'])).toBe('');
			expect(await host.must('find', ['/etc/systemd/system', '-name', 'nftables.service.*'])).toBe(
				'',
			);
		},
		300_000,
	);

	test.each(mainly('legacy'))(
		'loads the floor and fails where the restore script is damaged, %s',
		async (backend) => {
			const debian = await debians.boot(suite, {
				'/etc/systemd/system/fww-locker.service': LOCKER,
			});
			const {host} = debian;
			await debian.install();
			await debian.chooseBackend(backend);
			await host.must('node', [PROGRAM, 'apply', ...POLICY, '--yes']);
			const applied = await own(debian);
			const script = await host.must('cat', [RESTORE]);
			await host.must('tee', [RESTORE], {input: script.slice(0, script.length / 2)});
			await debian.cutPower();
			expect(await stateOf(debian)).toBe('failed');
			const floor = await own(debian);
			for (const lines of [floor.ipv4, floor.ipv6]) {
				expect(lines).toContain('-A INPUT -j FW-WIZARD-INPUT');
				expect(lines.at(-1)).toBe('-A FW-WIZARD-INPUT -j DROP');
			}

			expect(floor.ipv4.join('\n')).not.toContain('helper');
			expect(await canLogIn(debian, 4)).toBe(true);
			expect(await host.must('journalctl', ['-b', '-u', 'fw-wizard'])).toContain(
				`${RESTORE} is missing or damaged: it is not run`,
			);

			// With the lock of iptables held, both files are tried, and the rules loaded once it is released.
			await host.must('tee', [RESTORE], {input: script});
			await host.must('systemctl', ['--quiet', 'enable', 'fww-locker']);
			await debian.reboot();
			expect({state: await stateOf(debian), rules: await own(debian)}).toEqual({
				state: 'active',
				rules: applied,
			});
			const said = await host.must('journalctl', ['-b', '-u', 'fw-wizard']);
			expect(said.includes('now the IPv4 rules are loaded')).toBe(backend === 'legacy');

			await host.must('systemctl', ['--quiet', 'disable', 'fww-locker']);
			for (const file of [RESTORE, FLOOR]) {
				await host.must('tee', [file], {input: ''});
			}

			await debian.reboot();
			expect({state: await stateOf(debian), rules: await own(debian)}).toEqual({
				state: 'failed',
				rules: {ipv4: [], ipv6: []},
			});
			await host.run('node', [PROGRAM, 'check', '--fix']);
			expect(await own(debian)).toEqual(applied);
			expect(await host.must('cat', [RESTORE])).toBe(script);
		},
		300_000,
	);
});
