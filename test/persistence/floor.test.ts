import {mkdirSync, rmSync} from 'node:fs';
import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {printRestoreScript} from '../../source/persistence/restore-script.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {
	type Booted,
	bootWith,
	type Files,
	keptBy,
	place,
	RESTORE,
} from '../_helpers/lab/boot-script.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';

const IPV4 = '/etc/fw-wizard/rules.v4';
const IPV6 = '/etc/fw-wizard/rules.v6';

const POLICY = completePolicy({
	role: 'server',
	verdict: 'reject',
	helpers: ['ftp'],
	log: true,
	openings: ['22/tcp limit', '21/tcp', '80/tcp', '8000-8010/tcp from 10.0.0.0/8'].flatMap((text) =>
		parseOpening(text, new Map()),
	),
});

/** What must hold even when nothing optional can be had: no helper, no limit, no log, no multiport. */
const FLOOR = `\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:FW-WIZARD-INPUT - [0:0]
-A INPUT -j FW-WIZARD-INPUT
-A FW-WIZARD-INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FW-WIZARD-INPUT -p icmp -j ACCEPT
-A FW-WIZARD-INPUT -i lo -j ACCEPT
-A FW-WIZARD-INPUT -m conntrack --ctstate INVALID -j DROP
-A FW-WIZARD-INPUT -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A FW-WIZARD-INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A FW-WIZARD-INPUT -p tcp -m tcp --dport 21 -j ACCEPT
-A FW-WIZARD-INPUT -p tcp -m tcp --dport 80 -j ACCEPT
-A FW-WIZARD-INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 8000:8010 -j ACCEPT
-A FW-WIZARD-INPUT -j REJECT --reject-with icmp-port-unreachable
COMMIT
`;

/** What may be wrong with the file of the IPv4 rules, none of which may open the machine. */
const FAULTS: ReadonlyArray<readonly [string, (text: string) => string]> = [
	['a syntax error', (text) => text.replace('--dport', '--dprot')],
	[
		'a port that is none',
		(text) =>
			text.replace(/^-A.*multiport.*$/m, '-A FW-WIZARD-INPUT -p tcp --dport 99999 -j ACCEPT'),
	],
	['a helper that the kernel lacks', (text) => text.replace('--helper ftp', '--helper nosuch')],
	['a target that is none', (text) => text.replace('-j REJECT', '-j NOSUCH')],
	['a host name', (text) => text.replace('10.0.0.0/8', 'no.such.host.invalid')],
	['nothing in it', () => ''],
	['only zeros, as after a power cut', (text) => '\0'.repeat(text.length)],
	['no jump to its chain', (text) => text.replace('-A INPUT -j FW-WIZARD-INPUT\n', '')],
	['no chain', (text) => text.replace(/^.*FW-WIZARD-INPUT.*\n/gm, '')],
	['the rules of another program', () => '*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n'],
	['lines of another system', (text) => text.replaceAll('\n', '\r\n')],
];

describe.each(BACKENDS)('where the rules do not load at boot, %s', (backend) => {
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

	const boot = async () => bootWith(host, `sh ${RESTORE}`);

	/** The floor of IPv4 is loaded, which was said, and IPv6 is whole. */
	function expectFloor({status, stderr, ipv4, ipv6}: Booted): void {
		expect({status, ipv4: filterOf(ipv4), ipv6}).toEqual({
			status: 1,
			ipv4: FLOOR,
			ipv6: whole.ipv6,
		});
		expect(stderr).toContain(
			`fw-wizard: the IPv4 rules in ${IPV4} do not load; loading the floor instead`,
		);
		expect(stderr).not.toContain('IPv6');
	}

	test.each(FAULTS)('loads the floor and says so: %s', async (_, spoil) => {
		place(host, {...files, [IPV4]: spoil(files[IPV4] ?? '')});
		expectFloor(await boot());
	});

	test('loads the floor where the file is gone, or a folder', async () => {
		place(host, files);
		rmSync(inView(host, IPV4));
		expectFloor(await boot());
		mkdirSync(inView(host, IPV4));
		expectFloor(await boot());
	});

	test('loads the floor of either family, and of both', async () => {
		place(host, {...files, [IPV6]: ''});
		const ipv6 = await boot();
		expect(ipv6).toMatchObject({status: 1, ipv4: whole.ipv4});
		expect(ipv6.ipv6).toContain('-A INPUT -j FW-WIZARD-INPUT\n');
		expect(ipv6.ipv6).toContain(
			'-A FW-WIZARD-INPUT -j REJECT --reject-with icmp6-port-unreachable\n',
		);
		expect(ipv6.ipv6).not.toContain('limit');
		expect(ipv6.stderr).toContain('the IPv6 rules in /etc/fw-wizard/rules.v6 do not load');
		place(host, {...files, [IPV4]: '', [IPV6]: ''});
		const both = await boot();
		expect({...both, ipv4: filterOf(both.ipv4)}).toMatchObject({
			status: 1,
			ipv4: FLOOR,
			ipv6: ipv6.ipv6,
		});
	});

	test.each([
		{tables: 'two tables', policy: POLICY},
		{tables: 'one table', policy: {...POLICY, helpers: []}},
	])('filters whatever length a file with $tables was cut to', async ({policy}) => {
		const kept = keptBy(policy, backend).files;
		const text = kept[IPV4] ?? '';
		const {ipv4} = await bootWith(host, `iptables-restore <<'END'\n${text}END`);
		const length = fc.oneof(
			fc.integer({min: 0, max: text.length - 1}),
			// At the end of a line.
			fc.constantFrom(...[...text.matchAll(/\n/g)].map(({index}) => index + 1)),
		);
		await fc.assert(
			fc.asyncProperty(length, async (cut) => {
				place(host, {...kept, [IPV4]: text.slice(0, cut)});
				const booted = await boot();
				// Where the cut leaves a whole table, what is left is what filters.
				expect(filterOf(booted.ipv4)).toBe(booted.status === 0 ? filterOf(ipv4) : FLOOR);
			}),
			{numRuns: 10, examples: [[text.length - 1], [text.length - 2], [0], [1]]},
		);
	});

	test('leaves the floor in the place of rules that are there already, and comes back from it', async () => {
		place(host, {...files, '/etc/fw-wizard/good': files[IPV4] ?? '', [IPV4]: ''});
		const [good, floor] = [`cp /etc/fw-wizard/good ${IPV4}`, `: >${IPV4}`];
		const after = await bootWith(host, `${good}; sh ${RESTORE} && ${floor}; sh ${RESTORE}`);
		expect(after.status).toBe(1);
		expect(filterOf(after.ipv4)).toBe(FLOOR);
		const again = await bootWith(host, `${floor}; sh ${RESTORE}; ${good}; sh ${RESTORE}`);
		expect(again).toMatchObject({status: 0, ipv4: whole.ipv4, ipv6: whole.ipv6});
	});

	test('says with status 2 that a family is not filtered at all', async () => {
		const families = ([4, 6] as const).map((family) => ({
			family,
			program: `/usr/sbin/${family === 4 ? 'iptables' : 'ip6tables'}-${backend}`,
			file: family === 4 ? '/nonexistent' : IPV6,
			floor: family === 4 ? '*nosuch\nCOMMIT\n' : FLOOR,
		}));
		place(host, {...files, [RESTORE]: printRestoreScript(families, [])});
		const {status, stderr, ipv6} = await boot();
		expect({status, ipv6}).toEqual({status: 2, ipv6: whole.ipv6});
		expect(stderr).toContain('not even the IPv4 floor loads: IPv4 is NOT FILTERED');
		expect(stderr).not.toContain('IPv6');
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
