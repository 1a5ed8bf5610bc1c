import {describe, expect, it} from 'vitest';
import {
	parseRawSockets,
	parseSctpEndpoints,
	parseUdpLite,
} from '../../source/host/sockets/proc-net-protocols.ts';
import {findMemberships, parseTunnels, parseXfrm} from '../../source/host/sockets/protocol-uses.ts';
import {parseVirtualServices} from '../../source/host/sockets/virtual-services.ts';
import {describeUnopened} from '../../source/services/protocol-use.ts';

/** As Linux 6.18 prints it; the address 10.0.0.1 is in the byte order of little-endian machines. */
const RAW = `\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  91: 00000000:0070 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 2061130 2 00000000df9c2b5d 0
 152: 0100000A:002F 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 2061131 2 00000000686c176e 0
`;

/** As Linux 6.18 prints it: one that waits, and one that is connected. */
const UDP_LITE = `\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  635: 00000000:0309 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 5611010 2 000000007604cf0e 0
  636: 00000000:030A 0100000A:0309 01 00000000:00000000 00:00000000 00000000     0        0 5611011 2 000000007604cf0f 0
`;

/** In the form of net/netfilter/ipvs/ip_vs_ctl.c. */
const IPVS = `\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A580001:0050 rr persistent 300
  -> 0A580002:0050      Masq    1      0          0
UDP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0035 wlc
FWM  00000001 rr
`;

/** In the form of net/sctp/proc.c: one that listens on all addresses, one on IPv4, one that is only bound. */
const SCTP = `\
 ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS
00000000a7a1c5b0 00000000d4b7fd34 2   10  29   2905      0 41234 ::${' '}
00000000a7a1c5b1 00000000d4b7fd35 2   10  30   3868    998 41235 10.0.0.1 192.0.2.1${' '}
00000000a7a1c5b2 00000000d4b7fd36 2   7   31   9999      0 41236 0.0.0.0${' '}
`;

/** As Linux 6.18 prints it: all hosts, mDNS and SSDP, two groups of programs, and one on Docker's bridge. */
const MEMBERSHIPS = `\
Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter
1\tlo        :     1      V3
\t\t\t\t010000E0     1 0:00000000\t\t0
2\teth0      :     5      V3
\t\t\t\tFB0000E0     1 0:00000000\t\t0
\t\t\t\tFAFFFFEF     1 0:00000000\t\t0
\t\t\t\t010000E0     1 0:00000000\t\t0
\t\t\t\t0101C0EF     1 0:00000000\t\t0
\t\t\t\t810100E0     1 0:00000000\t\t0
3\tdocker0   :     1      V3
\t\t\t\t0201C0EF     1 0:00000000\t\t0
`;

/** ip-xfrm(8) of iproute2 6.1: a pair of states, and a peer behind NAT, whose packets come in UDP. */
const STATES = `\
src 203.0.113.9 dst 198.51.100.1
	proto esp spi 0xc5a7bc3c reqid 1 mode tunnel
	replay-window 0 flag af-unspec
	auth-trunc hmac(sha256) 0x00 128
	enc cbc(aes) 0x00
	anti-replay context: seq 0x0, oseq 0x0, bitmap 0x00000000
src 198.51.100.1 dst 203.0.113.9
	proto esp spi 0xcd1a7b4e reqid 1 mode tunnel
	replay-window 0 flag af-unspec
src 2001:db8::9 dst 2001:db8::1
	proto ah spi 0x00000100 reqid 2 mode transport
	replay-window 0
`;
const STATES_BEHIND_NAT = `\
src 203.0.113.7 dst 198.51.100.1
	proto esp spi 0xc5a7bc3d reqid 3 mode tunnel
	replay-window 0 flag af-unspec
	encap type espinudp sport 4500 dport 4500 addr 0.0.0.0
`;
const POLICIES = (peer: string) => `\
src 10.1.0.0/16 dst 10.2.0.0/16 uid 0
	dir out priority 375423 ptype main
	tmpl src 198.51.100.1 dst ${peer}
		proto esp spi 0xcd1a7b4e reqid 1 mode tunnel
src 10.2.0.0/16 dst 10.1.0.0/16 uid 0
	dir in priority 375423 ptype main
	tmpl src ${peer} dst 198.51.100.1
		proto esp reqid 1 mode tunnel
`;

