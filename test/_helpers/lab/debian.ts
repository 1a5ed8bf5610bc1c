import {randomBytes} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {afterAll, expect, vi} from 'vitest';
import type {Backend} from '../../../source/host/netfilter/iptables.ts';
import {type SshServer, sshClient} from '../ssh/ssh.ts';
import {CLI} from './cli.ts';
import {makeGroup, removeAbandonedGroups, removeGroup} from './control-groups.ts';
import {CACHE, type Suite} from './debian-root.ts';
import {debianVariant, type Init} from './debian-variant.ts';
import type {Host, Lab} from './namespaces.ts';
import {execute, type Server, startServer, succeed} from './programs.ts';

/** A Debian that was booted, with systemd unless a test wants another, and the client that is joined to it by a cable. */
export type Debian = SshServer & {
	readonly suite: Suite;
	/** A file of it, as seen from here, while it runs. */
	readonly file: (name: string) => string;
	/** Copies the built program to it, as /opt/fw-wizard/cli.js. */
	readonly install: () => Promise<void>;
	/** As its administrator does, with update-alternatives(1). */
	readonly chooseBackend: (backend: Backend) => Promise<void>;
	/**
	 * Boots it anew, in good order: the same disk, the network and its rules from nothing.
	 * @param wired is called when its network card exists, and before its PID 1 starts
	 */
	readonly reboot: (wired?: Wired) => Promise<void>;
	/** Takes its power away and boots it anew. */
	readonly cutPower: (wired?: Wired) => Promise<void>;
	readonly shutDown: () => Promise<void>;
	/** Its PID 1, by the number that it has here. */
	readonly init: () => number;
};

type Wired = (namespace: string) => Promise<unknown>;

/** Its program, as a command line in it names it. */
export const PROGRAM = '/opt/fw-wizard/cli.js';

/** Where the disk is, for the processes that hold it. */
const DISK = path.join(CACHE, 'disk');
const ADDRESSES = ['192.0.2.1', '2001:db8::1'] as const;
const CLIENTS = ['192.0.2.2', '2001:db8::2'] as const;

/**
 * A disk that lies in memory: what is written goes beside the made system, and all is gone with the
 * process that holds it. systemd-nspawn's own notes stay there too.
 */
const HOLD = `
mkdir -p "$2" /run/systemd
mount -t tmpfs -o mode=755 fww-disk "$2"
mount -t tmpfs -o mode=755 fww-notes /run/systemd
mkdir "$2/written" "$2/work" "$2/root"
mount -t overlay -o "lowerdir=$1,upperdir=$2/written,workdir=$2/work" fww-root "$2/root"
echo ready
exec cat`;

/** In its own control groups, its PID 1 tells on the console what it does. */
const BOOT = `
name=$1 root=$2 init=$3
shift 3
for group; do echo $$ >"$group/cgroup.procs"; done
exec systemd-nspawn --quiet --directory="$root" --machine="$name" \\
	--register=no --keep-unit --link-journal=no --resolv-conf=off --timezone=off --console=read-only \\
	--network-namespace-path="/run/netns/$name" --capability=CAP_NET_ADMIN,CAP_NET_RAW \\
	$init`;

/** To be called in a `describe` block, after `useLab`: all machines are gone when it is over. */
export function useDebians(lab: Lab): {
	readonly boot: (
		suite: Suite,
		files?: Readonly<Record<string, string>>,
		variant?: {readonly init?: Init; readonly packages?: readonly string[]},
	) => Promise<Debian>;
} {
	const machines: Machine[] = [];
	afterAll(async () => {
		await Promise.all(machines.splice(0).map(async (machine) => machine.remove()));
	});
	return {
		/** @param files what is on its disk before it boots: absolute path → text */
		async boot(suite, files = {}, {init = 'systemd', packages} = {}) {
			await removeAbandonedGroups();
			const root = await debianVariant(suite, init, packages);
			const machine = new Machine(await sshClient(lab), CONTROLS[init]);
			machines.push(machine);
			await machine.insertDisk(root, files);
			await machine.powerOn();
			return asDebian(suite, machine);
		},
	};
}

function asDebian(suite: Suite, machine: Machine): Debian {
	const {client, name} = machine;
	const enter = () => ['nsenter', `--target=${machine.init}`, '--all', '--'];
	const run: Host['run'] = async (program, args, options) =>
		execute([...enter(), program, ...args], options);
	const must: Host['must'] = async (program, args, options) =>
		succeed([...enter(), program, ...args], options);
	const file = (inside: string) => path.join(`/proc/${machine.init}/root`, inside);
	const host: Host = {
		name,
		folder: client.folder,
		get enter() {
			return enter();
		},
		variables: {},
		run,
		must,
		async ip(lines) {
			await must('ip', ['-batch', '-'], {input: `${lines.join('\n')}\n`});
		},
		async sysctl(values) {
			const words = Object.entries(values).map(([key, value]) => `${key}=${value}`);
			await must('sysctl', ['-q', '-w', ...words]);
		},
		start: async (program, args, ready) => startServer([...enter(), program, ...args], ready),
	};
	return {
		suite,
		host,
		client,
		addresses: ADDRESSES,
		clients: CLIENTS,
		port: 22,
		file,
		async install() {
			await succeed(['install', '-D', '-m', '755', CLI, file(PROGRAM)]);
		},
		async chooseBackend(backend) {
			for (const name of ['iptables', 'ip6tables']) {
				await must('update-alternatives', ['--set', name, `/usr/sbin/${name}-${backend}`]);
			}
		},
		async reboot(wired) {
			const before = await must('cat', [BOOT_ID]);
			await machine.halt('reboot');
			await machine.powerOn(wired);
			expect(await must('cat', [BOOT_ID])).not.toBe(before);
		},
		async cutPower(wired) {
			await machine.powerOff();
			await machine.powerOn(wired);
		},
		shutDown: async () => machine.halt('poweroff'),
		init: () => machine.init,
	};
}

