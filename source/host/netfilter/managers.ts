import type {Manager} from '../../existing/cleanup-plan.ts';
import type {Traces} from '../../existing/neighbours.ts';
import {HostError} from '../../lib/errors.ts';
import {OWN_PREFIX} from '../../ruleset/model.ts';
import {
	FIREWALLD_TABLE,
	NFTABLES_FILES,
	PERSISTENT_FILES,
} from '../../services/known-programs/firewalls.ts';
import {findProgram} from '../exec/find-program.ts';
import {readText} from '../files/read-text.ts';
import {isActive, isEnabled} from '../machine/systemd.ts';
import {listTables} from './nftables.ts';

export const UFW_CONF = '/etc/ufw/ufw.conf';
const UFW_ENABLED = /^(\s*ENABLED=)["']?yes["']?\s*$/im;

/** Other programs that load a whole firewall, as far as they are in use. */
export type Managers = Pick<Traces, 'ufw' | 'nftables' | 'frozen'> & {
	readonly firewalld:
		| {readonly enabled: boolean; readonly running: boolean; readonly table: boolean}
		| undefined;
};

/** Looks for ufw, firewalld, nftables.service and netfilter-persistent. */
export async function findManagers(): Promise<Managers> {
	const [firewalld, nftables, persistent] = await Promise.all([
		findFirewalld(),
		isEnabled('nftables'),
		isEnabled('netfilter-persistent'),
	]);
	const frozen = PERSISTENT_FILES.find((file) => {
		const text = readText(file) ?? '';
		return text.includes('*filter') && !text.includes(OWN_PREFIX);
	});
	return {
		ufw: ufwIsEnabled(),
		firewalld,
		nftables: nftables
			? {flushes: /^\s*flush\s+ruleset/m.test(readText(NFTABLES_FILES[0]) ?? '')}
			: undefined,
		frozen: persistent ? frozen : undefined,
	};
}

/** The error where a program owns the firewall and is not to be switched off. */
export function ownerError(owner: Manager): HostError {
	return new HostError(
		`${owner} owns the firewall of this machine`,
		`Stay with it; or let it be switched off, which undo reverses: --switch-off ${owner}`,
	);
}

/** Who owns the firewall here: nothing can be applied beside them. */
export async function findOwners(): Promise<readonly Manager[]> {
	return ownersAmong({ufw: ufwIsEnabled(), firewalld: await findFirewalld()});
}

export function ownersAmong({
	ufw,
	firewalld,
}: Pick<Managers, 'ufw' | 'firewalld'>): readonly Manager[] {
	return [...(ufw ? (['ufw'] as const) : []), ...(firewalld ? (['firewalld'] as const) : [])];
}

function ufwIsEnabled(): boolean {
	return UFW_ENABLED.test(readText(UFW_CONF) ?? '');
}

async function findFirewalld(): Promise<Managers['firewalld']> {
	const [enabled, running, tables] = await Promise.all([
		isEnabled('firewalld'),
		isActive('firewalld'),
		listTables(),
	]);
	const table = tables.some(({name}) => name === FIREWALLD_TABLE);
	return enabled || running || table ? {enabled, running, table} : undefined;
}

/** ufw.conf as `ufw disable` leaves it; undefined where ufw is not enabled. */
export function withoutUfw(): string | undefined {
	const text = readText(UFW_CONF) ?? '';
	return UFW_ENABLED.test(text) ? text.replace(UFW_ENABLED, '$1no') : undefined;
}

/** Whether firewalld makes its rules with iptables, which it empties when it starts and stops. */
export function firewalldUsesIptables(): boolean {
	return (
		/^\s*FirewallBackend\s*=\s*iptables/im.test(readText('/etc/firewalld/firewalld.conf') ?? '') ||
		findProgram('nft') === undefined
	);
}
