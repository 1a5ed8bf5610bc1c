import {type Debian, PROGRAM} from '../_helpers/lab/debian.ts';

/** The machine of the pictures: a server as many are, the same on whatever it is made. */
export const FILES = {
	'/opt/services/listen.js': `
for (const word of process.argv.slice(2)) {
	const [host, port] = word.split(' ');
	require('node:net').createServer((socket) => socket.end()).listen(Number(port), host);
}
`,
	'/etc/systemd/system/nginx.service': unit('nginx', ':: 80', ':: 443'),
	'/etc/systemd/system/postgresql.service': unit('postgres', '0.0.0.0 5432'),
	'/etc/systemd/system/redis-server.service': unit('redis-server', '127.0.0.1 6379'),
};

/** Who answers stands for the real thing, under its name. */
function unit(program: string, ...listens: readonly string[]): string {
	return `[Service]
ExecStartPre=/bin/ln -sf /usr/local/bin/node /run/${program}
ExecStart=/run/${program} /opt/services/listen.js ${listens.map((word) => `"${word}"`).join(' ')}
`;
}

/** Starts its services and gives it what would differ from one run to the next. */
export async function setScene({host, install}: Debian): Promise<void> {
	await install();
	await host.must('ln', ['-s', PROGRAM, '/usr/local/bin/fw-wizard']);
	await host.must('systemctl', ['start', 'nginx', 'postgresql', 'redis-server']);
	// Made from the address of the network card, which is another each time.
	await host.ip(['address flush dev eth0 scope link', 'address add fe80::1/64 dev eth0 nodad']);
	// Somebody was shut out by hand once.
	await host.must('iptables', ['-A', 'INPUT', '-s', '198.51.100.66', '-j', 'DROP']);
}
