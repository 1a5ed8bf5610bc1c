import {statSync} from 'node:fs';
import type {Manager} from '../existing/cleanup-plan.ts';
import {firstLine, type Runner} from '../host/exec/run.ts';
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
	const units = [
		...(managers.includes('ufw') && (await isEnabled(UFW_UNIT)) ? [UFW_UNIT] : []),
		...(firewalld?.enabled ? [FIREWALLD_UNIT] : []),
	];
	const runs = firewalld?.running === true || firewalld?.table === true;
	if (runs && (!firewalld?.running || firewalldUsesIptables())) {
		throw new HostError(
			firewalld?.running
				? 'firewalld makes its rules with iptables here, and empties all of its tables when it ends'
				: 'firewalld has rules loaded, and no systemd is here that could stop it',
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
	};
}

/**
 * Kills firewalld, so that it cannot clean up: it would empty all tables of iptables, the new rules
 * included.
 */
const END_FIREWALLD: FilePlan['after'] = [
	['systemctl', 'kill', '--signal=KILL', FIREWALLD_UNIT],
	['nft', 'delete', 'table', ...FIREWALLD_TABLE.split(' ')] as const,
	['systemctl', 'stop', FIREWALLD_UNIT],
	['systemctl', 'reset-failed', FIREWALLD_UNIT],
];

/**
 * Makes the table of firewalld dormant, so that it filters nothing while the daemon continues to run:
 * when the table is woken, all is as before, unsaved rules included. Where firewalld owns its table
 * (from 2.1 on), the daemon is killed, which removes the table.
 * @throws {HostError}
 */
export async function sendFirewalldToSleep(runner: Runner): Promise<void> {
	const text = `add table ${FIREWALLD_TABLE} { flags dormant; }\n`;
	const {status, stderr} = await runner('nft', ['-f', '-'], {input: text});
	if (status === 0) {
		return;
	}

	for (const [program, ...args] of END_FIREWALLD) {
		await runner(program, args);
	}

	const {firewalld} = await findManagers();
	if (firewalld?.running || firewalld?.table) {
		throw new HostError(
			`firewalld could not be switched off: ${printable(firstLine(stderr), 120)}`,
			ROLLED_BACK,
			4,
		);
	}
}

function modeOf(file: string): number {
	return statSync(file).mode & 0o7777;
}
