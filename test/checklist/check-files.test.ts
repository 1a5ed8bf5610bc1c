import {
	chmodSync,
	chownSync,
	readFileSync,
	renameSync,
	rmSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import {afterEach, beforeAll, describe, expect, test} from 'vitest';
import {resum} from '../_helpers/lab/boot-script.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves} from '../_helpers/samples/saves.ts';

const FLAGS = ['--role', 'server', '--helper', 'ftp', '--helper', 'sip', '--open', '21-22/tcp'];
const RESTORE = '/etc/fw-wizard/restore';
const FLOOR = '/etc/fw-wizard/floor';
const OLD_RULES = '/etc/fw-wizard/rules.v4';
const UNIT = '/etc/systemd/system/fw-wizard.service';
const MODULES = '/etc/modules-load.d/fw-wizard.conf';
const POLICY = '/etc/fw-wizard/policy.json';

let host: Host;

const edit = (file: string, change: (text: string) => string) => {
	const text = readFileSync(inView(host, file), 'utf8');
	writeFileSync(inView(host, file), change(text));
};

/** Has the restore script do something else, with its checksum right. */
const rewrite = (change: (text: string) => string) =>
	edit(RESTORE, (text) => {
		expect(change(text)).not.toBe(text);
		return resum(change(text));
	});

/** Has it do more than it should. */
const append = (command: string) =>
	rewrite((text) => text.replace('exit "$worst"', `${command}\nexit "$worst"`));

/** Has it load other IPv4 rules. */
const spoilRules = (from: string, to: string) => rewrite((text) => text.replace(from, to));

/** What packets find where nothing is loaded. */
const NOTHING =
	/^1-20\/tcp, 23-.*65535\/tcp passes from anywhere over IPv4: there are no IPv4 rules$/;

/** What may befall our files: how, and which items then say what. */
type Fault = {
	readonly fault: string;
	/** The file that it befalls: one that has two faults at a time shows only one. */
	readonly where: string;
	readonly seed: () => unknown;
	readonly finds: Readonly<Record<string, RegExp>>;
	/** What must be so after the repair. */
	readonly after?: () => void;
};

const FAULTS: readonly Fault[] = [
	{
		fault: 'the unit is disabled',
		where: UNIT,
		seed: async () => host.must('systemctl', ['--quiet', 'disable', 'fw-wizard.service']),
		finds: {service: /^fw-wizard\.service is disabled$/},
	},
	{
		fault: 'the unit is masked',
		where: UNIT,
		seed() {
			rmSync(inView(host, UNIT));
			symlinkSync('/dev/null', inView(host, UNIT));
		},
		finds: {
			service: /^fw-wizard\.service is masked$/,
			files: /fw-wizard\.service is not a plain file$/,
		},
	},
	{
		fault: 'the unit is gone',
		where: UNIT,
		seed: () => rmSync(inView(host, UNIT)),
		finds: {service: /^fw-wizard\.service is /, files: /fw-wizard\.service is missing/},
	},
	{
		fault: 'the unit was changed',
		where: UNIT,
		seed: () => edit(UNIT, (text) => text.replace('Before=network-pre.target ', 'Before=')),
		finds: {files: /fw-wizard\.service was changed$/},
	},
	{
		fault: 'the restore script is empty',
		where: RESTORE,
		seed: () => truncateSync(inView(host, RESTORE)),
		finds: {files: /restore is empty$/, rehearsal: /restore is missing or damaged: it is not run/},
	},
	{
		fault: 'the restore script was cut off',
		where: RESTORE,
		seed: () => edit(RESTORE, (text) => text.slice(0, text.length / 2)),
		finds: {
			files: /restore was changed$/,
			rehearsal: /restore is missing or damaged: it is not run/,
		},
	},
	{
		fault: 'the floor is empty',
		where: FLOOR,
		seed: () => truncateSync(inView(host, FLOOR)),
		finds: {files: /^\/etc\/fw-wizard\/floor is empty$/},
	},
	{
		fault: 'a syntax error in the IPv4 rules',
		where: RESTORE,
		seed: () => spoilRules('--dport', '--dprot'),
		finds: {files: /restore was changed$/, rehearsal: /IPv4 rules do not load; loading the floor/},
	},
	{
		fault: 'another port in the IPv4 rules',
		where: RESTORE,
		seed: () => spoilRules('--dport 21:22 -j ACCEPT', '--dport 21:23 -j ACCEPT'),
		finds: {
			files: /restore was changed$/,
			rehearsal: /IPv4.*is ".*21:23.*", should be ".*21:22/,
			ports: /^23\/tcp passes from anywhere over IPv4: rule \d+ of FW-WIZARD-INPUT$/,
		},
	},
	{
		fault: 'a helper that the kernel lacks in the IPv4 rules',
		where: RESTORE,
		seed: () => spoilRules('--helper ftp', '--helper nosuch'),
		finds: {files: /restore was changed$/, rehearsal: /loading the floor instead/},
	},
	{
		fault: 'the restore script is readable by the world',
		where: RESTORE,
		seed: () => chmodSync(inView(host, RESTORE), 0o644),
		finds: {files: /^\/etc\/fw-wizard\/restore can be read by others than root$/},
	},
	{
		fault: 'the rules of a version before are there',
		where: OLD_RULES,
		seed: () => writeFileSync(inView(host, OLD_RULES), '*filter\nCOMMIT\n'),
		finds: {files: /rules\.v4 should not be there$/},
	},
	{
		fault: 'the restore script is writable by the world',
		where: RESTORE,
		seed: () => chmodSync(inView(host, RESTORE), 0o757),
		finds: {files: /^\/etc\/fw-wizard\/restore can be written by others than root$/},
	},
	{
		fault: 'the restore script is writable by a group',
		where: RESTORE,
		seed: () => chmodSync(inView(host, RESTORE), 0o775),
		finds: {files: /^\/etc\/fw-wizard\/restore can be written by others than root$/},
	},
	{
		fault: 'the restore script belongs to another user',
		where: RESTORE,
		seed: () => chownSync(inView(host, RESTORE), 65_534, 65_534),
		finds: {files: /^\/etc\/fw-wizard\/restore is not owned by root$/},
	},
	{
		fault: 'the restore script is a link to another file',
		where: RESTORE,
		seed() {
			renameSync(inView(host, RESTORE), inView(host, '/etc/elsewhere'));
			symlinkSync('/etc/elsewhere', inView(host, RESTORE));
		},
		finds: {files: /restore is not a plain file$/},
		// Nothing was written where the link led.
		after: () =>
			expect(readFileSync(inView(host, '/etc/elsewhere'), 'utf8')).toContain('table filter'),
	},
	{
		fault: 'the restore script is gone',
		where: RESTORE,
		seed: () => rmSync(inView(host, RESTORE)),
		finds: {files: /restore is missing/, rehearsal: /restore is missing or damaged/},
	},
	{
		fault: 'the restore script loads nothing',
		where: RESTORE,
		seed: () => rewrite(() => '#\nexit 0\n'),
		finds: {
			files: /restore was changed$/,
			rehearsal: /^IPv4, .* is missing$/,
			ports: NOTHING,
		},
	},
	// Our own rules are what they should be, and so only packets tell.
	{
		fault: 'the restore script lets something in ahead of our rules',
		where: RESTORE,
		seed: () => append('ip6tables -I INPUT -p tcp --dport 3306 -j ACCEPT'),
		finds: {
			files: /restore was changed$/,
			ports:
				/^3306\/tcp passes from anywhere over IPv6: rule 1 of INPUT, not part of this firewall$/,
		},
	},
	{
		fault: 'the restore script shuts something out in another table',
		where: RESTORE,
		seed: () => append('iptables -t mangle -A INPUT -p tcp --dport 22 -j DROP'),
		finds: {
			files: /restore was changed$/,
			ports: /^22\/tcp is closed from anywhere over IPv4: no rule of the filter table does it/,
		},
	},
	{
		fault: 'the restore script sends another port to an open one',
		where: RESTORE,
		seed: () => append('iptables -t nat -A PREROUTING -p tcp --dport 8443 -j REDIRECT --to 22'),
		finds: {
			files: /restore was changed$/,
			ports: /^8443\/tcp passes from anywhere over IPv4: no rule of the filter table does it/,
		},
	},
	{
		fault: 'the restore script loads a table of nftables',
		where: RESTORE,
		seed: () =>
			append(
				"nft 'table inet guard { chain in { type filter hook input priority 10; tcp dport 22 drop; }; }'",
			),
		finds: {
			files: /restore was changed$/,
			ports:
				/^22\/tcp is closed from anywhere over IPv4: an nftables table, not part of this firewall: inet guard$/,
		},
	},
	{
		fault: 'all of our folder is open to the world',
		where: '/etc/fw-wizard',
		seed: () => chmodSync(inView(host, '/etc/fw-wizard'), 0o777),
		finds: {files: /^\/etc\/fw-wizard can be written by others than root$/},
	},
	{
		fault: 'the policy is writable by the world',
		where: POLICY,
		seed: () => chmodSync(inView(host, POLICY), 0o666),
		finds: {files: /^\/etc\/fw-wizard\/policy\.json can be written by others than root$/},
	},
	{
		fault: 'a helper is not loaded at boot',
		where: MODULES,
		seed: () => edit(MODULES, (text) => text.replace('nf_conntrack_ftp\n', '')),
		finds: {helpers: /modules-load\.d\/fw-wizard\.conf does not list ftp$/},
	},
	{
		fault: 'a helper is commented out at boot',
		where: MODULES,
		seed: () => edit(MODULES, (text) => text.replace('nf_conntrack_sip', '# nf_conntrack_sip')),
		finds: {helpers: /modules-load\.d\/fw-wizard\.conf does not list sip$/},
	},
	{
		fault: 'no helper is loaded at boot',
		where: MODULES,
		seed: () => rmSync(inView(host, MODULES)),
		finds: {helpers: /modules-load\.d\/fw-wizard\.conf does not list ftp, sip$/},
	},
];

describe('the checklist', () => {
	const lab = useLab();

	beforeAll(async () => {
		host = await lab.host();
		// A masked unit leads to /dev/null. Should anything ever write there, then to one of its own.
		const steps = ['mount -t tmpfs fww-test /dev', 'mknod -m 666 /dev/null c 1 3'];
		await host.must('sh', ['-ec', steps.join('\n')]);
		await wizardDoes(host, 'apply', ...FLAGS);
	});

	test('finds nothing where all is well, and leaves open what nobody has done yet', async () => {
		const {status, failed, items} = await readChecklist(host);
		expect({status, failed}).toEqual({status: 0, failed: {}});
		const open = Object.values(items).filter(({state}) => state === 'open');
		expect(open.map(({id}) => id)).toEqual(['scanned', 'way-in', 'survived']);
		expect(
			open.every(({fix}) => fix?.startsWith('when it is done: ') || fix?.startsWith('reboot')),
		).toBe(true);
	});

	test.each([
		[
			'[Unit]\nConditionPathExists=/nowhere\n',
			/x\.conf, line 2, .*: ConditionPathExists=\/nowhere$/,
		],
		['[Service]\nNice=5\nExecStart=\n', /x\.conf, line 3, changes the unit: ExecStart=$/],
		['[Service]\nTimeoutStartSec=5\n', undefined],
	])('names what changes our unit, and lets it be: %j', async (text, cause) => {
		const folder = `${UNIT}.d`;
		await host.must('mkdir', ['-p', folder]);
		writeFileSync(inView(host, `${folder}/x.conf`), text);
		const {items} = await readChecklist(host, '--fix');
		expect(items.service).toMatchObject(
			cause ? {state: 'failed', cause: expect.stringMatching(cause)} : {state: 'ok'},
		);
		expect(items.service?.mendable).toBeUndefined();
		await host.must('rm', ['-r', folder]);
	});

	describe('of our files', () => {
		const OURS = [
			...['/etc/fw-wizard', UNIT, MODULES],
			'/etc/systemd/system/multi-user.target.wants/fw-wizard.service',
		];

		beforeAll(async () => {
			await host.must('tar', ['-cf', '/var/lib/before.tar', ...OURS]);
		});

		afterEach(async () => {
			await host.must('rm', ['-rf', ...OURS]);
			await host.must('tar', ['-xpf', '/var/lib/before.tar', '-C', '/']);
		});

		// The usual run has every second fault, and mends every second group.
		test.each(FAULTS.filter((_, index) => index % 2 < rounds(1, 2)))(
			'finds: $fault',
			async ({seed, finds}) => {
				await seed();
				const {status, failed, items} = await readChecklist(host);
				expect({status, failed}).toEqual({
					status: 1,
					failed: Object.fromEntries(
						Object.entries(finds).map(([id, cause]) => [id, expect.stringMatching(cause)]),
					),
				});
				for (const id of Object.keys(finds)) {
					expect(items[id]).toMatchObject({mendable: true, fix: `node ${CLI} check --fix`});
				}
			},
		);

		// Of each file the first fault, then of each the second, and so on.
		const places = [...new Set(FAULTS.map(({where}) => where))];
		const groups = places
			.map((place) => FAULTS.filter(({where}) => where === place))
			.reduce<Fault[][]>((all, faults) => {
				for (const [index, fault] of faults.entries()) {
					all[index] = [...(all[index] ?? []), fault];
				}

				return all;
			}, []);

		const chosen = groups.filter((_, index) => index % 2 < rounds(1, 2));
		test.each(chosen.map((faults) => ({names: faults.map(({fault}) => fault).join('; '), faults})))(
			'mends: $names',
			async ({faults}) => {
				const before = await readSaves(host);
				for (const {seed} of faults) {
					await seed();
				}

				const {status, failed} = await readChecklist(host, '--fix');
				expect({status, failed}).toEqual({status: 0, failed: {}});
				// Not one rule was touched for it, and no change made that could be undone.
				expect(await readSaves(host)).toEqual(before);
				expect(JSON.parse(await wizardDoes(host, 'undo', '--list', '--json')).changes).toHaveLength(
					1,
				);
				// What links led to is what it was.
				expect(await host.must('stat', ['-c', '%F', '/dev/null'])).toBe('character special file\n');
				await host.must('systemd-analyze', ['--man=no', 'verify', UNIT]);
				for (const {after} of faults) {
					after?.();
				}
			},
		);
	});
});
