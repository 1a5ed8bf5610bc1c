/** The polynomial of CRC-32C, reflected (RFC 9260, appendix A). */
const POLYNOMIAL = 0x82f63b78;

/**
 * The first packet of an SCTP association (RFC 9260, 3.3.2). Conntrack takes one with a wrong checksum,
 * or one that begins with another chunk, for INVALID.
 */
export function sctpInit(sourcePort: number, destinationPort: number): Buffer {
	const packet = Buffer.alloc(32);
	packet.writeUInt16BE(sourcePort, 0);
	packet.writeUInt16BE(destinationPort, 2);
	// The verification tag of an INIT is 0. Then the checksum, and one chunk: INIT, 20 bytes.
	packet.writeUInt8(1, 12);
	packet.writeUInt16BE(20, 14);
	// Its initiate tag, its receiver window, its streams out and in, its first sequence number.
	packet.writeUInt32BE(1, 16);
	packet.writeUInt32BE(65_536, 20);
	packet.writeUInt16BE(1, 24);
	packet.writeUInt16BE(1, 26);
	packet.writeUInt32BE(1, 28);
	packet.writeUInt32LE(crc32c(packet), 8);
	return packet;
}

function crc32c(data: Uint8Array): number {
	let crc = 0xffffffff;
	for (const byte of data) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit += 1) {
			crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
		}
	}

	return ~crc >>> 0;
}
