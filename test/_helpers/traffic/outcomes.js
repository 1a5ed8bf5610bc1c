// Reads as JSON a list of {source, target, protocol, port}, sends something from each source, and prints
// as JSON how it went: open, refused or silent.
import dgram from 'node:dgram';
import net from 'node:net';
import process from 'node:process';
import {text} from 'node:stream/consumers';
import {setTimeout as delay} from 'node:timers/promises';

const PATIENCE = Number(process.argv[2]);
console.log(JSON.stringify(await Promise.all(JSON.parse(await text(process.stdin)).map(send))));
process.exit();

/** @param {{source: string, target: string, protocol: string, port: number}} packet */
async function send({source, target, protocol, port}) {
	const answer = protocol === 'tcp' ? connect(source, target, port) : ask(source, target, port);
	return Promise.race([answer, delay(PATIENCE, 'silent')]);
}

/** @param {string} source @param {string} target @param {number} port */
function connect(source, target, port) {
	return new Promise((resolve) => {
		net
			.connect({host: target, port, localAddress: source})
			.on('connect', () => resolve('open'))
			.on('error', () => resolve('refused'));
	});
}

/** @param {string} source @param {string} target @param {number} port */
function ask(source, target, port) {
	return new Promise((resolve) => {
		const socket = dgram.createSocket(net.isIPv4(target) ? 'udp4' : 'udp6');
		socket.on('message', () => resolve('open')).on('error', () => resolve('refused'));
		socket.bind(0, source, () => socket.connect(port, target, () => socket.send('x')));
	});
}
