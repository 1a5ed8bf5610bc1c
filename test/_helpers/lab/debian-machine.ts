import {randomBytes} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {expect, vi} from 'vitest';
import {makeGroup, removeGroup} from './control-groups.ts';
import {CACHE} from './debian-root.ts';
import type {Init} from './debian-variant.ts';
import type {Host} from './namespaces.ts';
import {execute, type Server, startServer, succeed} from './programs.ts';

/** Called when the network card of a machine exists, and before its PID 1 starts. */
export type Wired = (namespace: string) => Promise<unknown>;

/** Where the disk is, for the processes that hold it. */
const DISK = path.join(CACHE, 'disk');
/** Of the machine and of its client, IPv4 before IPv6. */
export const ADDRESSES = ['192.0.2.1', '2001:db8::1'] as const;
export const CLIENTS = ['192.0.2.2', '2001:db8::2'] as const;

/**
 * A disk that lies in memory: what is written goes beside the made system, and all is gone with the
 * process that holds it. systemd-nspawn's own notes stay there too.
 */
const HOLD = `
mkdir -p "$2" /run/systemd
mount -t tmpfs -o mode=755 fww-disk "$2"
mount -t tmpfs -o mode=755 fww-notes /run/systemd
mkdir "$2/written" "$2/work" "$2/root" "$2/docker" "$2/containers"
mount -t overlay -o "lowerdir=$1,upperdir=$2/written,workdir=$2/work" fww-root "$2/root"
echo ready
exec cat`;

/** In its own control groups, its PID 1 tells on the console what it does. */
const BOOT = `
name=$1 root=$2 init=$3 rights=$4
shift 4
for group; do echo $$ >"$group/cgroup.procs"; done
exec systemd-nspawn --quiet --directory="$root" --machine="$name" \\
	--register=no --keep-unit --link-journal=no --resolv-conf=off --timezone=off --console=read-only \\
	--network-namespace-path="/run/netns/$name" $rights $init`;

const RIGHTS = '--capability=CAP_NET_ADMIN,CAP_NET_RAW';

/**
 * What containers in it need beside: mounts, system calls, and folders for their layers that are not
 * an overlay themselves.
 */
const NESTING_RIGHTS = [
	'--capability=all --system-call-filter=add_key --system-call-filter=keyctl --system-call-filter=bpf',
	`--bind=${DISK}/docker:/var/lib/docker --bind=${DISK}/containers:/var/lib/containers`,
].join(' ');

/** systemd-nspawn leaves the parameters of the network, which daemons set, writable. */
const NESTING_VARIABLES = {SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network'};

/** The daemons of containers make control groups, below those of the machine itself. */
const NESTING_FILES = {
	'/etc/systemd/system/fww-nesting.service': `[Unit]
Before=containerd.service docker.service
[Service]
Type=oneshot
ExecStart=mount -o remount,rw /sys/fs/cgroup
ExecStart=sh -c 'for group in /sys/fs/cgroup/*; do [ ! -d $group ] || mount -o remount,bind,rw $group || true; done'
`,
	'/etc/systemd/system/multi-user.target.d/fww.conf': '[Unit]\nWants=fww-nesting.service\n',
};

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

/** What a Debian runs on. */
export class Machine {
	readonly name = `fww-${process.pid}-${randomBytes(3).toString('hex')}`;
	readonly client: Host;
	/** Its PID 1, as known here. */
	init = 0;
	#disk: Server | undefined;
	#power: Server | undefined;
	readonly #controls: Controls;
	readonly #nests: boolean;

	constructor(client: Host, init: Init, nests: boolean) {
		this.client = client;
		this.#controls = CONTROLS[init];
		this.#nests = nests;
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
		for (const [name, text] of Object.entries({
			...keys,
			...(this.#nests ? NESTING_FILES : {}),
			...files,
		})) {
			const file = path.join(`/proc/${this.#disk.pid}/root`, DISK, 'root', name);
			mkdirSync(path.dirname(file), {recursive: true, mode: 0o755});
			writeFileSync(file, text, {mode: 0o644});
		}
	}

	/** Boots it and waits until all of its services are up and both addresses answer. */
	async powerOn(wired?: Wired): Promise<void> {
		await this.#layCable();
		await wired?.(this.name);
		const groups = makeGroup(this.name, this.#nests ? 'all' : 'systemd');
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
				this.#nests ? NESTING_RIGHTS : RIGHTS,
				...groups,
			],
			/Welcome to|INIT: version/,
			this.#nests ? NESTING_VARIABLES : {},
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
