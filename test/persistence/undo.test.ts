import {rmSync, symlinkSync, writeFileSync} from 'node:fs';
import process from 'node:process';
import {beforeEach, describe, expect, test} from 'vitest';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';

const FIRST = ['--role', 'server', '--helper', 'ftp', '--open', '22/tcp'];
const LATER = '--role server --verdict drop --open 22,80/tcp --published policy'.split(' ');

const UNIT = '/etc/systemd/system/fw-wizard.service';
const LINK = '/etc/systemd/system/multi-user.target.wants/fw-wizard.service';
/** The services whose start has it run again; `systemctl enable` makes a folder with a link for each. */
const OTHERS = ['ip6tables', 'iptables', 'netfilter-persistent', 'nftables', 'ufw'].flatMap(
	(name) => [
		`/etc/systemd/system/${name}.service.wants`,
		`/etc/systemd/system/${name}.service.wants/fw-wizard.service`,
	],
);
const MODULES = '/etc/modules-load.d/fw-wizard.conf';
const OWN = [
	...['policy.json', 'floor', 'restore', 'watch'].map((name) => `/etc/fw-wizard/${name}`),
	...[MODULES, UNIT, LINK],
	...['watch.service', 'watch.timer', 'look.service'].map((name) =>
		UNIT.replace('.service', `-${name}`),
	),
	LINK.replace('.service', '-watch.service'),
	'/etc/systemd/system/timers.target.wants/fw-wizard-watch.timer',
];

