import type {Namespace} from '../host/netns.ts';

/**
 * A TCP connection request costs a program a socket and three system calls; a datagram costs one.
 * So the sender writes datagrams that read as connection requests, and its kernel changes the one
 * number that says which they are. With real connect(2)s a proof takes four times as long.
 */

/** Datagrams from this port become connection requests. */
export const SYN_PORT = 40_404;

/**
 * What follows the ports in a TCP header (RFC 9293, 3.1), from the ninth byte on. The UDP length and
 * checksum before it become the sequence number, which may be any.
 */
export const SYN_REST = Buffer.from([
	...[0, 0, 0, 0],
	// Five words of header; SYN.
	...[0x50, 0x02],
	// The window.
	...[0xff, 0xff],
	// The checksum, and no urgent data.
	...[0, 0, 0, 0],
]);

/** The UDP checksum covers all of it but for the number of the protocol: 17, and TCP's is 6. */
const CHECKSUM = 11;

const TABLE = 'fw_wizard_syn';

/**
 * Makes the kernel of a throw-away namespace turn datagrams from SYN_PORT into connection requests.
 * Where it cannot they stay datagrams, no connection request arrives, and the sweep sends real ones.
 */
export async function installSynMaker(outside: Namespace): Promise<void> {
	const change = `udp sport ${SYN_PORT} @th,128,16 set ${CHECKSUM}`;
	const lines = [
		`add table inet ${TABLE}`,
		`delete table inet ${TABLE}`,
		`table inet ${TABLE} {`,
		'chain out {',
		'type filter hook output priority 0;',
		`meta nfproto ipv4 ${change} ip protocol set 6;`,
		`meta nfproto ipv6 ${change} ip6 nexthdr set 6;`,
		'}',
		'}',
	];
	await outside.run('nft', ['-f', '-'], {input: `${lines.join('\n')}\n`});
}
