import type {Backend} from '../../source/host/netfilter/iptables.ts';
import type {Host, Lab} from '../_helpers/lab/namespaces.ts';
import {joinedPair, serve} from '../_helpers/lab/pair.ts';

/** Where the container is, of each family. */
export const CONTAINER = {4: '172.17.0.2', 6: 'fd00:d0c::2'} as const;

/** A machine that forwards to a container, which answers on ports of its own; and somebody outside. */
export type Dock = {readonly target: Host; readonly probe: Host};

/** Docker is imitated: a bridge's interface, an address, a default route, and a service that listens. */
export async function openDock(
	lab: Lab,
	backend: Backend,
	...services: readonly string[]
): Promise<Dock> {
	const {target, probe} = await joinedPair(lab, backend);
	const container = await lab.host();
	await lab.join(
		{host: target, device: 'docker0', addresses: ['172.17.0.1/16', 'fd00:d0c::1/64']},
		{host: container, device: 'eth0', addresses: ['172.17.0.2/16', 'fd00:d0c::2/64']},
	);
	await container.ip(['route add default via 172.17.0.1', 'route add default via fd00:d0c::1']);
	await target.sysctl({'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1});
	await serve(container, ...services);
	return {target, probe};
}
