import {containerAt, findContainers} from '../host/containers/find.ts';
import type {Facts} from '../host/machine/facts.ts';
import {interfacesHere} from '../host/machine/interfaces.ts';
import {save} from '../host/netfilter/iptables.ts';
import {type NativeTable, readNativeTables} from '../host/netfilter/nftables.ts';
import {readUdpFlows} from '../host/sockets/conntrack.ts';
import {findListeners} from '../host/sockets/listeners.ts';
import {inboundOf, readTcpSockets} from '../host/sockets/proc-net.ts';
import {familyOf, parseNetwork, printNetwork} from '../lib/network.ts';
import {ownAddresses} from '../proof/sample-addresses.ts';
import {evaluate} from '../ruleset/evaluate.ts';
import {firstPacket} from '../ruleset/evaluate-ports.ts';
import {type FamilyRules, OWN_PREFIX} from '../ruleset/model.ts';
import {STRANGER} from '../ruleset/packet.ts';
import {
	findGuestServices,
	type GuestService,
	type GuestUse,
	type InnerNetwork,
} from '../services/guest-service.ts';
import type {Listener} from '../services/listener.ts';

/** What the answer depends on beside listeners and networks. */
type GuestFacts = Pick<Facts, 'families' | 'root' | 'iptables'>;

/**
 * The services of this machine for the hosts behind it, and those that they use now, which no other
 * program's rule lets in ahead of ours, as those of libvirt in iptables do. A rule in a table of nftables
 * does not help: what our rules drop is dropped, whatever another base chain accepts (nft(8)). It is named.
 * @throws {HostError} where the rules cannot be read
 */
export async function findGuests(
	facts: GuestFacts & Pick<Facts, 'networks'>,
): Promise<readonly GuestService[]> {
	const {networks} = facts;
	return networks.length === 0 ? [] : guestsAmong(await findListeners(), networks, facts);
}

/** The same of what was found out before. @throws {HostError} where the rules cannot be read */
export async function guestsAmong(
	listeners: readonly Listener[],
	networks: readonly InnerNetwork[],
	{families, root, iptables}: GuestFacts,
): Promise<readonly GuestService[]> {
	const uses = networks.some(({ofGuests}) => ofGuests) ? await usesNow(root) : [];
	const services = await nameUsers(findGuestServices(listeners, networks, uses));
	if (services.length === 0 || !root || iptables === undefined) {
		return services;
	}

	const loaded = await Promise.all(families.map(async (family) => (await save(family)).rules));
	const left = services.filter((service) => !loaded.some((rules) => isLetIn(service, rules)));
	const tables = left.length === 0 ? [] : await readNativeTables(loaded);
	return left.map((service) => {
		const table = tables.find(({text}) => accepts(text, service));
		return table === undefined ? service : {...service, overruled: table.name};
	});
}

/** TCP as its sockets tell, UDP as conntrack does. */
async function usesNow(root: boolean): Promise<readonly GuestUse[]> {
	const sockets = inboundOf(readTcpSockets()).map(
		({localPort, remoteAddress}): GuestUse => ({
			...{protocol: 'tcp', port: localPort, source: remoteAddress},
		}),
	);
	const own = ownAddresses(interfacesHere());
	const flows = root ? await readUdpFlows() : [];
	return [
		...sockets,
		// What goes on to other hosts is forwarded: no opening of this machine lets it pass.
		...flows
			.filter(({answers: {address}}) => own.has(address))
			.map(({source, answers: {port}}): GuestUse => ({protocol: 'udp', port, source})),
	];
}

async function nameUsers(services: readonly GuestService[]): Promise<readonly GuestService[]> {
	if (services.every(({users}) => users.length === 0)) {
		return services;
	}

	const containers = await findContainers();
	return services.map((service) => ({
		...service,
		users: [
			...new Set(service.users.map((source) => containerAt(source, containers)?.name ?? source)),
		],
	}));
}

/** Whether a rule of a table names the network and the port, and accepts. */
function accepts(
	text: NativeTable['text'],
	{network: {name, subnets}, protocol, port}: GuestService,
): boolean {
	const ports = new RegExp(`\\b(?:${protocol}|th) dport (?:\\{[^}]*\\b)?${port}\\b`);
	const networks = [`iifname "${name}"`, `iif "${name}"`, ...subnets.map(networkOf)];
	return text
		.split('\n')
		.some(
			(line) =>
				/\baccept\b/.test(line) &&
				ports.test(line) &&
				networks.some((words) => line.includes(words)),
		);
}

/** `saddr 10.89.0.0/24`, as nft(8) prints it. */
function networkOf(cidr: string): string {
	return `saddr ${printNetwork(parseNetwork(cidr))}`;
}

/** Whether a rule of another program accepts it from its network. */
function isLetIn({network, protocol, port}: GuestService, rules: FamilyRules): boolean {
	const {family} = rules;
	if (!network.addresses.some((address) => familyOf(address) === family)) {
		return false;
	}

	const from = {family, inInterface: network.name, source: STRANGER[family]};
	const packet = firstPacket(from, protocol, port);
	const {verdict, by} = evaluate(rules, packet);
	return verdict === 'ACCEPT' && by !== undefined && !by.chain.startsWith(OWN_PREFIX);
}