const link = (
	ifname: string,
	kind: string,
	data: object,
	flags = ['POINTOPOINT', 'NOARP', 'UP'],
) => ({
	...{ifindex: 4, ifname, flags, mtu: 1476, link_type: 'gre'},
	linkinfo: {info_kind: kind, info_data: data},
});

describe('what receives protocols without ports', () => {
	it('are sockets of UDP-Lite that wait for others', () => {
		expect(parseUdpLite(UDP_LITE)).toEqual([
			{number: 136, families: [4], address: '0.0.0.0', inode: '5611010'},
		]);
	});

	it('are beside the virtual services of IPVS, which listen on ports', () => {
		const service = {reach: 'outside', process: 'IPVS'};
		expect(parseVirtualServices(IPVS)).toEqual([
			{...service, protocol: 'tcp', address: '10.88.0.1', families: [4], port: 80},
			{...service, protocol: 'udp', address: '2001:db8::1', families: [6], port: 53},
		]);
	});

	it('is read from the tables of raw sockets', () => {
		expect(parseRawSockets(RAW, 4)).toEqual([
			{number: 112, families: [4], address: '0.0.0.0', inode: '2061130'},
			{number: 47, families: [4], address: '10.0.0.1', inode: '2061131'},
		]);
		expect(parseRawSockets('', 6)).toEqual([]);
	});

	it('is read from the table of SCTP, where a socket waits for others', () => {
		expect(parseSctpEndpoints(SCTP)).toEqual([
			{number: 132, families: [4, 6], address: '::', port: 2905, inode: '41234'},
			{number: 132, families: [4], address: '10.0.0.1', port: 3868, inode: '41235'},
		]);
	});

	it('is read from the states and policies of IPsec, but for peers behind NAT', () => {
		const read = (states: string, policies: string) =>
			parseXfrm(states, policies).map(({protocol, families}) => `${protocol.name} ${families}`);
		// AH over IPv6 is a header that rules do not see.
		expect(new Set(read(STATES, ''))).toEqual(new Set(['esp 4']));
		expect(new Set(read('', POLICIES('203.0.113.9')))).toEqual(new Set(['esp 4']));
		expect(new Set(read('', POLICIES('2001:db8::9')))).toEqual(new Set(['esp 6']));
		expect(read(STATES_BEHIND_NAT, POLICIES('203.0.113.7'))).toEqual([]);
		expect(read('', '')).toEqual([]);
	});

	it('is read from the groups that something is a member of, but for those of one link', () => {
		const uses = findMemberships(MEMBERSHIPS);
		expect(uses.map(({by, protocol}) => `${by}: ${protocol.name}`)).toEqual([
			'membership of 239.192.1.1 and 1 more group: igmp',
		]);
		expect(describeUnopened(uses)).toEqual([
			'membership of 239.192.1.1 and 1 more group needs IGMP, which is not open. To open: igmp',
		]);
		expect(findMemberships(MEMBERSHIPS.split('\n').slice(0, 7).join('\n'))).toEqual([]);
		expect(findMemberships('')).toEqual([]);
	});

	it('is read from the tunnels that are up, with the end that their packets come from', () => {
		const links = [
			{ifname: 'lo', flags: ['LOOPBACK', 'UP']},
			link('gre1', 'gre', {remote: '203.0.113.9', local: '198.51.100.1'}),
			link('gre0', 'gre', {remote: 'any', local: 'any'}, ['NOARP']),
			link('tap1', 'gretap', {remote: 'any', local: '198.51.100.1'}),
			link('he6', 'sit', {proto: 'ip6ip', remote: '203.0.113.1', local: 'any'}),
			link('tun1', 'ip6tnl', {proto: 'ipip6', remote: '2001:db8::9', local: '2001:db8::1'}),
			link('tun2', 'ipip', {remote: '203.0.113.2'}),
			link('veth0', 'veth', {}),
		];
		const uses = parseTunnels(JSON.stringify(links)).map(
			({by, protocol, families, peer}) => `${by}: ${protocol.name} ${families} ${peer}`,
		);
		expect(uses).toEqual([
			'the tunnel gre1: gre 4 203.0.113.9',
			'the tunnel tap1: gre 4 undefined',
			'the tunnel he6: 6in4 4 203.0.113.1',
			'the tunnel tun1: protocol 4 6 2001:db8::9',
			'the tunnel tun2: ipip 4 203.0.113.2',
		]);
		for (const text of ['', 'x', '{}', 'null', '[{}]']) {
			expect(parseTunnels(text)).toEqual([]);
		}
	});
});
