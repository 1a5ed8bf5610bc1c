import {describe, expect, test, vi} from 'vitest';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {ownLines, readSaves} from '../_helpers/samples/saves.ts';
import {loginWords} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {type Probed, readWitness, rebootUnderProbe} from './probe.ts';

const POLICY = '--role server --verdict drop --no-helper --open 22/tcp'.split(' ');
const UNITS = ['fw-wizard-watch.service', 'fw-wizard-look.service', 'fw-wizard-watch.timer'];

/** Empties the chains of iptables some seconds after the boot, as a script of somebody's own does. */
const LATE = `[Service]
ExecStart=/bin/sh -c 'sleep 6; iptables -F; ip6tables -F'
[Install]
WantedBy=multi-user.target
`;

describe.each(suitesHere())('the watch after the boot, %s', (suite) => {
	const lab = useLab();
	const debians = useDebians(lab);
	const terminals = useTerminals();

	const own = async ({host}: Debian) => {
		const {ipv4, ipv6} = await readSaves(host);
		return {ipv4: ownLines(ipv4), ipv6: ownLines(ipv6)};
	};
	const journal = async ({host}: Debian) =>
		host.must('journalctl', ['-b', '-o', 'cat', '-t', 'fw-wizard']);

	test('repairs what a service takes away, and tells the journal, logins and check', async () => {
		const debian = await debians.boot(suite, {'/etc/systemd/system/fww-late.service': LATE});
		const {host} = debian;
		await debian.install();
		await host.must('node', [PROGRAM, 'apply', ...POLICY, '--yes']);
		const applied = await own(debian);
		const files = UNITS.map((unit) => `/etc/systemd/system/${unit}`);
		const verified = await host.run('systemd-analyze', ['--man=no', 'verify', ...files]);
		expect(verified).toMatchObject({status: 0, stdout: '', stderr: ''});
		expect(await host.must('systemctl', ['is-active', 'fw-wizard-watch.timer'])).toBe('active\n');

		// A look, as the timer has it: it tells, and leaves all as it is.
		await host.must('iptables', ['-D', 'INPUT', '-j', 'FW-WIZARD-INPUT']);
		await host.must('systemctl', ['stop', 'fw-wizard']);
		await host.must('systemctl', ['start', 'fw-wizard-look']);
		expect(await journal(debian)).toBe(
			'The firewall is not as it was confirmed: IPv4: INPUT has no jump to FW-WIZARD-INPUT; fw-wizard.service does not run: it loads the rules again where another service replaces them\n',
		);
		expect(await own(debian)).not.toEqual(applied);
		await host.must('systemctl', ['start', 'fw-wizard', 'fw-wizard-look']);
		expect(await journal(debian)).toContain('as it was confirmed again');
		expect(await host.run('cat', ['/run/motd.d/fw-wizard'])).toMatchObject({status: 1});

		const drift = ['-b', '-o', 'cat', 'MESSAGE_ID=f9f7bd34118a45a4a7b7d990d521f1cf'];
		expect(await host.must('journalctl', drift)).toContain('INPUT has no jump');

		// By the timer, within its period.
		await host.must('node', [PROGRAM, 'watch', 'on', '--every', '1min']);
		await host.must('ip6tables', ['-F', 'FW-WIZARD-INPUT']);
		await vi.waitFor(
			async () =>
				expect(await host.must('journalctl', drift)).toContain('IPv6: FW-WIZARD-INPUT is gone'),
			{timeout: 150_000, interval: 1000},
		);
		expect(await host.run('systemctl', ['is-failed', 'fw-wizard-look'])).toMatchObject({
			stdout: 'inactive\n',
		});
		await host.must('systemctl', ['restart', 'fw-wizard', 'fw-wizard-look']);

		await host.must('systemctl', ['--quiet', 'enable', 'fww-late']);
		let seen: Pick<Probed, 'passed'> | undefined;
		const {passed, open} = await rebootUnderProbe(debian, async () => {
			await vi.waitFor(async () => expect(await journal(debian)).toContain('Repaired'), {
				timeout: 60_000,
				interval: 200,
			});
			seen = await readWitness(debian);
			expect(await own(debian)).toEqual(applied);
		});
		expect(await journal(debian)).toMatch(
			/^IPv4: FW-WIZARD-INPUT is gone or empty; .*\. Services that systemd started or ended meanwhile: .*fww-late\.service.*\. Repaired$/m,
		);
		// It was open, and is no longer.
		expect(passed).toBeGreaterThan(0);
		expect(seen?.passed).toBe(passed);
		console.log(`open for ${open} ms`);

		const log = await host.must('journalctl', ['-b', '-o', 'cat']);
		expect(log).not.toMatch(/ordering cycle|fw-wizard-watch.*(?:Failed|failed)/);
		const login = terminals.start(loginWords(debian, '', {terminal: true}), {
			enter: debian.client.enter,
		});
		await login.waitFor('rules of the firewall were gone or changed');
		await login.waitFor(`See: node ${PROGRAM} check`);

		await host.must('node', [PROGRAM, 'undo', '--all']);
		const left = ['/etc', '/var/lib', '/run/motd.d', '-name', '*fw-wizard*'];
		expect(await host.must('find', left)).toBe('');
		expect(await host.run('systemctl', ['is-active', ...UNITS])).toMatchObject({
			stdout: 'inactive\ninactive\ninactive\n',
		});
	}, 480_000);
});
