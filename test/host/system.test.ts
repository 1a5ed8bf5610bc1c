import {describe, expect, it} from 'vitest';
import {parseOsRelease} from '../../source/host/machine/system.ts';
import {parseBoundSockets} from '../../source/host/sockets/proc-net.ts';
import {parseSocketDetails} from '../../source/host/sockets/ss.ts';

describe('the distribution', () => {
	it.each([
		[
			'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n',
			'Debian GNU/Linux 12 (bookworm)',
		],
		["NAME='Alpine Linux'\nVERSION=3.20\n", 'Alpine Linux 3.20'],
		['PRETTY_NAME="a \\"b\\" \\$c"', 'a "b" $c'],
		['PRETTY_NAME="x\u001b[31my"', 'x?[31my'],
		['', undefined],
	])('%j', (text, expected) => {
		expect(parseOsRelease(text)).toBe(expected);
	});
});

it('reads IPV6_V6ONLY and the interface from ss, whatever a control group is called', () => {
	const text = `tcp LISTEN 0 5 *%d0:5001 *:* ino:1 sk:1 cgroup:/ v6only:0 <->
udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* uid:101 ino:2 sk:2 cgroup:/system.slice/x <->
tcp LISTEN 0 5 [fe80::1]%d0:5002 [::]:* ino:3 sk:3 cgroup:/a ino:9 v6only:0 <-> v6only:1 <->
nonsense
`;
	expect([...parseSocketDetails(text)]).toEqual([
		['1', {ipv6Only: false, on: 'd0'}],
		['2', {on: 'lo'}],
		['3', {ipv6Only: true, on: 'd0'}],
	]);
});

it('reads sockets that wait from /proc, and neither connected nor unfinished ones', () => {
	const line = (local: string, state: string, inode: string) =>
		`   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000   106        0 ${inode} 2 0 0`;
	const head = '  sl  local_address rem_address   st\n';
	const tcp = [line('0100007F:0016', '0A', '11'), line('0100007F:0016', '01', '12'), 'cut off'];
	expect(parseBoundSockets(`${head}${tcp.join('\n')}`, 'tcp', 4)).toEqual([
		{protocol: 'tcp', family: 4, address: '127.0.0.1', port: 22, uid: 106, inode: '11'},
	]);
	const mapped = line('0000000000000000FFFF00000100007F:0035', '07', '0');
	expect(parseBoundSockets(`${head}${mapped}`, 'udp', 6)).toEqual([
		{protocol: 'udp', family: 4, address: '127.0.0.1', port: 53, uid: 106, inode: '0'},
	]);
	expect(parseBoundSockets('', 'udp', 6)).toEqual([]);
});
