import path from 'node:path';
import {afterAll, expect} from 'vitest';
import type {Backend} from '../../../source/host/netfilter/iptables.ts';
import {type SshServer, sshClient} from '../ssh/ssh.ts';
import {CLI} from './cli.ts';
import {removeAbandonedGroups} from './control-groups.ts';
import {ADDRESSES, CLIENTS, Machine, type Wired} from './debian-machine.ts';
import type {Suite} from './debian-root.ts';
import {debianVariant, type Init} from './debian-variant.ts';
import type {Host, Lab} from './namespaces.ts';
import {execute, startServer, succeed} from './programs.ts';

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

type Variant = {
	readonly init?: Init;
	readonly packages?: readonly string[];
	/** Whether it may start containers of its own. */
	readonly nests?: boolean;
};

/** Its program, as a command line in it names it. */
export const PROGRAM = '/opt/fw-wizard/cli.js';

/** To be called in a `describe` block, after `useLab`: all machines are gone when it is over. */
export function useDebians(lab: Lab): {
	readonly boot: (
		suite: Suite,
		files?: Readonly<Record<string, string>>,
		variant?: Variant,
	) => Promise<Debian>;
} {
	const machines: Machine[] = [];
	afterAll(async () => {
		await Promise.all(machines.splice(0).map(async (machine) => machine.remove()));
	});
	return {
		/** @param files what is on its disk before it boots: absolute path → text */
		async boot(suite, files = {}, {init = 'systemd', packages, nests = false} = {}) {
			await removeAbandonedGroups();
			const root = await debianVariant(suite, init, packages);
			const machine = new Machine(await sshClient(lab), init, nests);
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

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
