import {firstLine} from '../host/exec/run.ts';
import type {Namespace} from '../host/netns.ts';
import {printable} from '../lib/printable.ts';
import {canNote} from '../proof/count-nft.ts';

/**
 * No program without a raw socket sends GRE, and Node has none. The header of a datagram is as long
 * as the one of PPTP's GRE (RFC 2637, 4.1): the kernel of a namespace writes the one over the other,
 * and another one's writes it back.
 */

/**
 * The numbers of calls, by which end their data comes to. Datagrams to these ports become their data:
 * no port that a kernel picks by itself.
 */
export const CALLS = {caller: 30_405, called: 30_406};

/** The data: its number in the call, and PPP's request to begin (RFC 1661, RFC 1662). */
export const DATA = Buffer.from([0, 0, 0, 0, 0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4]);

/** In UDP its length counts the header, in GRE neither that nor its number. */
const LENGTHS = {datagram: DATA.length + 8, gre: DATA.length - 4};

/** Key and sequence number present, version 1; PPP. */
const HEAD = '0x3001880b';

const TABLE = 'fw_wizard_gre';

/**
 * Makes the kernels of two throw-away namespaces turn datagrams into GRE where they leave, and GRE
 * that every filter let through back into datagrams.
 * @returns why it cannot be done
 */
export async function installGre(
	outside: Namespace,
	machine: Namespace,
): Promise<string | undefined> {
	if (!canNote()) {
		return 'nft is not installed';
	}

	const calls = Object.values(CALLS);
	// With the protocol the kernel changes what it takes for a checksum: that comes after.
	const make = calls.map(
		(call) =>
			`udp dport ${call} ip protocol set 47 @th,0,32 set ${HEAD} @th,32,16 set ${LENGTHS.gre} @th,48,16 set ${call};`,
	);
	const read = calls.map(
		(call) =>
			`ip protocol 47 @th,0,32 ${HEAD} @th,48,16 ${call} ip protocol set 17 @th,16,16 set ${call} @th,32,16 set ${LENGTHS.datagram} @th,48,16 set 0;`,
	);
	for (const [namespace, rules] of [
		[outside, `type filter hook output priority 0; ${make.join(' ')}`],
		// After every other filter, before conntrack confirms (NF_IP_PRI_CONNTRACK_CONFIRM is INT_MAX).
		[machine, `type filter hook input priority 2147483646; ${read.join(' ')}`],
	] as const) {
		const input = `add table ip ${TABLE}\ndelete table ip ${TABLE}\ntable ip ${TABLE} { chain turn { ${rules} }; }\n`;
		const {status, stderr} = await namespace.run('nft', ['-f', '-'], {input});
		if (status !== 0) {
			return printable(firstLine(stderr), 120);
		}
	}

	return undefined;
}
