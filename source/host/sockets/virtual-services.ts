import {normalizeAddress} from '../../lib/network.ts';
import type {Listener} from '../../services/listener.ts';
import {readText} from '../files/read-text.ts';
import {interfaceNames} from '../machine/interfaces.ts';
import {socketTables} from '../rehearsal/is-rehearsal.ts';

/** The interface of kube-proxy, which makes a virtual service of each service of its cluster. */
const OF_CLUSTER = 'kube-ipvs0';

/**
 * The virtual services of IPVS, as those of keepalived: no socket listens for them, and their packets pass
 * INPUT all the same, before they are sent on to other machines (ipvsadm(8)).
 */
export function findVirtualServices(): readonly Listener[] {
	return interfaceNames()?.has(OF_CLUSTER)
		? []
		: parseVirtualServices(readText(`${socketTables()}/ip_vs`) ?? '');
}

/**
 * Reads the text of /proc/net/ip_vs (net/netfilter/ipvs/ip_vs_ctl.c): `TCP  0A580001:0050 rr`, and
 * `TCP  [2001:0db8:…]:0050 rr`. What is chosen by a mark has no port of its own.
 */
export function parseVirtualServices(text: string): readonly Listener[] {
	return text.split('\n').flatMap((line): readonly Listener[] => {
		const [, protocol = '', hex, ipv6, port = ''] =
			/^(TCP|UDP) +(?:([\dA-F]{8})|\[([\da-f:]+)\]):([\dA-F]{4}) /i.exec(line) ?? [];
		const address = normalizeAddress(
			ipv6 ?? (hex?.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join('.'),
		);
		return address === undefined
			? []
			: [
					{
						protocol: protocol === 'TCP' ? 'tcp' : 'udp',
						...{address, families: [ipv6 === undefined ? 4 : 6], process: 'IPVS'},
						...{port: Number.parseInt(port, 16), reach: 'outside'},
					},
				];
	});
}