describe('what is kept for the boot', () => {
	const lab = useLab();
	let host: Host;
	let before: readonly string[];

	beforeEach(async () => {
		host = await lab.host();
		// Others have files where ours go.
		writeFileSync(inView(host, '/etc/modules-load.d/theirs.conf'), 'dummy\n');
		writeFileSync(
			inView(host, '/etc/systemd/system/theirs.service'),
			'[Service]\nExecStart=/bin/true\n',
		);
		symlinkSync('../theirs.service', inView(host, LINK.replace('fw-wizard', 'theirs')));
		before = await listFiles(host);
	});

	/** What is there now and was not before, or is another file now. */
	const added = async () => (await listFiles(host)).filter((line) => !before.includes(line));

	test.each([['undo'], ['undo', '--all']])(
		'leaves no policy that the boot has set where it could make no chain: %s',
		async (...words) => {
			await host.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
			const saves = await readSaves(host);
			await wizardDoes(host, 'apply', ...FIRST);
			const program = (
				await host.must('sh', ['-c', 'readlink -f "$(command -v ip6tables)"'])
			).trim();
			await host.must('ip6tables', ['-P', 'INPUT', 'DROP']);
			writeFileSync(
				inView(host, '/run/fw-wizard-closed-ipv6'),
				`/usr/sbin/ip6tables-${program.includes('legacy') ? 'legacy' : 'nft'}\n`,
			);
			await wizardDoes(host, ...words);
			expect(withoutEmptyTables(await readSaves(host))).toEqual(withoutEmptyTables(saves));
			expect(await host.must('ls', ['/run'])).not.toContain('fw-wizard-closed');
		},
	);

	test('is made of these files, and is gone after the change is undone', async () => {
		await wizardDoes(host, 'apply', ...FIRST);
		const paths = (await added()).map((line) => line.split(' ')[0]);
		expect(paths.filter((path) => path?.startsWith('/etc'))).toEqual(
			['/etc/fw-wizard', ...OWN, ...OTHERS].sort(),
		);
		expect(before.filter((line) => !line.startsWith('/etc/fw-wizard'))).toEqual(before);
		await wizardDoes(host, 'undo');
		expect((await added()).filter((line) => !/^\/(etc|var\/lib)\/fw-wizard/.test(line))).toEqual(
			[],
		);
		expect(await host.must('find', ['/etc/fw-wizard', '-type', 'f'])).toBe('');
		expect(await host.run('systemctl', ['is-enabled', 'fw-wizard'])).not.toMatchObject({status: 0});
	});

	test('is again what it was, byte for byte, after a later change is undone', async () => {
		await wizardDoes(host, 'apply', ...FIRST);
		const first = await contents(host);
		await wizardDoes(host, 'apply', ...LATER);
		const later = await contents(host);
		expect(later).not.toEqual(first);
		expect(later).not.toContain(MODULES);
		await wizardDoes(host, 'undo');
		expect(await contents(host)).toEqual(first);
		expect(await wizardDoes(host, 'check')).not.toMatch(/^failed/m);
		await wizardDoes(host, 'apply', ...LATER);
		expect(await contents(host)).toEqual(later);
		// Back to before the first.
		await wizardDoes(host, 'undo', '--to', '1');
		expect(await contents(host)).toBe('');
	});

	test.each([
		{what: 'two changes', spoil: undefined},
		{
			what: 'a unit that was masked',
			spoil() {
				rmSync(inView(host, UNIT));
				symlinkSync('/dev/null', inView(host, UNIT));
			},
		},
		{what: 'a unit that was taken away', spoil: () => rmSync(inView(host, UNIT))},
		{
			what: 'all of our folder gone',
			spoil: () => rmSync(inView(host, '/etc/fw-wizard'), {recursive: true}),
		},
	])('leaves no trace after undo --all: $what', async ({spoil}) => {
		const rules = await readSaves(host);
		await wizardDoes(host, 'apply', ...FIRST);
		await wizardDoes(host, 'apply', ...LATER);
		spoil?.();
		await wizardDoes(host, 'undo', '--all');
		expect(await listFiles(host)).toEqual(before);
		expect(withoutEmptyTables(await readSaves(host))).toEqual(withoutEmptyTables(rules));
	});

	test('is taken out of what others have saved, where that can be done', async () => {
		const saved = '/etc/iptables/rules.v4';
		const native = '/etc/sysconfig/nftables.conf';
		await host.must('mkdir', ['-p', '/etc/iptables', '/etc/sysconfig']);
		await host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.9', '-j', 'DROP']);
		await wizardDoes(host, 'apply', ...FIRST);
		await host.must('sh', ['-c', `iptables-save >${saved}; nft list ruleset >${native}`]);
		const text = await wizardDoes(host, 'undo', '--all');
		expect(text).toContain(`Its rules are taken out of ${saved}`);
		expect(text).toContain(`Its rules are still in ${native}`);
		const left = await host.must('cat', [saved]);
		expect(left).toContain('-A INPUT -s 192.0.2.9/32 -j DROP\n');
		expect(left).not.toContain('FW-WIZARD');
		await host.must('iptables-restore', [saved]);
	});

	test('is not written before the change is confirmed', async () => {
		const words = [CLI, 'apply', ...FIRST, '--confirm-within', '60'];
		await host.start(process.execPath, words, /The old rules are restored in/);
		const etc = (lines: readonly string[]) => lines.filter((line) => line.startsWith('/etc'));
		expect(await host.must('iptables-save', [])).toContain('-A INPUT -j FW-WIZARD-INPUT');
		expect(etc(await listFiles(host))).toEqual(etc(before));
		await wizardDoes(host, 'undo');
		expect(etc(await listFiles(host))).toEqual(etc(before));
	});
});

/** All files in the machine's own folders: path, type, mode, owner, target, and of files size and time. */
async function listFiles(host: Host): Promise<readonly string[]> {
	const format = '%p %y %m %U:%G %l';
	const text = await host.must('find', [
		...['/etc', '/var/lib', '-type', 'f', '-printf', `${format} %s %T@\\n`],
		...['-o', '-printf', `${format}\\n`],
	]);
	return text.trimEnd().split('\n').sort();
}

/** Our files in /etc, with their contents. */
async function contents(host: Host): Promise<string> {
	const {stdout} = await host.run('sh', [
		...['-c', 'for f; do [ -e "$f" ] && stat -c "%n %a %N" "$f" && cat "$f"; done', 'sh'],
		...OWN,
	]);
	return stdout;
}
