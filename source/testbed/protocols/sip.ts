import type dgram from 'node:dgram';
import {once} from 'node:events';
import net from 'node:net';
import {type Dialogue, openDatagrams, type Part} from './line.ts';

/** The head of an RTP packet (RFC 3550): version 2, the first of its kind. */
const VOICE = Buffer.from([0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);

/**
 * SIP (RFC 3261): INVITE and 200 each name, by SDP (RFC 4566), the port at which their end takes
 * voice. The one under proof hears it first: once it had sent some, the other's would be an answer.
 */
export const sip: Dialogue = {
	async answer(line, part) {
		const port = readAudioPort(`${await line.hear()}`);
		const ear = await openEar(part.called);
		line.say(message('SIP/2.0 200 OK', part.called, ear, part));
		if (part.towards === 'called') {
			await once(ear, 'message');
		}

		ear.send(VOICE, port, part.caller);
	},
	async ask(line, part) {
		const ear = await openEar(part.caller);
		const heard = once(ear, 'message');
		line.say(message(`INVITE sip:b@${bracket(part.called)} SIP/2.0`, part.caller, ear, part));
		const port = readAudioPort(`${await line.hear()}`);
		if (part.towards === 'called') {
			ear.send(VOICE, port, part.called);
		}

		await heard;
	},
};

/** Voice is taken at an even port, and the one above is for reports on it (RFC 3550, 11). */
async function openEar(address: string): Promise<dgram.Socket> {
	for (;;) {
		const ear = await openDatagrams({address, port: 0});
		if (ear.address().port % 2 === 0) {
			return ear;
		}

		ear.close();
	}
}

function message(
	first: string,
	own: string,
	ear: dgram.Socket,
	{transport, caller, called, port}: Part,
): string {
	const address = `IN IP${net.isIPv6(own) ? 6 : 4} ${own}`;
	const description = lines(
		...['v=0', `o=- 1 1 ${address}`, 's=-', `c=${address}`, 't=0 0'],
		`m=audio ${ear.address().port} RTP/AVP 0`,
	);
	const head = lines(
		first,
		`Via: SIP/2.0/${transport.toUpperCase()} ${bracket(caller)}:${port};branch=z9hG4bK1`,
		`From: <sip:a@${bracket(caller)}>;tag=1`,
		`To: <sip:b@${bracket(called)}>`,
		`Call-ID: ${ear.address().port}`,
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
