import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {resum} from '../_helpers/lab/boot-script.ts';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';

const WATCH = '/etc/fw-wizard/watch';
const RESTORE = '/etc/fw-wizard/restore';
/** A copy of that script. */
const KEPT = '/run/restore';
const RECORD = '/var/lib/fw-wizard/watch/record';
const MOTD = '/run/motd.d/fw-wizard';
const UNIT = '/etc/systemd/system/multi-user.target.wants/fw-wizard.service';
const POLICY = [
	...['--role', 'server', '--helper', 'ftp', '--open', '22/tcp'],
	...['--open', '443 from 192.0.2.1, 192.0.2.2, 192.0.2.3, fd00::1, fd00::2, fd00::3'],
];

const sh = async (host: Host, script: string) => host.must('sh', ['-ec', script]);
/** What a look says, a line each; it ends with 1 while something is wrong. */
const look = async (host: Host, shell = 'sh') => {
	const {status, stdout, stderr} = await host.run(shell.split(' ')[0] ?? '', [
		...shell.split(' ').slice(1),
		...[WATCH, 'look'],
	]);
	const wrong = (await motd(host)).includes('not as it was confirmed');
	expect({status, stderr}).toEqual({status: wrong ? 1 : 0, stderr: ''});
	return stdout;
};

/** What a login is told; nothing where there is nothing to tell. */
const motd = async (host: Host) => (await host.run('cat', [MOTD])).stdout;
const saves = async (host: Host) =>
	sh(host, 'iptables-save | grep -v ^#; ip6tables-save | grep -v ^#');
const filtered = async (host: Host) =>
	(await saves(host)).split('\n').filter((line) => line === '-A INPUT -j FW-WIZARD-INPUT').length;

/** What somebody does, and what a look says of it. */
const CHANGES = [
	['iptables -D INPUT -j FW-WIZARD-INPUT', 'IPv4: INPUT has no jump to FW-WIZARD-INPUT'],
	['ip6tables -F FW-WIZARD-INPUT', 'IPv6: FW-WIZARD-INPUT is gone or empty'],
	[
		'ip6tables -t raw -F; ip6tables -t raw -X',
		'IPv6: FW-WIZARD-OUTPUT is gone or empty; IPv6: OUTPUT has no jump to FW-WIZARD-OUTPUT',
	],
	[
		'iptables -I FW-WIZARD-INPUT 3 -p tcp --dport 23 -j ACCEPT',
		'IPv4: FW-WIZARD-INPUT: added: -A FW-WIZARD-INPUT -p tcp -m tcp --dport 23 -j ACCEPT',
	],
	[
		'iptables -I FW-WIZARD-FROM-1 -p tcp --dport 23 -j ACCEPT',
		'IPv4: FW-WIZARD-FROM-1: added: -A FW-WIZARD-FROM-1 -p tcp -m tcp --dport 23 -j ACCEPT',
	],
	[
		'iptables -D FW-WIZARD-INPUT -m conntrack --ctstate INVALID -j DROP',
		'IPv4: FW-WIZARD-INPUT: removed: -A FW-WIZARD-INPUT -m conntrack --ctstate INVALID -j DROP',
	],
	[
		'iptables -D FW-WIZARD-INPUT -i lo -j ACCEPT; iptables -I FW-WIZARD-INPUT -i lo -j ACCEPT',
		'IPv4: FW-WIZARD-INPUT has its rules in another order',
	],
	[
		'ip6tables -I INPUT -p tcp --dport 3306 -j ACCEPT',
		'IPv6: before our rules: -A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT',
	],
	[
		'iptables -I INPUT -s 192.0.2.0/24 -j RETURN',
		'IPv4: before our rules: -A INPUT -s 192.0.2.0/24 -j RETURN',
	],
	[
		'iptables -N late; iptables -A late -i eth1 -j ACCEPT; iptables -N other; iptables -A other -g late; iptables -I INPUT -j other',
		'IPv4: before our rules: -A late -i eth1 -j ACCEPT',
	],
	// The jump is moved behind a rule that was there.
	[
		'iptables -D INPUT -j FW-WIZARD-INPUT; iptables -A INPUT -j ACCEPT; iptables -A INPUT -j FW-WIZARD-INPUT',
		'IPv4: before our rules: -A INPUT -j ACCEPT',
	],
	[
		'iptables -F',
		'IPv4: FW-WIZARD-FROM-1 is gone or empty; IPv4: FW-WIZARD-INPUT is gone or empty; IPv4: INPUT has no jump to FW-WIZARD-INPUT',
	],
	[
		`echo '#' >>${RESTORE}`,
		`${RESTORE} is missing or was changed: the next boot does not load all rules`,
	],
	[`rm ${RESTORE}`, `${RESTORE} is missing or was changed: the next boot does not load all rules`],
	[`rm ${UNIT}`, 'fw-wizard.service is not enabled: the next boot does not load the rules'],
] as const;

