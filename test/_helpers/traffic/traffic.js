// Sends probes to a machine, each millisecond one of each kind, until its standard input ends, and
// then prints as JSON how many. Arguments: the open port, the closed port, the port of a service whose
// session lasts, and the addresses, IPv4 before IPv6.
import dgram from 'node:dgram';
import net from 'node:net';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';

const [open = '', shut = '', lasting = '', ...addresses] = process.argv.slice(2);
const PORTS = {open: Number(open), shut: Number(shut)};
/** Before TCP sends its first packet again, so that each connection is one packet. */
const PATIENCE = 300;
/** How many milliseconds are made up for after a pause, and how many connections may be open. */
const CATCH_UP = 20;
const CROWD = 500;

/** @type {Record<string, number>} */
const sent = {};
/** @type {Record<string, number>} */
const answered = {};
const senders = [];
for (const [index, address] of addresses.entries()) {
	const family = index === 0 ? 4 : 6;
	for (const [state, port] of Object.entries(PORTS)) {
		senders.push(
			udpSender(`udp ${state} IPv${family}`, address, port),
			tcpSender(`tcp ${state} IPv${family}`, address, port),
		);
	}

	senders.push(await sessionSender(`session IPv${family}`, address));
}

console.log('ready');
const start = performance.now();
let rounds = 0;
const timer = setInterval(() => {
	const due = performance.now() - start;
	for (rounds = Math.max(rounds, due - CATCH_UP); rounds < due; rounds++) {
		for (const send of senders) {
			send();
		}
	}
}, 1);
process.stdin.resume().on('end', async () => {
	clearInterval(timer);
	const milliseconds = performance.now() - start;
	await delay(2 * PATIENCE);
	// The sessions' bytes come back, however long it takes: TCP sends again what was lost.
	const behind = () =>
		Object.keys(sent).some((name) => /^session/.test(name) && sent[name] !== answered[name]);
	for (let tries = 0; behind() && tries < 100; tries++) {
		await delay(100);
	}

	console.log(JSON.stringify({milliseconds, sent, answered}));
	process.exit();
});

/** @param {Record<string, number>} counts @param {string} name */
function count(counts, name) {
	counts[name] = (counts[name] ?? 0) + 1;
}

/** @param {string} name @param {string} address @param {number} port */
function udpSender(name, address, port) {
	const socket = dgram.createSocket(net.isIPv4(address) ? 'udp4' : 'udp6');
	socket.on('message', () => count(answered, name)).on('error', () => {});
	return () => {
		count(sent, name);
		socket.send('x', port, address);
	};
}

/** @param {string} name @param {string} address @param {number} port */
function tcpSender(name, address, port) {
	let open = 0;
	return () => {
		if (open >= CROWD) {
			return;
		}

		open++;
		count(sent, name);
		const socket = net.connect({host: address, port});
		socket.setTimeout(PATIENCE, () => socket.destroy());
		socket
			.on('error', () => {})
			.on('close', () => open--)
			.on('connect', () => {
				count(answered, name);
				socket.resetAndDestroy();
			});
	};
}

/** @param {string} name @param {string} address @returns {Promise<() => void>} */
function sessionSender(name, address) {
	return new Promise((resolve) => {
		const socket = net.connect({host: address, port: Number(lasting), noDelay: true});
		socket.on('data', (data) => {
			answered[name] = (answered[name] ?? 0) + data.length;
		});
		socket.on('connect', () =>
			resolve(() => {
				count(sent, name);
				socket.write('x');
			}),
		);
	});
}
