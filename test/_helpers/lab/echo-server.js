// Sends back what comes in, on each port given as an argument: tcp:22 udp:53, both families.
import dgram from 'node:dgram';
import net from 'node:net';
import process from 'node:process';

await Promise.all(
	process.argv.slice(2).map(async (argument) => {
		const [protocol, port] = argument.split(':');
		await (protocol === 'tcp' ? listenTcp(Number(port)) : listenUdp(Number(port)));
	}),
);
console.log('ready');

/** @param {number} port */
function listenTcp(port) {
	return new Promise((resolve, reject) => {
		net
			.createServer((socket) => {
				socket.on('error', () => {});
				socket.pipe(socket);
			})
			.on('error', reject)
			.listen(port, '::', () => resolve(undefined));
	});
}

/** @param {number} port */
function listenUdp(port) {
	return new Promise((resolve, reject) => {
		const socket = dgram.createSocket('udp6');
		socket
			.on('message', (message, {port, address}) => socket.send(message, port, address))
			.on('error', reject)
			.bind(port, '::', () => resolve(undefined));
	});
}
