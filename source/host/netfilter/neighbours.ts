import type {Manager} from '../../existing/cleanup-plan.ts';
import {type Neighbour, nameNeighbours} from '../../existing/neighbours.ts';
import type {RulesSnapshot} from '../../existing/snapshot.ts';
import type {Family} from '../../lib/network.ts';
import type {Backend} from '../../ruleset/model.ts';
import {KNOWN_PROGRAMS} from '../../services/known-programs/find.ts';
import {yieldToEventLoop} from '../exec/yield.ts';
import {listFolder, readText} from '../files/read-text.ts';
import {commandNameOf, link, processesNamed} from '../sockets/processes.ts';
import {findManagers, ownersAmong} from './managers.ts';
import {readNativeTables} from './nftables.ts';
import {readSnapshots} from './snapshot.ts';

/** The other programs that filter packets here, and what can be done about them. */
export type ExistingFirewalls = {
	/** All rules that iptables shows, of both families and both backends. */
	readonly snapshots: readonly RulesSnapshot[];
	/** The programs that own the firewall: nothing can be applied beside them. */
	readonly owners: readonly Manager[];
	readonly neighbours: readonly Neighbour[];
};

/**
 * Looks for all of them, as root; nothing is changed.
 * @param backend the backend of iptables that is in use
 * @throws {HostError} when the rules cannot be read
 */
export async function findExisting(
	families: readonly Family[],
	backend: Backend,
): Promise<ExistingFirewalls> {
	const [snapshots, managers] = await Promise.all([
		readSnapshots(families, backend),
		findManagers(),
	]);
	const nativeTables = await readNativeTables(snapshots.map(({rules}) => rules));
	const firewalld = managers.firewalld !== undefined;
	const found = {processes: servicesHere(), tunnels: tunnelsHere()};
	await yieldToEventLoop();
	const neighbours = nameNeighbours({
		...{snapshots, nativeTables, ...managers, firewalld},
		...found,
	});
	return {snapshots, owners: ownersAmong(managers), neighbours};
}

/** Those of the known services that run in this network. */
export function servicesHere(): ReadonlySet<string> {
	const network = link('/proc/self/ns/net');
	return new Set(
		processesNamed(KNOWN_PROGRAMS.flatMap(({processes = []}) => processes))
			.filter((pid) => link(`/proc/${pid}/ns/net`) === network)
			.map(commandNameOf),
	);
}

/** The interfaces of WireGuard, as the kernel knows them. */
function tunnelsHere(): readonly string[] {
	return listFolder('/sys/class/net').filter((name) =>
		/^DEVTYPE=wireguard$/m.test(readText(`/sys/class/net/${name}/uevent`) ?? ''),
	);
}
