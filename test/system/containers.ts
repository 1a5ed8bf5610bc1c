import type {Backend} from '../../source/host/netfilter/iptables.ts';
import type {Family} from '../../source/lib/network.ts';
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

/** Three ports of a container, as Docker publishes them, and what Docker lets through; for iptables-restore(8). */
export const dockerRules = (family: Family) => `\
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
${[
	['tcp', 8080, 80],
	['tcp', 8081, 81],
	['udp', 8053, 53],
]
	.map(([protocol, port, to]) => {
		const address = family === 4 ? CONTAINER[4] : `[${CONTAINER[6]}]`;
		return `-A DOCKER ! -i docker0 -p ${protocol} -m ${protocol} --dport ${port} -j DNAT --to-destination ${address}:${to}\n`;
	})
	.join('')}COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i docker0 -j ACCEPT
-A FORWARD -d ${CONTAINER[family]} -o docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
`;
