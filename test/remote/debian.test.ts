import {rmSync} from 'node:fs';
import process from 'node:process';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {type Debian, useDebians} from '../_helpers/lab/debian.ts';
import type {Suite} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {execute} from '../_helpers/lab/programs.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {downloadNode, type Laptop, makeLaptop} from '../_helpers/ssh/laptop.ts';
import {sshServer} from '../_helpers/ssh/ssh.ts';
import {type Terminal, useTerminals} from '../_helpers/terminal/terminal.ts';
import {walkAndLoad} from '../_helpers/terminal/walk.ts';
import {walkTo} from '../_helpers/ui/journey.ts';

const PASSWORD = 'correct horse';
const ASKED = /password for guest: *$/;
const FLAGS = ['--role', 'server', '--open', '22/tcp'];

type Box = {readonly name: string; readonly suite: Suite; readonly packages: readonly string[]};
const BOXES: readonly Box[] = [
	{name: 'Debian 12 without Node', suite: 'bookworm', packages: ['sudo']},
	{name: 'Debian 12 with Node 18', suite: 'bookworm', packages: ['sudo', 'nodejs']},
	{name: 'Debian 13 with Node 20', suite: 'trixie', packages: ['sudo']},
];

/** How the connection ends: the program on the laptop dies, all of the laptop does, or its terminal closes. */
type End = 'program' | 'laptop' | 'terminal';
/** When it ends, and what is waited for until then. */
const MOMENTS: ReadonlyArray<{
	readonly at: string;
	readonly end: End;
	readonly until: (terminal: Terminal, box: Debian) => Promise<unknown>;
}> = [
	{at: 'the wait for the confirmation', end: 'laptop', until: async (terminal) => load(terminal)},
	{at: 'the folder', end: 'program', until: async (_, box) => hasFile(box, '*')},
	{at: 'the program on its way', end: 'laptop', until: async (_, box) => hasFile(box, '*/cli.js')},
	{at: 'Node on its way', end: 'laptop', until: async (_, box) => hasFile(box, '*/package*')},
	{at: 'Node, whole', end: 'program', until: async (_, box) => hasFile(box, '*/node')},
	{at: 'the password', end: 'terminal', until: async (terminal) => terminal.waitFor(ASKED)},
	{at: 'Welcome', end: 'laptop', until: async (terminal) => logInTo(terminal)},
	{at: 'the proof', end: 'terminal', until: async (terminal) => proof(terminal)},
	{at: 'Apply', end: 'laptop', until: async (terminal) => pressApply(terminal)},
	{at: 'the wait, by the terminal', end: 'terminal', until: async (terminal) => load(terminal)},
];

async function hasFile(box: Debian, name: string): Promise<void> {
	await vi.waitFor(async () => box.host.must('sh', ['-c', `ls -d /tmp/fw-wizard.${name}`]), {
		timeout: 30_000,
		interval: 5,
	});
}

async function logInTo(terminal: Terminal): Promise<void> {
	await terminal.waitFor(ASKED);
	terminal.type(`${PASSWORD}\r`);
	await terminal.waitFor('Review this setup');
}

async function proof(terminal: Terminal): Promise<void> {
	await logInTo(terminal);
	await walkTo(terminal, 'Does it do what you chose?');
}

async function pressApply(terminal: Terminal): Promise<void> {
	await logInTo(terminal);
	await walkTo(terminal, 'Load these rules now?');
	terminal.press('enter');
}

async function load(terminal: Terminal): Promise<void> {
	await logInTo(terminal);
	await walkAndLoad(terminal, 'open');
}