/** How it is started, how to tell that all services are up, and to end it in good order. */
type Controls = {
	/** Last words for systemd-nspawn, which boots systemd wherever that is installed. */
	readonly init: string;
	readonly isUp: readonly string[];
	readonly end: Readonly<Record<'reboot' | 'poweroff', readonly string[]>>;
};

const SYSVINIT: Controls = {
	init: '/sbin/init',
	isUp: ['test', '-e', '/run/fww-booted'],
	end: {reboot: ['shutdown', '-r', 'now'], poweroff: ['shutdown', '-h', 'now']},
};

const CONTROLS: Readonly<Record<Init, Controls>> = {
	systemd: {
		init: '--boot systemd.show_status=1',
		isUp: ['sh', '-c', 'systemctl is-system-running --wait | grep -Eqx "running|degraded"'],
		end: {reboot: ['systemctl', 'reboot'], poweroff: ['systemctl', 'poweroff']},
	},
	sysvinit: SYSVINIT,
	openrc: SYSVINIT,
};

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** What a Debian runs on. */
class Machine {
	readonly name = `fww-${process.pid}-${randomBytes(3).toString('hex')}`;
	readonly client: Host;
	/** Its PID 1, as known here. */
	init = 0;
	#disk: Server | undefined;
	#power: Server | undefined;
	readonly #controls: Controls;

	constructor(client: Host, controls: Controls) {
		this.client = client;
		this.#controls = controls;
	}

	/** Puts the system on the disk, with files of the test's own; the client may log in as root and as guest. */
	async insertDisk(root: string, files: Readonly<Record<string, string>>): Promise<void> {
		this.#disk = await startServer(
			['unshare', '--mount', '--propagation', 'slave', 'sh', '-ec', HOLD, 'sh', root, DISK],
			/ready/,
		);
		const key = readFileSync(path.join(this.client.folder, 'key.pub'), 'utf8');
		const keys = {
			'/root/.ssh/authorized_keys': key,
			'/home/guest/.ssh/authorized_keys': key,
		};
		for (const [name, text] of Object.entries({...keys, ...files})) {
			const file = path.join(`/proc/${this.#disk.pid}/root`, DISK, 'root', name);
			mkdirSync(path.dirname(file), {recursive: true, mode: 0o755});
			writeFileSync(file, text, {mode: 0o644});
		}
	}

	/** Boots it and waits until all of its services are up and both addresses answer. */
	async powerOn(wired?: Wired): Promise<void> {
		await this.#layCable();
		await wired?.(this.name);
		const groups = makeGroup(this.name);
		const mounts = `--mount=/proc/${this.#disk?.pid}/ns/mnt`;
		const root = path.join(DISK, 'root');
		// sysvinit makes it read-only when it ends.
		await succeed(['nsenter', mounts, '--', 'mount', '-o', 'remount,rw', root]);
		this.#power = await startServer(
			[
				'nsenter',
				mounts,
				'--',
				'sh',
				'-ec',
				BOOT,
				'sh',
				this.name,
				root,
				this.#controls.init,
				...groups,
			],
			/Welcome to|INIT: version/,
		);
		this.init = initOf(this.#power.pid);
		const enter = ['nsenter', `--target=${this.init}`, '--all', '--'];
		await vi.waitFor(async () => {
			expect(await execute([...enter, ...this.#controls.isUp])).toMatchObject({status: 0});
			for (const address of ADDRESSES) {
				await this.client.must('ping', ['-q', '-c', '1', '-W', '1', address]);
			}
		}, WAIT);
	}

	/** Lets it end by itself. */
	async halt(how: 'reboot' | 'poweroff'): Promise<void> {
		const pid = this.#power?.pid;
		await execute(['nsenter', `--target=${this.init}`, '--all', '--', ...this.#controls.end[how]]);
		await vi.waitFor(() => expect(existsSync(`/proc/${pid}`)).toBe(false), WAIT);
		await this.powerOff();
	}

	async powerOff(): Promise<void> {
		await removeGroup(this.name);
		await this.#power?.stop();
		this.#power = undefined;
		await execute(['ip', 'netns', 'del', this.name]);
	}

	async remove(): Promise<void> {
		await this.powerOff();
		await this.#disk?.stop();
	}

	/** A network card that knows nothing, and the client's end of its cable. */
	async #layCable(): Promise<void> {
		const {client} = this;
		await client.run('ip', ['link', 'del', 'eth0']);
		await succeed(['ip', 'netns', 'add', this.name]);
		const link = `type veth peer name eth0 netns ${client.name}`;
		await succeed(['ip', '-n', this.name, 'link', 'add', 'eth0', ...link.split(' ')]);
		await client.ip([
			`address add ${CLIENTS[0]}/24 dev eth0`,
			`address add ${CLIENTS[1]}/64 dev eth0 nodad`,
			'link set eth0 up',
		]);
	}
}

const WAIT = {timeout: 30_000, interval: 50};

/** The machine's PID 1: the child of systemd-nspawn that is the first in its own namespace. */
function initOf(nspawn: number): number {
	const children = readFileSync(`/proc/${nspawn}/task/${nspawn}/children`, 'utf8');
	const init = children
		.trim()
		.split(' ')
		.find((pid) => /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
	if (init === undefined) {
		throw new Error('systemd-nspawn has no PID 1');
	}

	return Number(init);
}
