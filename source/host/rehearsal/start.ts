import {existsSync, mkdirSync, mkdtempSync, rmdirSync, statSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {HostError} from '../../lib/errors.ts';
import {printable} from '../../lib/printable.ts';
import {firstLine, type RunResult, run, runToEnd} from '../exec/run.ts';
import {runAttached} from '../exec/run-attached.ts';
import {ownArguments, selfCommand} from '../exec/self.ts';
import {isRoot} from '../machine/host-facts.ts';
import {type Interface, interfacesHere} from '../machine/interfaces.ts';
import {link} from '../sockets/processes.ts';
import {REHEARSAL_MOUNT, REHEARSAL_VARIABLE} from './is-rehearsal.ts';

/** What the folder to build in begins with. */
const SCRATCH = 'fww-rehearsal-';

/** What the outer program hands to itself inside the namespaces. */
type Ticket = {
	/** The namespaces outside, to be sure that these are others. */
	readonly outside: readonly string[];
	/** An empty folder of ours to build in; hidden from the outside by a mount. */
	readonly scratch: string;
	readonly interfaces: readonly Interface[];
};

/** Folders whose files a rehearsal may write; only in the copy. */
const WRITABLE = {
	etc: [
		'systemd/system',
		'systemd/system/multi-user.target.wants',
		'systemd/system/timers.target.wants',
		'modules-load.d',
		'network/if-pre-up.d',
		'init.d',
		'runlevels/boot',
	],
	'var/lib': [],
} as const;

/** Milliseconds that the kernel is waited for. */
const TIMEOUT_MS = 2000;

/**
 * Whether a rehearsal can be made here.
 * @throws {HostError} when that cannot be found out
 */
export async function namespacesAllowed(): Promise<boolean> {
	return (await tryNamespaces()).status === 0;
}

/** @throws {HostError} where unshare(1) gives no answer */
async function tryNamespaces(): Promise<RunResult> {
	return runToEnd('unshare', [...namespaceFlags(), 'true'], {timeout: TIMEOUT_MS});
}

function namespaceFlags(): readonly string[] {
	return isRoot()
		? ['--net', '--mount', '--']
		: ['--user', '--map-root-user', '--net', '--mount', '--'];
}

/**
 * Starts this program again, with the same arguments, in namespaces of its own for the network and
 * the mounts (and, for an ordinary user, for users), on this terminal.
 * @returns its exit status
 * @throws {HostError} where this machine forbids namespaces
 */
export async function startRehearsal(): Promise<number> {
	const flags = namespaceFlags();
	const trial = await tryNamespaces();
	if (trial.status !== 0) {
		throw new HostError(
			`A rehearsal needs namespaces, and this machine allows none: ${printable(firstLine(trial.stderr), 120)}`,
			isRoot()
				? 'Outside of a container, or in a virtual machine, it works'
				: 'Run it with sudo; on Ubuntu see kernel.apparmor_restrict_unprivileged_userns, else user.max_user_namespaces',
		);
	}

	const scratch = mkdtempSync(path.join(os.tmpdir(), SCRATCH));
	const ticket: Ticket = {outside: namespaces(), scratch, interfaces: interfacesHere()};
	try {
		return await runAttached('unshare', [...flags, ...selfCommand(), ...ownArguments()], {
			[REHEARSAL_VARIABLE]: JSON.stringify(ticket),
		});
	} finally {
		if (existsSync(scratch)) {
			rmdirSync(scratch);
		}
	}
}

/**
 * Inside: lays copies over /etc and /var/lib, hides the service manager and rebuilds the machine's
 * interfaces. To be called before anything else.
 * @param own folders of this program, which only root may look into: who is not begins without them
 * @throws {HostError} when these are not namespaces of our own, or the copy cannot be made
 */
export async function prepareRehearsal(own: readonly string[]): Promise<void> {
	const {scratch, interfaces} = readTicket(process.env[REHEARSAL_VARIABLE] ?? '');
	await must('mount', ['-t', 'tmpfs', '-o', 'mode=0755', REHEARSAL_MOUNT, scratch]);
	for (const [folder, writable] of Object.entries(WRITABLE)) {
		const upper = path.join(scratch, folder, 'upper');
		const work = path.join(scratch, folder, 'work');
		mkdirSync(work, {recursive: true});
		for (const name of writable) {
			mkdirSync(path.join(upper, name), {recursive: true, mode: 0o755});
		}

		mkdirSync(upper, {recursive: true, mode: 0o755});
		const layers = `lowerdir=/${folder},upperdir=${upper},workdir=${work}`;
		await must('mount', ['-t', 'overlay', '-o', layers, REHEARSAL_MOUNT, `/${folder}`]);
	}

	for (const folder of own.filter((folder) => existsSync(folder))) {
		if (statSync(folder).uid !== process.geteuid?.()) {
			await must('mount', ['-t', 'tmpfs', '-o', 'mode=0755', REHEARSAL_MOUNT, folder]);
		}
	}

	// systemctl and systemd-run would reach the real one through its socket.
	await run('mount', ['-t', 'tmpfs', REHEARSAL_MOUNT, '/run/systemd']);
	process.env.XTABLES_LOCKFILE = '/var/lib/xtables.lock';
	// The layers stay where the folder goes, which nobody could remove after a SIGKILL.
	await must('umount', ['--lazy', scratch]);
	rmdirSync(scratch);
	await buildInterfaces(interfaces);
}

/** @throws {HostError} where it is none, or not for these namespaces */
function readTicket(text: string): Ticket {
	let ticket: Partial<Ticket> = {};
	try {
		ticket = Object(JSON.parse(text));
	} catch {}

	const {outside, scratch, interfaces} = ticket;
	const [inside, first] = [namespaces(), namespaces(1)];
	const isOther = inside.every(
		(namespace, index) => ![outside?.[index] ?? namespace, first[index]].includes(namespace),
	);
	const isOurs = typeof scratch === 'string' && path.basename(scratch).startsWith(SCRATCH);
	if (!isOther || !isOurs || !Array.isArray(interfaces) || !Array.isArray(outside)) {
		throw new HostError(
			`${REHEARSAL_VARIABLE} is set, but this is the real machine`,
			`Unset it: unset ${REHEARSAL_VARIABLE}`,
		);
	}

	return {outside, scratch, interfaces};
}

async function buildInterfaces(interfaces: readonly Interface[]): Promise<void> {
	const lines = interfaces.flatMap(({name, addresses}, index) => [
		`link add ${name} type dummy`,
		// For kernels without the dummy driver; refused where that was made.
		`link add ${name} type veth peer name fww${index}`,
		`link set fww${index} addrgenmode none`,
		`link set fww${index} up`,
		// The machine's own addresses and no other.
		`link set ${name} addrgenmode none`,
		...addresses.map(
			(cidr) => `address add ${cidr} dev ${name}${cidr.includes(':') ? ' nodad' : ''}`,
		),
		`link set ${name} up`,
	]);
	await run('ip', ['-force', '-batch', '-'], {input: ['link set lo up', ...lines, ''].join('\n')});
}

async function must(program: string, args: readonly string[]): Promise<void> {
	const {status, stderr} = await run(program, args);
	if (status !== 0) {
		throw new HostError(
			`The private copy could not be made: ${printable(firstLine(stderr), 160)}`,
			isRoot() ? 'Nothing was changed' : 'Nothing was changed. It may work with sudo',
		);
	}
}

/** Of a process; empty where we may not know. */
function namespaces(pid: number | 'self' = 'self'): readonly string[] {
	return ['net', 'mnt'].map((kind) => link(`/proc/${pid}/ns/${kind}`));
}
