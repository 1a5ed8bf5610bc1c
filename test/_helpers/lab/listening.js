// Opens sockets as the arguments say, one JSON text each, says when all are open, and waits.
// {"protocol": "tcp"|"udp4"|"udp6", "host", "port", "ipv6Only"?, "count"?: ports from `port` on}
// With {"name"} it takes that for its process name.
import dgram from 'node:dgram';
import {writeFileSync} from 'node:fs';
import net from 'node:net';
import process from 'node:process';

for (const text of process.argv.slice(2)) {
	const {name, protocol, host, port, ipv6Only = false, count = 1} = JSON.parse(text);
	if (name !== undefined) {
		writeFileSync('/proc/self/comm', name);
		continue;
	}

	const ports = Array.from({length: count}, (_, index) => port + index);
	await Promise.all(
		ports.map(
			(each) =>
				new Promise((resolve, reject) => {
					if (protocol === 'tcp') {
						const server = net.createServer();
						server.on('error', reject).listen({host, port: each, ipv6Only}, () => resolve(true));
					} else {
						const socket = dgram.createSocket({type: protocol, ipv6Only});
						socket.on('error', reject).bind(each, host, () => resolve(true));
					}
				}),
		),
	);
}

console.log('ready');
process.stdin.resume().on('end', () => process.exit());
