import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {foreignLines, readSaves} from '../_helpers/samples/saves.ts';

const FLAGS = ['--role', 'server', '--open', '22/tcp'];
const JUMP = ['INPUT', '-j', 'FW-WIZARD-INPUT'];
const TRUSTED = ['INPUT', '-s', '192.0.2.7', '-j', 'ACCEPT'];

type Fault = {
	readonly fault: string;
	/** Arguments of iptables, after the name of the program. */
	readonly commands: ReadonlyArray<readonly [string, ...(readonly string[])]>;
	readonly finds: Readonly<Record<string, RegExp>>;
};

/** What may befall our rules. All of it is ours to mend. */
const OURS: readonly Fault[] = [
	{
		fault: 'the jump is there twice',
		commands: [['iptables', '-I', ...JUMP]],
		finds: {
			'running-ipv4': /should not be there$/,
			reached: /^IPv4: INPUT has 2 jumps to FW-WIZARD-INPUT$/,
		},
	},
	{
		fault: 'the jump is gone',
		commands: [['iptables', '-D', ...JUMP]],
		finds: {
			'running-ipv4': /"-j FW-WIZARD-INPUT" is missing$/,
			reached: /^IPv4: INPUT has no jump/,
		},
	},
	{
		fault: 'the IPv6 jump is gone',
		commands: [['ip6tables', '-D', ...JUMP]],
		finds: {'running-ipv6': /is missing$/, reached: /^IPv6: INPUT has no jump/},
	},
	{
		fault: 'an IPv4 rule was added by hand',
		commands: [
			['iptables', '-I', 'FW-WIZARD-INPUT', '1', '-p', 'tcp', '--dport', '3306', '-j', 'ACCEPT'],
		],
		finds: {'running-ipv4': /^IPv4, rule 1 of FW-WIZARD-INPUT: is "-p tcp --dport 3306 -j ACCEPT"/},
	},
	{
		fault: 'the IPv6 verdict was taken away by hand',
		commands: [['ip6tables', '-D', 'FW-WIZARD-INPUT', '-j', 'REJECT']],
		finds: {'running-ipv6': /^IPv6, rule \d+ of FW-WIZARD-INPUT: "-j REJECT" is missing$/},
	},
	{
		fault: 'all rules were flushed',
		commands: [
			['iptables', '-F'],
			['iptables', '-X'],
		],
		finds: {'running-ipv4': /is missing$/},
	},
];

/** Rules of others ahead of our jump, which only the user may take away. */
const FOREIGN: ReadonlyArray<{
	readonly rule: string;
	readonly commands: Fault['commands'];
	readonly found: RegExp | undefined;
}> = [
	{
		rule: 'accepts all',
		commands: [['iptables', '-I', 'INPUT', '-j', 'ACCEPT']],
		found: /are open from anywhere over IPv4: -A INPUT -j ACCEPT, in filter$/,
	},
	{
		rule: 'drops all, IPv6',
		commands: [['ip6tables', '-I', 'INPUT', '-j', 'DROP']],
		found: /^22\/tcp is closed from anywhere over IPv6: -A INPUT -j DROP, in filter$/,
	},
	{
		rule: 'accepts all that is new',
		commands: [['iptables', '-I', 'INPUT', '-m', 'state', '--state', 'NEW', '-j', 'ACCEPT']],
		found: /: -A INPUT -m (?:conntrack --ct|state --)state NEW -j ACCEPT, in filter$/,
	},
	{
		rule: 'drops all of TCP',
		commands: [['iptables', '-I', 'INPUT', '-p', 'tcp', '-j', 'DROP']],
		found: /^22\/tcp is closed from anywhere over IPv4: -A INPUT -p tcp -j DROP, in filter$/,
	},
	{
		rule: 'accepts all in a chain of its own',
		commands: [
			['iptables', '-N', 'theirs'],
			['iptables', '-A', 'theirs', '-j', 'ACCEPT'],
			['iptables', '-I', 'INPUT', '-j', 'theirs'],
		],
		found: /: -A theirs -j ACCEPT, in filter$/,
	},
	{
		rule: 'lets somebody in, in a chain of its own that returns',
		commands: [
			['iptables', '-N', 'theirs'],
			['iptables', '-A', 'theirs', '-s', '192.0.2.9', '-j', 'ACCEPT'],
			['iptables', '-A', 'theirs', '-j', 'RETURN'],
			['iptables', '-I', 'INPUT', '-j', 'theirs'],
			['iptables', '-I', 'INPUT', '-m', 'conntrack', '--ctstate', 'ESTABLISHED', '-j', 'ACCEPT'],
			['iptables', '-I', 'INPUT', '-i', 'lo', '-j', 'ACCEPT'],
			['iptables', '-A', 'INPUT', '-j', 'DROP'],
		],
		found: undefined,
	},
];

describe.each(mainly('legacy'))('of the running rules, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host({backend});
		await host.must('iptables', ['-A', ...TRUSTED]);
		await wizardDoes(host, 'apply', ...FLAGS);
	});

	async function run(commands: Fault['commands']): Promise<void> {
		for (const [program, ...args] of commands) {
			await host.must(program, args);
		}
	}

	// The usual run has every second, and every second of others.
	test.each(OURS.filter((_, index) => index % 2 < rounds(1, 2)))(
		'finds and mends: $fault',
		async ({commands, finds}) => {
			await run(commands);
			const before = await readSaves(host);
			const {status, failed, items} = await readChecklist(host);
			expect({status, failed}).toEqual({
				status: 1,
				failed: Object.fromEntries(
					Object.entries(finds).map(([id, cause]) => [id, expect.stringMatching(cause)]),
				),
			});
			expect(Object.keys(finds).every((id) => items[id]?.mendable)).toBe(true);
			const mended = await readChecklist(host, '--fix');
			expect({status: mended.status, failed: mended.failed}).toEqual({status: 0, failed: {}});
			const after = await readSaves(host);
			expect(foreignLines(after.ipv4)).toEqual(foreignLines(before.ipv4));
			expect(foreignLines(after.ipv6)).toEqual(foreignLines(before.ipv6));
		},
	);
});

describe('of the rules of others ahead of ours', () => {
	const lab = useLab();

	test.each(FOREIGN.filter((_, index) => index % 2 < rounds(1, 2)))(
		'names what only the user may change, and lets it be: $rule',
		async (fault) => {
			const host = await lab.host();
			await wizardDoes(host, 'apply', ...FLAGS);
			for (const [program, ...args] of fault.commands) {
				await host.must(program, args);
			}

			const before = await readSaves(host);
			for (const flags of [[], ['--fix']]) {
				const {status, failed, items} = await readChecklist(host, ...flags);
				expect({status, failed}).toEqual(
					fault.found
						? {status: 1, failed: {reached: expect.stringMatching(fault.found)}}
						: {status: 0, failed: {}},
				);
				expect(items.reached?.mendable).toBeUndefined();
			}

			expect(await readSaves(host)).toEqual(before);
		},
	);
});
