// Knocks at a port of each address over TCP and UDP every 5 ms until its standard input ends, then
// prints as JSON how often it did, how often it was answered, in whatever way, and for how many
// milliseconds knocks were answered: the sum of the stretches of them, each with the pause up to its
// next one that was not. Arguments: the port, the addresses.
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
/** When each round of knocks was sent, and which of the rounds were answered. */
/** @type {number[]} */
const rounds = [];
const answered = new Set();
const answer = (/** @type {string} */ what, /** @type {number} */ round) => {
	answers[what] = (answers[what] ?? 0) + 1;
	answered.add(round);
};
const failure = (
	/** @type {string} */ kind,
	/** @type {NodeJS.ErrnoException} */ error,
	/** @type {number} */ round,
) => {
	if (!UNREACHED.includes(error.code ?? '')) {
		answer(`${kind} ${error.code}`, round);
	}
};

const timer = setInterval(() => {
	const round = rounds.push(performance.now()) - 1;
	for (const address of addresses) {
		sent += 2;
		knockTcp(address, round);
		knockUdp(address, round);
	}
}, 5);
console.log('ready');
process.stdin.resume().on('end', async () => {
	clearInterval(timer);
	await delay(2 * PATIENCE);
	const open = rounds.reduce(
		(sum, time, round) => sum + (answered.has(round) ? (rounds[round + 1] ?? time) - time : 0),
		0,
	);
	console.log(JSON.stringify({sent, answers, open: Math.round(open)}));
	process.exit();
});

/**
 * @param {string} address
 * @param {number} round
 */
function knockTcp(address, round) {
	const socket = net.connect({host: address, port: Number(port)});
	socket.setTimeout(PATIENCE, () => socket.destroy());
	socket.on('error', (error) => failure('tcp', error, round));
	socket.on('connect', () => {
		answer('tcp connected', round);
		socket.destroy();
	});
}

/**
 * @param {string} address
 * @param {number} round
 */
function knockUdp(address, round) {
	const socket = dgram.createSocket(net.isIPv4(address) ? 'udp4' : 'udp6');
	socket
		.on('error', (error) => failure('udp', error, round))
		.on('message', () => answer('udp message', round));
	// Only a connected socket is told of errors.
	socket.on('connect', () => socket.send('x')).connect(Number(port), address);
	setTimeout(() => socket.close(), PATIENCE);
}
