// Knocks at a port of each address over TCP and UDP every 5 ms until its standard input ends, then
// prints as JSON how often it did and how often it was answered, in whatever way. Arguments: the port,
// the addresses.
import dgram from 'node:dgram';
import net from 'node:net';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';

const [port, ...addresses] = process.argv.slice(2);
/** Before TCP sends its first packet again: each knock is one packet. */
const PATIENCE = 500;
/** What no answer of the other machine leads to: nobody has the address yet. */
const UNREACHED = ['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'];

let sent = 0;
/** @type {Record<string, number>} */
const answers = {};
const answer = (/** @type {string} */ what) => {
	answers[what] = (answers[what] ?? 0) + 1;
};
const failure = (/** @type {string} */ kind, /** @type {NodeJS.ErrnoException} */ error) => {
	if (!UNREACHED.includes(error.code ?? '')) {
		answer(`${kind} ${error.code}`);
	}
};

const timer = setInterval(() => {
	for (const address of addresses) {
		sent += 2;
		knockTcp(address);
		knockUdp(address);
	}
}, 5);
console.log('ready');
process.stdin.resume().on('end', async () => {
	clearInterval(timer);
	await delay(2 * PATIENCE);
	console.log(JSON.stringify({sent, answers}));
	process.exit();
});

/** @param {string} address */
function knockTcp(address) {
	const socket = net.connect({host: address, port: Number(port)});
	socket.setTimeout(PATIENCE, () => socket.destroy());
	socket.on('error', (error) => failure('tcp', error));
	socket.on('connect', () => {
		answer('tcp connected');
		socket.destroy();
	});
}

/** @param {string} address */
function knockUdp(address) {
	const socket = dgram.createSocket(net.isIPv4(address) ? 'udp4' : 'udp6');
	socket.on('error', (error) => failure('udp', error)).on('message', () => answer('udp message'));
	// Only a connected socket is told of errors.
	socket.on('connect', () => socket.send('x')).connect(Number(port), address);
	setTimeout(() => socket.close(), PATIENCE);
}
