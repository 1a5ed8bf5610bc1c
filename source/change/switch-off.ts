import {statSync} from 'node:fs';
import type {Manager} from '../existing/cleanup-plan.ts';
import {findUnsaved} from '../existing/firewalld-unsaved.ts';
import {ask, firstLine, type Runner} from '../host/exec/run.ts';
import {findInstalledInits} from '../host/machine/init-system.ts';
import {isEnabled} from '../host/machine/systemd.ts';
import {
	findManagers,
	firewalldUsesIptables,
	UFW_CONF,
	withoutUfw,
} from '../host/netfilter/managers.ts';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {FIREWALLD_TABLE} from '../services/known-programs/firewalls.ts';
import type {FilePlan} from './boot-files.ts';
import {ROLLED_BACK} from './load.ts';

/** How ufw and firewalld are switched off. Their rules in iptables are removed elsewhere. */
export type SwitchOff = {
	/** The commands that keep them off after a boot. */
	readonly keep: FilePlan;
	readonly undo: Omit<FilePlan, 'files'>;
	/** Whether firewalld runs, and is only put to sleep until the change is confirmed. */
	readonly firewalld: boolean;
	/** Arguments of firewall-cmd that bring back what firewalld has never saved, once it is started anew. */
	readonly unsaved: ReadonlyArray<readonly string[]>;
};

const UFW_UNIT = 'ufw.service';
const FIREWALLD_UNIT = 'firewalld.service';

/**
 * Plans it; nothing is done.
 * @throws {HostError} where firewalld cannot be switched off without harm
 */
export async function planSwitchOff(managers: readonly Manager[]): Promise<SwitchOff> {
	const {firewalld} = managers.includes('firewalld')
		? await findManagers()
		: {firewalld: undefined};
	const ufw = managers.includes('ufw') ? withoutUfw() : undefined;
	const withSystemd = findInstalledInits()[0] === 'systemd';
	// Elsewhere ufw.conf alone keeps the script of ufw from loading anything.
	const units = [
		...(managers.includes('ufw') && withSystemd && (await isEnabled(UFW_UNIT)) ? [UFW_UNIT] : []),
		...(firewalld?.enabled && withSystemd ? [FIREWALLD_UNIT] : []),
	];
	const runs =
		firewalld?.running === true ||
		firewalld?.table === true ||
		(firewalld?.enabled === true && !withSystemd);
	if (runs && (!firewalld?.running || firewalldUsesIptables())) {
		throw new HostError(
			firewalld?.running
				? 'firewalld makes its rules with iptables here, and empties all of its tables when it ends'
				: 'firewalld is enabled or has rules loaded, and no systemd is here that could stop it',
			'Stop it, see to it that it is not started at boot, and try again',
		);
	}

	return {
		keep: {
			files: ufw === undefined ? {} : {[UFW_CONF]: {text: ufw, mode: modeOf(UFW_CONF)}},
			before: units.map((unit) => ['systemctl', '--quiet', 'disable', unit]),
			after: runs ? END_FIREWALLD : [],
		},
		undo: {
			before: [],
			after: units.map((unit) => ['systemctl', '--quiet', 'enable', unit]),
		},
		firewalld: runs,
		unsaved: runs ? await readUnsaved() : [],
	};
}

async function readUnsaved(): Promise<ReadonlyArray<readonly string[]>> {
	const [runtime, permanent] = await Promise.all(
		[[], ['--permanent']].map(async (words) =>
			ask('firewall-cmd', [...words, '--list-all-zones'], {timeout: 10_000}),
		),
	);
	return runtime && permanent ? findUnsaved(runtime, permanent) : [];
}

/**
 * Kills firewalld, so that it cannot clean up: it would empty all tables of iptables, the new rules
 * included. Stopping the unit waits until the process is gone, and with it the socket that owns the
 * table (from firewalld 2.1 on): before, nobody else may change it.
 */
const KILL_FIREWALLD: FilePlan['after'] = [
	['systemctl', 'kill', '--signal=KILL', FIREWALLD_UNIT],
	['systemctl', 'stop', FIREWALLD_UNIT],
];
const DELETE_TABLE = ['nft', 'delete', 'table', ...FIREWALLD_TABLE.split(' ')] as const;
const END_FIREWALLD: FilePlan['after'] = [
	...KILL_FIREWALLD,
	DELETE_TABLE,
	['systemctl', 'reset-failed', FIREWALLD_UNIT],
];

/**
 * Makes the table of firewalld dormant, so that it filters nothing while the daemon continues to run:
 * when the table is woken, all is as before, unsaved rules included. Where firewalld owns its table,
 * the daemon is killed first. A table that stays then (flag persist, from 2.3 on) sleeps; without that
 * flag it is gone with its owner.
 * @throws {HostError}
 */
export async function sendFirewalldToSleep(runner: Runner): Promise<void> {
	if ((await addFlags(runner, 'dormant')).status === 0) {
		return;
	}

	for (const [program, ...args] of KILL_FIREWALLD) {
		await runner(program, args);
	}

	const table = await runner('nft', ['list', 'table', ...FIREWALLD_TABLE.split(' ')]);
	const {status, stderr} =
		table.status === 0 ? await addFlags(runner, 'persist,dormant') : {status: 0, stderr: ''};
	const {firewalld} = await findManagers();
	if (status !== 0 || firewalld?.running) {
		throw new HostError(
			`firewalld could not be switched off: ${printable(firstLine(stderr), 120)}`,
			ROLLED_BACK,
			4,
		);
	}
}

/** Adds flags to the table of firewalld. Those that it has and that are not repeated are an error. */
async function addFlags(runner: Runner, flags: string): ReturnType<Runner> {
	const input = `add table ${FIREWALLD_TABLE} { flags ${flags}; }\n`;
	return runner('nft', ['-f', '-'], {input});
}

function modeOf(file: string): number {
	return statSync(file).mode & 0o7777;
}
