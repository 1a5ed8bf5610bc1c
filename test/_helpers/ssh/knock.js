// Connects to a TCP port of each address until it was closed and is open again. Arguments: the port,
// the addresses. Prints as JSON when each was first seen closed, and when open again, in ms since 1970.
import net from 'node:net';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';

const [port, ...addresses] = process.argv.slice(2);
console.log(JSON.stringify(await Promise.all(addresses.map(watch))));

/** @param {string} address */
async function watch(address) {
	let shut;
	for (;;) {
		const open = await knock(address);
		if (open) {
			return {shut, open: Date.now()};
		}

		shut ??= Date.now();
		await delay(100);
	}
}

/** @param {string} address @returns {Promise<boolean>} */
function knock(address) {
	return new Promise((resolve) => {
		const socket = net.connect({host: address, port: Number(port)});
		const answer = (/** @type {boolean} */ open) => {
			socket.destroy();
			resolve(open);
		};
		// A packet that was dropped is sent again after a second: sooner is a new one.
		socket.setTimeout(100, () => answer(false));
		socket.on('connect', () => answer(true)).on('error', () => answer(false));
	});
}
