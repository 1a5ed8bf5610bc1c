// Opens many connections to an echo server, says when all are open, and at the end of its standard
// input sends a byte on each and prints how many were answered. Arguments: address, port, how many.
import net from 'node:net';
import process from 'node:process';

const [host = '', port, count] = process.argv.slice(2);
const PATIENCE = 10_000;

/** @type {net.Socket[]} */
const sockets = [];
while (sockets.length < Number(count)) {
	const more = Math.min(100, Number(count) - sockets.length);
	sockets.push(...(await Promise.all(Array.from({length: more}, connect))));
}

console.log('ready');
process.stdin.resume().on('end', async () => {
	const answers = await Promise.all(sockets.map(speak));
	console.log(`answered: ${answers.filter(Boolean).length}`);
	process.exit();
});

/** @returns {Promise<net.Socket>} */
function connect() {
	return new Promise((resolve, reject) => {
		const socket = net.connect({host, port: Number(port)}, () => resolve(socket));
		socket.on('error', reject);
	});
}

/** @param {net.Socket} socket @returns {Promise<boolean>} */
function speak(socket) {
	return new Promise((resolve) => {
		setTimeout(() => resolve(false), PATIENCE);
		socket.on('error', () => resolve(false)).on('data', () => resolve(true));
		socket.write('x');
	});
}
