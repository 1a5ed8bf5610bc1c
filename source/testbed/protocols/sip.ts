import type dgram from 'node:dgram';
import {once} from 'node:events';
import net from 'node:net';
import {type Exchange, openDatagramSocket, type ProtocolEnds} from './channel.ts';

/** The head of an RTP packet (RFC 3550): version 2, the first packet of its stream. */
const VOICE = Buffer.from([0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);

/**
 * SIP (RFC 3261): INVITE and 200 each name, by SDP (RFC 4566), the port at which their sender
 * receives voice. The end under proof receives voice before it sends any: afterwards the other end's
 * packets would be answers, which need no helper.
 */
export const sip: ProtocolEnds = {
	async serve(channel, exchange) {
		const port = readAudioPort(`${await channel.receive()}`);
		const voice = await openVoiceSocket(exchange.server);
		channel.send(message('SIP/2.0 200 OK', exchange.server, voice, exchange));
		if (exchange.towards === 'server') {
			await once(voice, 'message');
		}

		voice.send(VOICE, port, exchange.client);
	},
	async request(channel, exchange) {
		const {client, server} = exchange;
		const voice = await openVoiceSocket(client);
		const received = once(voice, 'message');
		channel.send(message(`INVITE sip:b@${bracket(server)} SIP/2.0`, client, voice, exchange));
		const port = readAudioPort(`${await channel.receive()}`);
		if (exchange.towards === 'server') {
			voice.send(VOICE, port, server);
		}

		await received;
	},
};

/** RTP uses an even port, and its reports (RTCP) the odd port above it (RFC 3550, 11). */
async function openVoiceSocket(address: string): Promise<dgram.Socket> {
	for (;;) {
		const socket = await openDatagramSocket({address, port: 0});
		if (socket.address().port % 2 === 0) {
			return socket;
		}

		socket.close();
	}
}

function message(
	first: string,
	own: string,
	voice: dgram.Socket,
	{transport, client, server, port}: Exchange,
): string {
	const address = `IN IP${net.isIPv6(own) ? 6 : 4} ${own}`;
	const description = lines(
		...['v=0', `o=- 1 1 ${address}`, 's=-', `c=${address}`, 't=0 0'],
		`m=audio ${voice.address().port} RTP/AVP 0`,
	);
	const head = lines(
		first,
		`Via: SIP/2.0/${transport.toUpperCase()} ${bracket(client)}:${port};branch=z9hG4bK1`,
		`From: <sip:a@${bracket(client)}>;tag=1`,
		`To: <sip:b@${bracket(server)}>`,
		`Call-ID: ${voice.address().port}`,
		'CSeq: 1 INVITE',
		`Contact: <sip:${bracket(own)}:${port}>`,
		'Content-Type: application/sdp',
		`Content-Length: ${description.length}`,
	);
	return `${head}\r\n${description}`;
}

function lines(...texts: readonly string[]): string {
	return texts.map((text) => `${text}\r\n`).join('');
}

function bracket(address: string): string {
	return net.isIPv6(address) ? `[${address}]` : address;
}

function readAudioPort(text: string): number {
	return Number(/^m=audio (\d+)/m.exec(text)?.[1]);
}
