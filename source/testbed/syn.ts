import type {Namespace} from '../host/netns.ts';

/**
 * A TCP connection request costs a socket and three system calls, a datagram costs one system call. So
 * the sender writes datagrams whose bytes read as a SYN, and its kernel replaces the protocol number.
 * With connect(2) a proof takes four times as long.
 */

/** Datagrams from this port become connection requests. */
export const SYN_PORT = 40_404;

/**
 * The TCP header from its ninth byte on (RFC 9293, 3.1). Before it are the ports, and the UDP length and
 * checksum: they become the sequence number, which may have any value.
 */
export const SYN_REST = Buffer.from([
	...[0, 0, 0, 0],
	// Five words of header, and the flag SYN.
	...[0x50, 0x02],
	// The window.
	...[0xff, 0xff],
	// The checksum, and no urgent data.
	...[0, 0, 0, 0],
]);

/**
 * The UDP checksum is right for TCP too, except for the protocol number, which is 17 for UDP and 6 for TCP:
 * the difference goes into TCP's checksum.
 */
const CHECKSUM = 11;

const TABLE = 'fw_wizard_syn';

/**
 * Makes the kernel of a namespace of our own turn datagrams from SYN_PORT into connection requests. Where
 * it cannot, no connection request arrives, and the sweep then sends real ones.
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
