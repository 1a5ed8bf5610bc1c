import ipaddr from 'ipaddr.js';
import type {Packet} from '../../source/ruleset/packet.ts';
import {protocolNumberOf} from '../../source/ruleset/protocol-names.ts';
import {sctpInit} from '../../source/testbed/sctp.ts';

/** A packet as it goes over the wire. */
export type Shot = {
	readonly packet: Packet & {readonly destination: string};
	/** TCP: the flags, by their bits (RFC 9293). */
	readonly flags?: number;
	/** ICMP and ICMPv6: the message type. */
	readonly type?: number;
	/** ICMP and ICMPv6 errors: the ports of the UDP packet that they are about, sent by the target. */
	readonly about?: {readonly sourcePort: number; readonly destinationPort: number};
};

export const FLAGS = {FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, ECE: 64, CWR: 128} as const;

/** Of one length, so that a program that reads blocks sends one frame each. What is too much is padding. */
export const FRAME_LENGTH = 128;

/**
 * The Ethernet frame of a packet. `id` becomes the sender's hardware address: no rule of a host
 * firewall looks at it, and so it tells the packets apart that have come through.
 */
export function buildFrame(shot: Shot, id: number): Buffer {
	const {packet} = shot;
	const [source, destination] = [packet.source, packet.destination].map(bytesOf);
	if (source === undefined || destination === undefined) {
		throw new RangeError('a packet without addresses');
	}

	const segment = buildSegment(shot, id, source, destination);
	const header = buildHeader(segment.length, packet.protocol, source, destination);
	const etherType = packet.family === 4 ? 0x0800 : 0x86dd;
	const ethernet = Buffer.concat([
		hardwareDestination(destination),
		hardwareSource(id),
		u16(etherType),
	]);
	const frame = Buffer.alloc(FRAME_LENGTH);
	Buffer.concat([ethernet, header, segment]).copy(frame);
	return frame;
}

/** The hardware address of the target's interfaces. */
export const TARGET_HARDWARE = '02:ff:00:00:00:01';

/** The sender's hardware address as nft(8) prints it. */
export function hardwareText(id: number): string {
	return [...hardwareSource(id)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function hardwareSource(id: number): Buffer {
	return Buffer.concat([Buffer.from([2, 0, 0, 0]), u16(id)]);
}

function hardwareDestination(destination: Buffer): Buffer {
	const [first = 0] = destination;
	if (destination.length === 16 && first === 0xff) {
		return Buffer.concat([Buffer.from([0x33, 0x33]), destination.subarray(12)]);
	}

	if (destination.length === 4 && first >= 224 && first < 240) {
		const [, second = 0, third = 0, fourth = 0] = destination;
		return Buffer.from([1, 0, 0x5e, second & 0x7f, third, fourth]);
	}

	const target = Buffer.from(TARGET_HARDWARE.replaceAll(':', ''), 'hex');
	return destination.length === 4 && first === 255 ? Buffer.alloc(6, 0xff) : target;
}

function buildHeader(
	length: number,
	protocol: string,
	source: Buffer,
	destination: Buffer,
): Buffer {
	const number = protocolNumberOf(protocol) ?? 0;
	if (source.length === 16) {
		const start = Buffer.from([0x60, 0, 0, 0, ...u16(length), number, 64]);
		return Buffer.concat([start, source, destination]);
	}

	const start = Buffer.from([0x45, 0, ...u16(20 + length), 0, 0, 0, 0, 64, number, 0, 0]);
	const header = Buffer.concat([start, source, destination]);
	header.writeUInt16BE(checksum(header), 10);
	return header;
}

function buildSegment(shot: Shot, id: number, source: Buffer, destination: Buffer): Buffer {
	const {packet, flags = 0, type = 0, about} = shot;
	const ports = [packet.sourcePort ?? 0, packet.destinationPort ?? 0].flatMap((port) => [
		...u16(port),
	]);
	const number = protocolNumberOf(packet.protocol) ?? 0;
	const pseudo = Buffer.concat([source, destination, u16(0), u16(number)]);
	// Each ICMP message has an identifier of its own, or it would belong to the one before.
	const rest = about === undefined ? u16(id) : Buffer.alloc(2);
	const quoted = about === undefined ? [] : quote(about, destination, source);
	const message = Buffer.from([type, 0, 0, 0, ...rest, 0, 0, ...quoted]);
	switch (packet.protocol) {
		case 'tcp': {
			// Sequence and acknowledgement numbers, five words long, flags, a window, two empty fields.
			const fields = [0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 4, 0, 0, 0, 0, 0];
			return withChecksum(Buffer.from([...ports, ...fields]), 16, pseudo);
		}

		case 'udp':
			return withChecksum(Buffer.from([...ports, 0, 8, 0, 0]), 6, pseudo);
		case 'icmp':
		case 'igmp':
			return withChecksum(message, 2);
		case 'ipv6-icmp':
			return withChecksum(message, 2, pseudo);
		case 'sctp':
			return sctpInit(packet.sourcePort ?? 0, packet.destinationPort ?? 0);
		default:
			// Zeros are a plain GRE header as well; ones would be one of PPTP.
			return Buffer.alloc(16);
	}
}

/** What an error quotes: the beginning of the packet that could not be delivered. */
function quote(
	{sourcePort, destinationPort}: NonNullable<Shot['about']>,
	source: Buffer,
	destination: Buffer,
): Buffer {
	const udp = Buffer.from([...u16(sourcePort), ...u16(destinationPort), 0, 8, 0, 0]);
	return Buffer.concat([buildHeader(udp.length, 'udp', source, destination), udp]);
}

/** Fills in the Internet checksum (RFC 1071), over the pseudo header too where there is one. */
function withChecksum(segment: Buffer, offset: number, pseudo?: Buffer): Buffer {
	const covered = pseudo ? [pseudo, u16(segment.length), segment] : [segment];
	segment.writeUInt16BE(checksum(Buffer.concat(covered)), offset);
	return segment;
}

function checksum(data: Buffer): number {
	let sum = 0;
	for (let index = 0; index < data.length; index += 2) {
		sum += data.readUInt16BE(index);
	}

	while (sum > 0xffff) {
		sum = (sum & 0xffff) + (sum >>> 16);
	}

	return ~sum & 0xffff;
}

function u16(value: number): Buffer {
	const bytes = Buffer.alloc(2);
	bytes.writeUInt16BE(value);
	return bytes;
}

function bytesOf(address: string): Buffer {
	return Buffer.from(ipaddr.parse(address).toByteArray());
}
