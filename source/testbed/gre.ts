import {firstLine} from '../host/exec/run.ts';
import {hasNft} from '../host/netfilter/nftables.ts';
import type {Namespace} from '../host/netns.ts';
import {printable} from '../lib/printable.ts';

/**
 * Only a raw socket can send GRE, and Node has no raw sockets. The UDP header is as long as the header
 * of PPTP's GRE (RFC 2637, 4.1), so the kernel of the sending namespace replaces the one by the other,
 * and the kernel of the receiving namespace reverses that.
 */

/**
 * The call's number, by the end that receives its data. A datagram to one of these ports becomes data
 * of that call. They lie below the ports that a kernel chooses by itself (ip_local_port_range).
 */
export const CALL_IDS = {client: 30_405, server: 30_406};

/** The data: its sequence number in the call, and PPP's Configure-Request (RFC 1661, RFC 1662). */
export const DATA = Buffer.from([0, 0, 0, 0, 0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4]);

/** The length in the UDP header counts that header; the one in GRE counts neither header nor sequence number. */
const LENGTHS = {datagram: DATA.length + 8, gre: DATA.length - 4};

/** Key and sequence number present, version 1; PPP. */
const HEAD = '0x3001880b';

const TABLE = 'fw_wizard_gre';

/**
 * Makes the kernel of the outside turn datagrams into GRE as they leave, and the kernel of the machine
 * turn GRE back into datagrams after every filter has accepted it.
 * @param outside a namespace of our own
 * @param machine a namespace of our own
 * @returns why it cannot be done; undefined where it was done
 */
export async function installGre(
	outside: Namespace,
	machine: Namespace,
): Promise<string | undefined> {
	if (!hasNft()) {
		return 'nft is not installed';
	}

	const calls = Object.values(CALL_IDS);
	// When nft sets the protocol, the kernel also updates the field that it takes for the checksum. So the
	// statements that write that field come after.
	const encode = calls.map(
		(call) =>
			`udp dport ${call} ip protocol set 47 @th,0,32 set ${HEAD} @th,32,16 set ${LENGTHS.gre} @th,48,16 set ${call};`,
	);
	const decode = calls.map(
		(call) =>
			`ip protocol 47 @th,0,32 ${HEAD} @th,48,16 ${call} ip protocol set 17 @th,16,16 set ${call} @th,32,16 set ${LENGTHS.datagram} @th,48,16 set 0;`,
	);
	for (const [namespace, rules] of [
		[outside, `type filter hook output priority 0; ${encode.join(' ')}`],
		// After every other filter, and before conntrack confirms: NF_IP_PRI_CONNTRACK_CONFIRM is INT_MAX.
		[machine, `type filter hook input priority 2147483646; ${decode.join(' ')}`],
	] as const) {
		const input = `add table ip ${TABLE}\ndelete table ip ${TABLE}\ntable ip ${TABLE} { chain convert { ${rules} }; }\n`;
		const {status, stderr} = await namespace.run('nft', ['-f', '-'], {input});
		if (status !== 0) {
			return printable(firstLine(stderr), 120);
		}
	}

	return undefined;
}
