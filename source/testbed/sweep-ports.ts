import dgram from 'node:dgram';
import net from 'node:net';
import {setImmediate as yieldToEventLoop} from 'node:timers/promises';
import {familyOf} from '../lib/network.ts';
import type {PortRange} from '../lib/port-ranges.ts';
import {PROTOCOL_PORT, SCTP_PORT} from './protocol-packets.ts';
import {sctpInit} from './sctp.ts';
import {SYN_PORT, SYN_REST} from './syn.ts';

type Sweep = {
	/**
	 * `syn` is TCP too, by datagrams that the kernel of this namespace turns into SYNs (syn.ts). It makes
	 * SCTP in the same way, and other protocols, whose numbers are given as ports (protocol-packets.ts).
	 */
	readonly protocol: 'syn' | 'tcp' | 'udp' | 'sctp' | 'other';
	readonly source: string;
	/** Of `udp`. Default: any. */
	readonly sourcePort?: number;
	readonly target: string;
	readonly ports: readonly PortRange[];
};

/** Sends one packet to each port and waits for no answer: the target's kernel counts the packets that pass. */
export async function sweep({
	protocol,
	ports,
	source,
	sourcePort = 0,
	target,
}: Sweep): Promise<void> {
	switch (protocol) {
		case 'tcp':
			return sweepTcp(portsOf(ports), source, target);
		case 'udp':
			return sendDatagrams(portsOf(ports), () => Buffer.alloc(1), source, sourcePort, target);
		case 'syn':
			return sendDatagrams(portsOf(ports), () => SYN_REST, source, SYN_PORT, target);
		case 'sctp':
			return sendDatagrams(
				portsOf(ports),
				(port) => sctpInit(SCTP_PORT, port).subarray(UDP_HEADER),
				source,
				SCTP_PORT,
				target,
			);
		case 'other':
			return sendDatagrams(portsOf(ports), () => Buffer.alloc(16), source, PROTOCOL_PORT, target);
	}
}

/** Ports that packets are sent to from several sources. */
type SourcesSweep = Pick<Sweep, 'protocol' | 'target'> & {
	readonly sources: ReadonlyArray<Pick<Sweep, 'source' | 'ports'>>;
};

/** The same from several sources, one after the other. */
export async function sweepSources({sources, ...rest}: SourcesSweep): Promise<void> {
	for (const one of sources) {
		await sweep({...rest, ...one});
	}
}

/** Bytes. */
const UDP_HEADER = 8;

async function sendDatagrams(
	ports: Iterable<number>,
	dataFor: (port: number) => Buffer,
	source: string,
	sourcePort: number,
	target: string,
): Promise<void> {
	const family = familyOf(target);
	const socket = dgram.createSocket({
		type: `udp${family}`,
		// The target is an address, so that a lookup would do nothing, 65,535 times.
		lookup: (address, _, callback) => callback(null, address, family),
	});
	await bound(socket, sourcePort, source);
	if (family === 4) {
		// A group is reached through each interface. In IPv6 the target names it.
		socket.setMulticastInterface(source);
	}

	let unsent = 0;
	for (const port of ports) {
		unsent += 1;
		const datagram = dataFor(port);
		// The error may belong to an earlier port (an ICMP error), and then this datagram was not sent.
		const send = (tries: number) =>
			socket.send(datagram, port, target, (error) => {
				if (error && tries > 0) {
					send(tries - 1);
				} else {
					unsent -= 1;
				}
			});
		send(3);
		if (port % 256 === 0) {
			await yieldToEventLoop();
		}
	}

	while (unsent > 0) {
		await yieldToEventLoop();
	}

	await new Promise<void>((resolve) => socket.close(resolve));
}

/** Binds a socket, whose later errors are of no interest. @throws {Error} where it cannot be bound */
export async function bound(socket: dgram.Socket, port: number, address: string): Promise<void> {
	await new Promise<void>((resolve, reject) => {
		socket.on('error', reject).bind(port, address, resolve);
	});
}

async function sweepTcp(ports: Iterable<number>, source: string, target: string): Promise<void> {
	for (const port of ports) {
		const socket = net.connect({host: target, port, localAddress: source});
		socket.on('error', () => {});
		// By then the SYN has left. No answer is needed.
		setImmediate(() => socket.destroy());
		if (port % 64 === 0) {
			await yieldToEventLoop();
		}
	}

	await yieldToEventLoop();
}

function* portsOf(ranges: readonly PortRange[]): Iterable<number> {
	for (const {first, last} of ranges) {
		for (let port = first; port <= last; port += 1) {
			yield port;
		}
	}
}
