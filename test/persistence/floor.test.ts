import {mkdtempSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {BACKENDS, mainly} from '../_helpers/lab/backends.ts';
import {
	BOOT,
	type Booted,
	bootWith,
	type Files,
	keptBy,
	place,
	RESTORE,
	resum,
} from '../_helpers/lab/boot-script.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';

const POLICY = completePolicy({
	role: 'server',
	verdict: 'reject',
	helpers: ['ftp'],
	log: true,
	openings: [
		...['22/tcp limit', '21/tcp', '80/tcp', '8000-8010/tcp from 10.0.0.0/8'],
		'3306 from 192.0.2.1, 192.0.2.2, 192.0.2.3',
	].flatMap((text) => parseOpening(text, new Map())),
});

/** What must hold even when nothing optional can be had: no helper, no limit, no log, no multiport. */
const FLOOR = `\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:FW-WIZARD-FROM-1 - [0:0]
:FW-WIZARD-INPUT - [0:0]
-A INPUT -j FW-WIZARD-INPUT
-A FW-WIZARD-FROM-1 -p tcp -m tcp --dport 3306 -j ACCEPT
-A FW-WIZARD-FROM-1 -p udp -m udp --dport 3306 -j ACCEPT
-A FW-WIZARD-INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FW-WIZARD-INPUT -p icmp -j ACCEPT
-A FW-WIZARD-INPUT -i lo -j ACCEPT
-A FW-WIZARD-INPUT -m conntrack --ctstate INVALID -j DROP
-A FW-WIZARD-INPUT -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A FW-WIZARD-INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A FW-WIZARD-INPUT -p tcp -m tcp --dport 21 -j ACCEPT
-A FW-WIZARD-INPUT -p tcp -m tcp --dport 80 -j ACCEPT
-A FW-WIZARD-INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 8000:8010 -j ACCEPT
-A FW-WIZARD-INPUT -s 192.0.2.1/32 -j FW-WIZARD-FROM-1
-A FW-WIZARD-INPUT -s 192.0.2.2/32 -j FW-WIZARD-FROM-1
-A FW-WIZARD-INPUT -s 192.0.2.3/32 -j FW-WIZARD-FROM-1
-A FW-WIZARD-INPUT -j REJECT --reject-with icmp-port-unreachable
COMMIT
`;

/** What may be wrong with the IPv4 rules in the script, none of which may open the machine. */
const FAULTS: ReadonlyArray<readonly [string, (rules: string) => string]> = [
	['a syntax error', (rules) => rules.replace('--dport', '--dprot')],
	[
		'a port that is none',
		(rules) =>
			rules.replace(/^-A.*multiport.*$/m, '-A FW-WIZARD-INPUT -p tcp --dport 99999 -j ACCEPT'),
	],
	['a helper that the kernel lacks', (rules) => rules.replace('--helper ftp', '--helper nosuch')],
	['a target that is none', (rules) => rules.replace('-j REJECT', '-j NOSUCH')],
	['a host name', (rules) => rules.replace('10.0.0.0/8', 'no.such.host.invalid')],
	['nothing in it', () => ':\n'],
	['no jump to its chain', (rules) => rules.replace('INPUT FW-WIZARD-INPUT\n', '\n')],
	['no chain', (rules) => rules.replace(/^table filter .*\n(?:[:-].*\n)*/m, '')],
	['the rules of another program', () => "table filter ':INPUT ACCEPT [0:0]'\n"],
	['lines of another system', (rules) => rules.replaceAll('\n-A', '\r\n-A')],
];

/** The script with other rules of a family, as if it were written so. */
function withRules(script: string, family: 4 | 6, change: (rules: string) => string): string {
	const rules = new RegExp(`(?<=^rules${family}\\(\\) \\{\\n)[^}]*(?=^\\})`, 'm');
	expect(script).toMatch(rules);
	return resum(script.replace(rules, change));
}

describe.each(mainly('legacy'))('where the rules do not load at boot, %s', (backend) => {
	const lab = useLab();
	let host: Host;
	let files: Files;
	let whole: Booted;

	beforeAll(async () => {
		host = await lab.host({backend});
		({files} = keptBy(POLICY, backend));
		place(host, files);
		whole = await boot();
		expect(whole).toMatchObject({status: 0, stderr: ''});
	});

	const boot = async () => bootWith(host, BOOT);

	/** Changes the rules of a family in the script that the boot runs. */
	const spoil = (family: 4 | 6, change: (rules: string) => string, script = files[RESTORE] ?? '') =>
		place(host, {...files, [RESTORE]: withRules(script, family, change)});

	/** The floor of IPv4 is loaded, which was said, and IPv6 is whole. */
	function expectFloor({status, stderr, ipv4, ipv6}: Booted): void {
		expect({status, ipv4: filterOf(ipv4), ipv6}).toEqual({
			status: 1,
			ipv4: FLOOR,
			ipv6: whole.ipv6,
		});
		expect(stderr).toContain(
			'fw-wizard: the IPv4 rules do not load; loading the floor instead: only what cannot fail\n',
		);
		expect(stderr).not.toContain('IPv6');
	}

	test.each(FAULTS)('loads the floor and says so: %s', async (_, change) => {
		spoil(4, change);
		expectFloor(await boot());
	});

	test('loads the floor of either family, and of both', async () => {
		spoil(6, () => ':\n');
		const ipv6 = await boot();
		expect(ipv6).toMatchObject({status: 1, ipv4: whole.ipv4});
		expect(ipv6.ipv6).toContain('-A INPUT -j FW-WIZARD-INPUT\n');
		expect(ipv6.ipv6).toContain(
			'-A FW-WIZARD-INPUT -j REJECT --reject-with icmp6-port-unreachable\n',
		);
		expect(ipv6.ipv6).not.toContain('limit');
		expect(ipv6.stderr).toContain('the IPv6 rules do not load');
		spoil(
			4,
			() => ':\n',
			withRules(files[RESTORE] ?? '', 6, () => ':\n'),
		);
		const both = await boot();
		expect({...both, ipv4: filterOf(both.ipv4)}).toMatchObject({
			status: 1,
			ipv4: FLOOR,
			ipv6: ipv6.ipv6,
		});
	});

	test('leaves the floor in the place of rules that are loaded already, and replaces it', async () => {
		place(host, {...files, '/etc/fw-wizard/good': files[RESTORE] ?? ''});
		const [good, bad] = ['good', 'bad'].map((name) => `cp /etc/fw-wizard/${name} ${RESTORE}`);
		const spoilt = withRules(files[RESTORE] ?? '', 4, () => ':\n');
		place(host, {
			...files,
			'/etc/fw-wizard/good': files[RESTORE] ?? '',
			'/etc/fw-wizard/bad': spoilt,
		});
		const after = await bootWith(host, `${good}; ${BOOT} && ${bad}; ${BOOT}`);
		expect(after.status).toBe(1);
		expect(filterOf(after.ipv4)).toBe(FLOOR);
		const again = await bootWith(host, `${bad}; ${BOOT}; ${good}; ${BOOT}`);
		expect(again).toMatchObject({status: 0, ipv4: whole.ipv4, ipv6: whole.ipv6});
	});

	/** Boots where iptables has lost libraries, in a mount namespace. */
	const bootWithout = async (libraries: string) => {
		place(host, files);
		const lost = `for file in /usr/lib/*/xtables/${libraries}; do mount --bind /dev/null "$file" || exit; done`;
		return bootWith(host, `unshare --mount --propagation private bash -c '${lost}; sh ${RESTORE}'`);
	};

	test.each([
		['multiport', 'libxt_multiport.so'],
		['hashlimit', 'libxt_hashlimit.so'],
		['LOG and limit', 'lib{xt_limit,*_LOG,xt_LOG}.so'],
	])('loads the floor, which has no %s', async (_, libraries) => {
		const {status, ipv4} = await bootWithout(libraries);
		expect({status, ipv4: filterOf(ipv4)}).toEqual({status: 1, ipv4: FLOOR});
	});

	const [DROP, REJECT] = ['-A FW-WIZARD-INPUT -j DROP\n', /.*-j REJECT.*\n/];
	const CONNTRACK = /-A FW-WIZARD-INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n/;
	const NOT_SYN = '-A FW-WIZARD-INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT\n';
	const withDrop = FLOOR.replace('COMMIT', `${DROP}COMMIT`);
	test.each([
		['REJECT', '*_REJECT.so', withDrop.replace(REJECT, '')],
		[
			'conntrack',
			'libxt_conntrack.so',
			withDrop.replace(CONNTRACK, NOT_SYN).replace(/.*-m conntrack .*\n/, ''),
		],
		[
			'both',
			'lib{*_REJECT,xt_conntrack}.so',
			withDrop
				.replace(REJECT, '')
				.replace(CONNTRACK, NOT_SYN)
				.replace(/.*-m conntrack .*\n/, ''),
		],
		['the ports of TCP', 'libxt_tcp.so', withDrop.replaceAll(/.*-p tcp .*\n/g, '')],
		[
			'all of these, and ICMP',
			'lib{*_REJECT,xt_conntrack,xt_tcp,xt_udp,ipt_icmp,ip6t_icmp6}.so',
			withDrop.replaceAll(/^-A FW-WIZARD-\S+ .*-(?:m conntrack|p tcp|p udp|j REJECT) .*\n/gm, ''),
		],
	])('loads what is left of the floor where iptables has lost %s', async (_, libraries, floor) => {
		const {status, stderr, ipv4, ipv6} = await bootWithout(libraries);
		expect({status, ipv4: filterOf(ipv4)}).toEqual({status: 1, ipv4: floor});
		expect(stderr).toContain('the IPv4 floor does not load either; loading what is left of it\n');
		const lost = FLOOR.split('\n').filter((line) => !floor.includes(line));
		expect(stderr.match(/^fw-wizard: IPv4 without: -/gm)).toHaveLength(lost.length);
		expect(ipv6).toContain(`${DROP}COMMIT\n`);
		expect(`${ipv4}${ipv6}`).not.toContain('FW-WIZARD-TRY');
	});

	/**
	 * Boots where the iptables of a family do what a line of sh lets them do, and then once more with the real ones.
	 * @returns what was said by the first boot, and the result of the second one
	 */
	const bootBroken = async (names: readonly string[], line: string) => {
		const folder = mkdtempSync(path.join(host.folder, 'broken-'));
		for (const [name, kind] of names.flatMap((one) => BACKENDS.map((each) => [one, each]))) {
			const put = (file: string, text: string) =>
				writeFileSync(path.join(folder, file), `#!/bin/sh\n${text}\n`, {mode: 0o755});
			put(`${name}-${kind}`, `${line}\nexec xtables-${kind}-multi ${name} "$@"`);
			put(`${name}-${kind}-restore`, 'exit 1');
		}

		place(host, files);
		const steps = [
			'mount -t tmpfs fww-test /run',
			`mount -t overlay fww-test -o lowerdir=${folder}:/usr/sbin /usr/sbin`,
			`sh ${RESTORE}; echo "status $?" >&2`,
			'umount /usr/sbin',
			'for tool in iptables ip6tables; do "$tool" -S INPUT >&2; done',
			`sh ${RESTORE}`,
		];
		const command = `unshare --mount --propagation private sh -c '${steps.join('\n')}'`;
		const {stderr, ...after} = await bootWith(host, command);
		expect(after).toMatchObject({status: 0, ipv4: whole.ipv4, ipv6: whole.ipv6});
		return stderr;
	};

	test('drops everything where no chain can be made, until the rules load', async () => {
		const said = await bootBroken(
			['iptables', 'ip6tables'],
			'case " $* " in *" -N "*) exit 1 ;; esac',
		);
		expect(said).toContain(
			`fw-wizard: no IPv4 chain can be made: everything is DROPPED, until the rules load, or: /usr/sbin/iptables-${backend} -P INPUT ACCEPT\n`,
		);
		expect(said).toContain('status 1\n-P INPUT DROP\n-P INPUT DROP\n');
	});

	test('says with status 2 that a family is not filtered at all', async () => {
		const said = await bootBroken(['iptables'], 'exit 1');
		expect(said).toContain('not even the IPv4 floor loads: IPv4 is not filtered');
		expect(said).not.toContain('IPv6');
		expect(said).toMatch(
			/status 2\n-P INPUT ACCEPT\n-P INPUT ACCEPT\n-A INPUT -j FW-WIZARD-INPUT\n/,
		);
	});

	test('loads the rules in the end where a lock that others keep is released', async () => {
		place(host, files);
		const file = host.variables.XTABLES_LOCKFILE ?? '';
		const held = `exec 3>${file}; flock 3; (sleep 12; exec 3>&-) & exec 3>&-; ${BOOT}`;
		const {status, ipv4, ipv6, stderr} = await bootWith(host, held);
		expect({status, ipv4, ipv6}).toEqual({status: 0, ipv4: whole.ipv4, ipv6: whole.ipv6});
		// The nft backend has no lock.
		expect(stderr.includes('loading the floor instead')).toBe(backend === 'legacy');
		expect(stderr.includes('now the IPv4 rules are loaded')).toBe(backend === 'legacy');
	});

	test('filters within its time where the lock is kept all the time', async () => {
		place(host, files);
		const script = (files[RESTORE] ?? '').replace('+ 60))', '+ 1))');
		expect(script).not.toBe(files[RESTORE]);
		place(host, {...files, [RESTORE]: resum(script)});
		const file = host.variables.XTABLES_LOCKFILE ?? '';
		const held = `exec 3>${file}; flock 3; ${BOOT} 3>&-; status=$?; flock -u 3; (exit $status)`;
		const {status, ipv4, ipv6} = await bootWith(host, held);
		expect({status, ipv4: filterOf(ipv4)}).toEqual(
			backend === 'legacy' ? {status: 1, ipv4: FLOOR} : {status: 0, ipv4: filterOf(whole.ipv4)},
		);
		expect(ipv6).toContain('-A INPUT -j FW-WIZARD-INPUT\n');
	});
});

describe('where iptables has lost something since the change', () => {
	const lab = useLab();

	test('the checklist says what the boot would load now', async () => {
		const host = await lab.host({backend: 'nft'});
		await wizardDoes(host, 'apply', '--role', 'server', '--open', '22/tcp');
		// Without the library of conntrack, iptables would not even print the running rules.
		await host.must('sh', [
			'-ec',
			'for file in /usr/lib/*/xtables/*_REJECT.so; do mount --bind /dev/null "$file"; done',
		]);
		for (const tool of ['iptables', 'ip6tables']) {
			await host.must(tool, ['-F', 'FW-WIZARD-INPUT']);
		}

		const {failed} = await readChecklist(host);
		expect(failed.rehearsal).toContain('the IPv4 floor does not load either; loading what is left');
		expect(failed.rehearsal).toContain('IPv4 without: -j REJECT');
		expect(await host.must('ls', ['/run'])).not.toContain('fw-wizard-closed');
	});
});

describe('where nothing can be written at boot', () => {
	const lab = useLab();

	test('loads the rules all the same', async () => {
		// The legacy backend cannot do without a file for its lock.
		const host = await lab.host({backend: 'nft'});
		place(host, keptBy(POLICY, 'nft').files);
		const readOnly = ['/tmp', '/run', '/var/tmp']
			.map((folder) => `mount -t tmpfs -o ro fww-test ${folder}`)
			.join(' && ');
		const command = `unshare --mount --propagation private sh -c '${readOnly} && ! touch /tmp/x /run/x 2>/dev/null && exec sh ${RESTORE}'`;
		expect(await bootWith(host, command)).toEqual(await bootWith(host, `sh ${RESTORE}`));
	});
});

/** The table filter of a save. */
function filterOf(save: string): string {
	return /^\*filter\n[^*]*^COMMIT\n/m.exec(save)?.[0] ?? '';
}
