import type {Facts} from '../host/machine/facts.ts';
import {findInnerNetworks} from '../host/machine/inner-networks.ts';
import {save} from '../host/netfilter/iptables.ts';
import {findListeners} from '../host/sockets/listeners.ts';
import {evaluate} from '../ruleset/evaluate.ts';
import {firstPacket} from '../ruleset/evaluate-ports.ts';
import {type FamilyRules, OWN_PREFIX} from '../ruleset/model.ts';
import {STRANGER} from '../ruleset/packet.ts';
import {
	findGuestServices,
	type GuestService,
	type InnerNetwork,
} from '../services/guest-service.ts';
import type {Listener} from '../services/listener.ts';

/** What the answer depends on beside listeners and networks. */
type GuestFacts = Pick<Facts, 'families' | 'root' | 'iptables'>;

/**
 * The services of this machine for the hosts behind it that no other program's rule lets in ahead of
 * ours, as those of libvirt in iptables do. A rule in a table of nftables does not help: what our rules
 * drop is dropped, whatever another base chain accepts (nft(8)).
 * @throws {HostError} where the rules cannot be read
 */
export async function findGuests(facts: GuestFacts): Promise<readonly GuestService[]> {
	const networks = await findInnerNetworks();
	return networks.length === 0 ? [] : guestsAmong(await findListeners(), networks, facts);
}

/** The same of what was found out before. @throws {HostError} where the rules cannot be read */
export async function guestsAmong(
	listeners: readonly Listener[],
	networks: readonly InnerNetwork[],
	{families, root, iptables}: GuestFacts,
): Promise<readonly GuestService[]> {
	const services = findGuestServices(listeners, networks);
	if (services.length === 0 || !root || iptables === undefined) {
		return services;
	}

	const loaded = await Promise.all(families.map(async (family) => (await save(family)).rules));
	return services.filter((service) => !loaded.some((rules) => isLetIn(service, rules)));
}

/** Whether a rule of another program accepts it from its network. */
function isLetIn({network, protocol, port}: GuestService, rules: FamilyRules): boolean {
	const {family} = rules;
	if (!network.addresses.some((address) => address.includes(':') === (family === 6))) {
		return false;
	}

	const from = {family, inInterface: network.name, source: STRANGER[family]};
	const packet = firstPacket(from, protocol, port);
	const {verdict, by} = evaluate(rules, packet);
	return verdict === 'ACCEPT' && by !== undefined && !by.chain.startsWith(OWN_PREFIX);
}