describe.each(mainly('nft'))('the watch over the loaded rules, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host({backend});
		// What it tells at logins must not reach those of this machine.
		await host.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
		await apply();
	});

	/** The policy, applied anew on a bare machine. */
	const apply = async (...flags: readonly string[]) => {
		await sh(
			host,
			'for name in iptables ip6tables; do $name -F; $name -X; $name -t raw -F; $name -t raw -X; done',
		);
		await host.must('rm', ['-rf', '/etc/fw-wizard', '/var/lib/fw-wizard', MOTD]);
		await wizardDoes(host, 'apply', ...POLICY, '--published', 'leave', ...flags);
		await host.must('cp', ['-p', RESTORE, KEPT]);
	};

	/** Puts it all right again, whatever was done. */
	const mend = async () =>
		sh(
			host,
			`cp -p ${KEPT} ${RESTORE}; iptables -F INPUT; ip6tables -F INPUT; ln -sf x ${UNIT}; sh ${RESTORE}`,
		);

	test.each(CHANGES.filter((_, index) => backend === 'nft' || index % 3 === 0))(
		'names what was changed: %s',
		async (change, what) => {
			expect(await look(host)).toBe('');
			await sh(host, change);
			const before = await saves(host);
			expect(await look(host)).toBe(
				`fw-wizard: The firewall is not as it was confirmed: ${what}\n`,
			);
			// Told once, shown at each login, and nothing is changed.
			expect(await look(host)).toBe('');
			expect(await motd(host)).toContain(`\n${what.split('; ')[0]}\n`);
			expect(await motd(host)).toContain(`\nSee: node ${CLI} check\n`);
			expect(await saves(host)).toBe(before);
			await mend();
			expect(await look(host)).toBe('fw-wizard: The firewall is as it was confirmed again\n');
			expect(await motd(host)).toBe('');
		},
	);

	test('gives no alarm for what opens nothing, or what known programs need', async () => {
		await apply();
		const ahead = (text: string) => text.replaceAll('-A INPUT', '-I INPUT');
		await host.must('iptables-restore', ['--noflush'], {input: ahead(NEIGHBOURS.iptables)});
		await host.must('ip6tables-restore', ['--noflush'], {input: ahead(NEIGHBOURS.ip6tables)});
		const lines = [
			...['-s 192.0.2.9 -j DROP', '-p tcp --dport 25 -j REJECT', '-j LOG --log-prefix -j'],
			...['-i lo -j ACCEPT', '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'],
			...['-m comment --comment "x -j ACCEPT" -j DROP', '-i virbr0 -p udp --dport 53 -j ACCEPT'],
		];
		await sh(host, lines.map((line) => `iptables -I INPUT ${line}`).join('\n'));
		await sh(host, 'iptables -A f2b-sshd -s 192.0.2.7 -j REJECT; iptables -P INPUT DROP');
		await sh(host, 'iptables -A INPUT -p tcp --dport 99 -j ACCEPT; iptables -P INPUT ACCEPT');
		expect(await look(host)).toBe('');
		// What was there when the change was confirmed is known.
		await sh(host, 'iptables -I INPUT -p tcp --dport 99 -j ACCEPT');
		await wizardDoes(host, 'apply', ...POLICY, '--yes');
		expect(await look(host)).toBe('');
	});

	test('is not taken in by what stands in a comment, and prints none of it as it is', async () => {
		await apply();
		const hostile =
			'\u001B]0;x\u0007\u001B[31m%s\\n`id`\u202E\n-A INPUT -j FW-WIZARD-INPUT\nCOMMIT\n# ';
		const rule = ['-m', 'comment', '--comment', hostile, '-p', 'tcp', '-j', 'ACCEPT'];
		await host.must('iptables', ['-I', 'INPUT', ...rule]);
		const said = await look(host);
		expect(said).toContain('IPv4: before our rules: -A INPUT -p tcp -m comment --comment');
		expect(said).toContain('`id`');
		await host.must('iptables', ['-D', 'INPUT', '-j', 'FW-WIZARD-INPUT']);
		const without = await look(host);
		expect(without).toContain('IPv4: INPUT has no jump to FW-WIZARD-INPUT');
		const found = await host.must('cat', ['/var/lib/fw-wizard/watch/found']);
		for (const text of [said, without, found, await motd(host)]) {
			expect(text).toMatch(/^[\x20-\x7E\n]*$/);
		}
	});

	test('repairs where the user wants that, and leaves rules of others', async () => {
		await apply();
		await sh(host, 'echo repair 300 >/etc/fw-wizard/watching');
		await sh(host, 'iptables -I INPUT -s 192.0.2.9 -j DROP; iptables -t raw -F');
		await sh(host, 'ip6tables -F; iptables -D INPUT -j FW-WIZARD-INPUT');
		expect(await look(host)).toMatch(
			/^fw-wizard: IPv4: INPUT has no jump.*IPv4: FW-WIZARD-OUTPUT is gone or empty.*IPv6: FW-WIZARD-INPUT is gone.*\. Repaired\n$/,
		);
		expect(await look(host)).toBe('');
		expect(await filtered(host)).toBe(2);
		expect(await saves(host)).toContain('-A INPUT -s 192.0.2.9/32 -j DROP\n');
		expect(await motd(host)).toContain('were gone or changed, and were loaded again');
	});

	test('does not fight: after three repairs in ten minutes it only reports', async () => {
		await apply();
		const lines = [
			'(while :; do iptables -F; ip6tables -F; sleep 1; done) & flusher=$!',
			`sh ${WATCH} boot >/run/said & watch=$!`,
			'tries=0',
			'until grep -q "Not repaired any more" /run/said || [ "$tries" = 600 ]; do sleep 0.1; tries=$((tries + 1)); done',
			'sleep 3',
			'kill $watch $flusher',
			`! sh ${WATCH} look >>/run/said`,
			'cat /run/said',
		];
		const said = await sh(host, lines.join('\n'));
		expect(said).toContain('Not repaired any more: 3 times in ten minutes were in vain');
		// Where it was emptied again before it was read back, that is told too.
		expect(said.match(/\. Repaired\n/g)?.length ?? 0).toBeLessThanOrEqual(3);
		expect(said.split('\n').length).toBeLessThan(15);
		expect(await host.must('cat', ['/var/lib/fw-wizard/watch/found'])).toContain('\ntotal 3\n');
		expect(await motd(host)).toContain('Not repaired any more');
	});

	test('leaves a change alone that waits, and watches what is there after it', async () => {
		await apply();
		await sh(host, 'echo repair 300 >/etc/fw-wizard/watching');
		const folder = '/var/lib/fw-wizard/changes/99';
		await sh(
			host,
			`mkdir -p ${folder}; touch ${folder}/pending; echo "{\\"bootId\\":\\"$(cat /proc/sys/kernel/random/boot_id)\\"}" >${folder}/meta.json; iptables -F INPUT`,
		);
		expect(await look(host)).toBe('');
		expect(await filtered(host)).toBe(1);
		// One from before the boot does not wait.
		await sh(host, `echo '{"bootId":"other"}' >${folder}/meta.json`);
		expect(await look(host)).toContain('Repaired');
		expect(await filtered(host)).toBe(2);
		await host.must('rm', ['-r', folder]);
		await wizardDoes(host, 'apply', '--role', 'server', '--open', '80/tcp', '--yes');
		expect(await look(host)).toBe('');
		await wizardDoes(host, 'undo');
		expect(await look(host)).toBe('');
		await wizardDoes(host, 'undo');
		expect(await host.must('find', ['/etc/fw-wizard', '-type', 'f'])).toBe(
			'/etc/fw-wizard/watching\n',
		);
	});

	test('knows its rules again where iptables prints them otherwise than before', async () => {
		await apply();
		await sh(host, `sed -i 's/ -m tcp / -m tcpip /; /^own 6/s/REJECT/reject/' ${RECORD}`);
		expect(await look(host)).toBe('');
		expect(await host.must('cat', [RECORD])).toContain(' -m tcp --dport 22 ');
		// Nothing was recorded.
		await host.must('rm', [RECORD]);
		expect(await look(host)).toBe('');
		await sh(host, 'ip6tables -F FW-WIZARD-INPUT');
		expect(await look(host)).toContain('IPv6: FW-WIZARD-INPUT is gone or empty');
	});

	test('tells where the floor is loaded, and never takes it for the rules', async () => {
		// Of the rules that the floor leaves out.
		await apply('--log');
		await sh(host, 'echo repair 300 >/etc/fw-wizard/watching');
		const script = await host.must('cat', [RESTORE]);
		await host.must('tee', [RESTORE], {
			input: resum(script.replaceAll('-j LOG ', '-j NOSUCH ')),
		});
		await host.run('sh', [RESTORE]);
		for (const what of ['the restore script ended with 1', '', '', 'Not repaired any more']) {
			const said = await look(host);
			expect(what === '' || said.includes(what), `${what}: ${said}`).toBe(true);
		}

		await host.must('tee', [RESTORE], {input: script});
		await sh(host, 'rm /var/lib/fw-wizard/watch/found');
		expect(await look(host)).toContain('Repaired');
		// Also where it is damaged, so that the boot has loaded the floor.
		await host.must('tee', [RESTORE], {input: script.slice(0, script.length / 2)});
		await sh(host, 'sh /etc/fw-wizard/floor; rm /var/lib/fw-wizard/watch/found');
		expect(await look(host)).toContain('removed: -A FW-WIZARD-INPUT -m limit');
		await host.must('tee', [RESTORE], {input: script});
		expect(await look(host)).toContain('Repaired');
		expect(await look(host)).toBe('');
	});

	// Legacy iptables prints all that it has.
	test.each(backend === 'nft' ? ['filter'] : [])(
		'only tells where iptables cannot print table %s',
		async () => {
			await apply();
			await sh(host, 'echo repair 300 >/etc/fw-wizard/watching');
			await sh(host, 'nft insert rule ip filter INPUT ct mark 5 meta cgroup 7 counter accept');
			const unread = 'IPv4: iptables cannot print the table filter';
			expect(await look(host)).toContain(`as it was confirmed: ${unread}`);
			expect(await look(host)).toBe('');
			await sh(host, 'iptables -F FW-WIZARD-INPUT');
			const before = await host.must('nft', ['list', 'ruleset']);
			const said = await look(host);
			expect(said).toContain(`IPv4: FW-WIZARD-INPUT is gone or empty; ${unread}`);
			expect(said).toContain('Not repaired: the restore script could not detect');
			expect(await host.must('nft', ['list', 'ruleset'])).toBe(before);
			await sh(host, `nft flush chain ip filter INPUT; sh ${RESTORE}`);
			expect(await look(host)).toContain('as it was confirmed again');
		},
	);

	test('works where no namespace can be made, and in every shell that may be /bin/sh', async () => {
		await apply();
		const busybox = `${await unpackPackages('busybox')}/bin/busybox sh`;
		await host.must('mount', ['--bind', '/bin/false', '/usr/bin/unshare']);
		for (const shell of ['dash', 'bash --posix', busybox]) {
			await host.must('rm', ['-f', RECORD]);
			expect(await look(host, shell)).toBe('');
			await sh(host, 'iptables -F INPUT');
			expect(await look(host, shell)).toContain('IPv4: INPUT has no jump to FW-WIZARD-INPUT');
			await host.must('rm', ['-f', RECORD]);
			expect(await look(host, shell)).toBe('');
			await mend();
			expect(await look(host, shell)).toContain('as it was confirmed again');
			await sh(host, 'ip6tables -F FW-WIZARD-INPUT');
			expect(await look(host, shell)).toContain('IPv6: FW-WIZARD-INPUT is gone or empty');
			await mend();
			expect(await look(host, shell)).toContain('as it was confirmed again');
		}

		await host.must('umount', ['/usr/bin/unshare']);
	});
});
