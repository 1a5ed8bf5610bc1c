import path from 'node:path';
import process from 'node:process';
import type {Backend} from '../../../source/host/netfilter/iptables.ts';
import type {Host, Lab} from './namespaces.ts';
import type {Server} from './programs.ts';

/** Other versions of nc(1) know other options. */
const NETCAT = 'nc.openbsd';
const ECHO = path.resolve(import.meta.dirname, 'echo-server.js');

/** The target's addresses, and the probe's beside each: from inside 10.0.0.0/8, from outside, IPv6. */
export const INSIDE = {target: '10.9.8.1', probe: '10.9.8.2'} as const;
export const OUTSIDE = {target: '198.51.100.1', probe: '198.51.100.2'} as const;
export const IPV6 = {target: '2001:db8::1', probe: '2001:db8::2'} as const;

/** The machine that gets a firewall, and one beside it on the same wire. */
export async function joinedPair(lab: Lab, backend: Backend): Promise<{target: Host; probe: Host}> {
	const [target, probe] = [await lab.host({backend}), await lab.host()];
	const end = (host: Host, side: 'target' | 'probe') => ({
		host,
		device: 'eth0',
		addresses: [`${INSIDE[side]}/24`, `${OUTSIDE[side]}/24`, `${IPV6[side]}/64`],
	});
	await lab.join(end(target, 'target'), end(probe, 'probe'));
	// A scan that has to wait for each error would take minutes, and see some ports wrongly.
	await target.sysctl({'net.ipv4.icmp_ratelimit': 0, 'net.ipv6.icmp.ratelimit': 0});
	return {target, probe};
}

/** Starts services that send back what they get: `tcp:22`, `udp:53`. */
export async function serve(host: Host, ...services: readonly string[]): Promise<Server> {
	return host.start(process.execPath, [ECHO, ...services], /ready/);
}

/** How a client's TCP connection ends, in the words of nc(1). */
export async function connect(
	from: Host,
	address: string,
	port: number,
): Promise<'succeeded' | 'refused' | 'timed out'> {
	// On one kernel the IPv6 error arrives while connect(2) still holds the socket, and only the
	// error to the second SYN, a second later, counts.
	const {stderr} = await from.run(NETCAT, ['-v', '-z', '-w', '2', address, String(port)]);
	const outcome = /succeeded|refused|timed out/.exec(stderr)?.[0];
	if (outcome === undefined) {
		throw new Error(stderr);
	}

	return outcome as 'succeeded' | 'refused' | 'timed out';
}

/** What a service answers to one line. */
export async function ask(
	from: Host,
	protocol: 'tcp' | 'udp',
	address: string,
	port: number,
): Promise<string> {
	const words = [...(protocol === 'udp' ? ['-u'] : []), '-N', '-W', '1', '-w', '2'];
	const {stdout} = await from.run(NETCAT, [...words, address, String(port)], {input: 'hello'});
	return stdout;
}