describe.each(BOXES.slice(0, rounds(1, 3)))('to $name, through a jump host', (variant) => {
	const lab = useLab();
	const debians = useDebians(lab);
	const terminals = useTerminals();
	let box: Debian;
	let laptop: Laptop;

	beforeAll(async () => {
		await downloadNode();
		box = await debians.boot(variant.suite, {}, {packages: variant.packages});
		const {host, client, addresses} = box;
		if (variant.suite === 'bookworm') {
			rmSync(box.file('/usr/local/bin/node'));
		}

		// An empty table that a change has made stays when that is undone.
		for (const program of ['iptables', 'ip6tables']) {
			await host.must(program, ['-P', 'INPUT', 'ACCEPT']);
		}

		const sudoers =
			'Defaults:guest timestamp_timeout=0, passwd_tries=1, lecture=never\nguest ALL=(ALL) ALL\n';
		await host.must('sh', ['-c', 'cat >/etc/sudoers.d/guest'], {input: sudoers});
		await host.must('chpasswd', [], {input: `guest:${PASSWORD}\n`});
		// The jump host reaches the server by way of the laptop's machine, which only passes packets on.
		const jump = await sshServer(lab, client, {backend: 'nft', number: 1});
		await client.sysctl({'net.ipv4.ip_forward': 1});
		await jump.host.ip(['route add 192.0.2.0/24 via 10.9.1.2']);
		await host.ip(['route add 10.9.1.0/24 via 192.0.2.2']);
		laptop = await makeLaptop(client, {
			box: {HostName: addresses[0], User: 'guest', ProxyJump: 'jump'},
			jump: {HostName: jump.addresses[0], User: 'root'},
		});
	}, 300_000);

	const expectNothingLeft = async () => {
		await vi.waitFor(
			async () => {
				const folders = 'find /tmp /var/tmp /root /home -name "fw-wizard.*"';
				const programs = 'pgrep -af "[c]li.js|[/]tmp/fw-wizard" || true';
				expect(await box.host.must('sh', ['-c', `${folders}; ${programs}`])).toBe('');
				expect(laptop.leftovers()).toEqual([]);
			},
			{timeout: 60_000, interval: 200},
		);
	};
	const open = (...args: readonly string[]) => laptop.open(terminals, ['--host', 'box', ...args]);
	const endAt = async (terminal: Terminal, how: End) => {
		if (how === 'terminal') {
			process.kill(-terminal.pid, 'SIGHUP');
		} else if (how === 'program') {
			process.kill(terminal.pid, 'SIGKILL');
		} else {
			// The program and every ssh of the laptop, also that of the jump host.
			const pids = await execute(['ip', 'netns', 'pids', laptop.client.name]);
			for (const pid of pids.stdout.trim().split('\n').map(Number)) {
				try {
					process.kill(pid, 'SIGKILL');
				} catch {
					// It ended with another of them.
				}
			}
		}
	};

	// A Node that is there already is not brought.
	const moments = MOMENTS.filter(
		({at}) => variant.suite === 'bookworm' || !at.startsWith('Node'),
	).slice(0, rounds(0, MOMENTS.length));

	test.each(moments)(
		'ended at $at by the $end, it leaves nothing, and the rules as before',
		async ({end, until}) => {
			const before = await readSaves(box.host);
			const terminal = open(...FLAGS, '--confirm-within', '10');
			await until(terminal, box);
			await endAt(terminal, end);
			await terminal.ended;
			if (end === 'laptop') {
				// Nothing runs there any more that could have done it.
				laptop.tidy();
			}

			await expectNothingLeft();
			await vi.waitFor(async () => expect(await readSaves(box.host)).toEqual(before), {
				timeout: 30_000,
				interval: 200,
			});
		},
		180_000,
	);

	test('the whole wizard, confirmed by a second ssh, and check', async () => {
		const terminal = open(...FLAGS);
		await load(terminal);
		await Promise.all([
			laptop.ssh('box', 'sleep 5'),
			terminal.waitFor('New login from 10.9.1.1 seen'),
		]);
		terminal.press('enter');
		await terminal.waitFor('Loaded and read back');
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
		await expectNothingLeft();

		const check = open('check');
		await check.waitFor(ASKED);
		check.type(`${PASSWORD}\r`);
		expect([await check.ended, check.history()]).toEqual([0, expect.stringMatching(/^ok {4}/m)]);
		await expectNothingLeft();
		const after = await readSaves(box.host);
		await box.reboot();
		expect(await readSaves(box.host)).toEqual(after);
		expect(after.ipv4).toContain('FW-WIZARD-INPUT');
	}, 240_000);
});
