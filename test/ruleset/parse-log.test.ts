import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {summarizeLog} from '../../source/app/inspect/log.ts';
import {parseJournalLine, parseKmsg} from '../../source/host/machine/kernel-log.ts';
import {parseLogLine} from '../../source/ruleset/parse-log.ts';
import {UNSAFE} from '../_helpers/samples/errors.ts';

const TCP =
	'fw-wizard: IN=eth0 OUT= MAC=02:42:ac:11:00:02:02:42:0d:5f:c3:a1:08:00 SRC=203.0.113.9 DST=198.51.100.1 LEN=60 TOS=0x00 PREC=0x00 TTL=51 ID=4711 DF PROTO=TCP SPT=51234 DPT=23 WINDOW=64240 RES=0x00 SYN URGP=0 ';
const UDP6 =
	'fw-wizard: IN=ens3 OUT= MAC=33:33:00:00:00:01:52:54:00:12:34:56:86:dd SRC=2001:0db8:0000:0000:0000:0000:0000:0002 DST=2001:0db8:0000:0000:0000:0000:0000:0001 LEN=52 TC=0 HOPLIMIT=64 FLOWLBL=391234 PROTO=UDP SPT=40000 DPT=5353 LEN=12 ';
const FORWARDED =
	'fw-wizard: IN=eth0 OUT=docker0 MAC=02:42:ac:11:00:02:02:42:0d:5f:c3:a1:08:00 SRC=203.0.113.9 DST=172.17.0.2 LEN=60 TOS=0x00 PREC=0x00 TTL=50 ID=1 DF PROTO=TCP SPT=51234 DPT=80 WINDOW=64240 RES=0x00 SYN URGP=0 MARK=0x1 ';
const QUOTING =
	'fw-wizard: IN=eth0 OUT= MAC= SRC=203.0.113.1 DST=198.51.100.1 LEN=88 TOS=0x00 PREC=0xC0 TTL=64 ID=9 PROTO=ICMP TYPE=3 CODE=3 [SRC=198.51.100.1 DST=203.0.113.1 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=2 PROTO=UDP SPT=53 DPT=9999 LEN=40 ] ';
const ESP =
	'fw-wizard: IN=wg0 OUT= MAC= SRC=10.0.0.2 DST=10.0.0.1 LEN=120 TOS=0x00 PREC=0x00 TTL=64 ID=7 PROTO=ESP SPI=0x1234 ';

describe('a line of the LOG target', () => {
	it.each([
		[
			'TCP over IPv4',
			TCP,
			{family: 4, inInterface: 'eth0', source: '203.0.113.9', protocol: 'tcp', port: 23},
		],
		[
			'UDP over IPv6, whose addresses are written out',
			UDP6,
			{family: 6, inInterface: 'ens3', source: '2001:db8::2', protocol: 'udp', port: 5353},
		],
		['forwarded', FORWARDED, {destination: '172.17.0.2', port: 80, forwarded: true}],
		['ESP', ESP, {protocol: 'esp', source: '10.0.0.2', forwarded: false}],
	])('is read: %s', (_, line, packet) => {
		expect(parseLogLine(line)).toMatchObject(packet);
	});

	it('that quotes another packet is about the outer one', () => {
		expect(parseLogLine(QUOTING)).toEqual({
			...{family: 4, inInterface: 'eth0', source: '203.0.113.1', destination: '198.51.100.1'},
			...{protocol: 'icmp', forwarded: false},
		});
	});

	it.each([
		['of another prefix', TCP.replace('fw-wizard: ', '[UFW BLOCK] ')],
		['with the prefix later', `x ${TCP}`],
		['with an escape sequence', TCP.replace('eth0', '\u001B[2Jeth0')],
		['with a bidirectional override', TCP.replace('eth0', '\u202Eeth0')],
		['with an address that is none', TCP.replace('203.0.113.9', '999.0.113.9')],
		['with two families', TCP.replace('DST=198.51.100.1', 'DST=2001:db8::1')],
		['with a port that is none', TCP.replace('DPT=23', 'DPT=99999')],
		['without a protocol', TCP.replace(/PROTO=.*/, '')],
		['cut off', TCP.slice(0, 60)],
		['too long', `${TCP}${' '.repeat(2000)}`],
	])('is left out: %s', (_, line) => {
		expect(parseLogLine(line)).toBeUndefined();
	});

	it('of any characters is safe to print, or left out', () => {
		const parts = TCP.split(/(?<=[ =])/);
		const mutated = fc
			.tuple(fc.nat(parts.length - 1), fc.oneof(fc.string({unit: 'binary'}), fc.string()))
			.map(([at, text]) => parts.map((part, index) => (index === at ? text : part)).join(''));
		fc.assert(
			fc.property(mutated, (line) => {
				expect(UNSAFE.test(JSON.stringify(Object.values(parseLogLine(line) ?? {})))).toBe(false);
			}),
			{numRuns: 2000},
		);
	});
});

describe('a line of the kernel', () => {
	it('comes from its buffer, unless a program wrote it there', () => {
		const record = `4,1234,5000000,-;${TCP}\n SUBSYSTEM=net\n`;
		expect(parseKmsg(record, 1000)).toEqual({time: new Date(6000), message: TCP});
		expect(parseKmsg(record.replace('4,', '12,'), 1000)).toBeUndefined();
		expect(parseKmsg('nonsense', 0)).toBeUndefined();
	});

	it('comes from the journal', () => {
		const entry = {__REALTIME_TIMESTAMP: '1795000000000000', MESSAGE: TCP};
		expect(parseJournalLine(JSON.stringify(entry))).toEqual({
			time: new Date(1_795_000_000_000),
			message: TCP,
		});
		// What is no text is a list of bytes there.
		expect(parseJournalLine(JSON.stringify({...entry, MESSAGE: [27, 91]}))).toBeUndefined();
		expect(parseJournalLine('{')).toBeUndefined();
	});
});

describe('what the log says', () => {
	it('is told by port and by source, with who listens, and which source scanned', () => {
		const message = (source: string, port: number) =>
			TCP.replace('203.0.113.9', source).replace('DPT=23', `DPT=${port}`);
		const time = new Date(0);
		const messages = [
			...Array.from({length: 40}, (_, index) => message('203.0.113.50', 1000 + index)),
			...Array.from({length: 60}, (_, index) => message(`192.0.2.${index % 6}`, 3306)),
			'fw-wizard: \u001B[2J',
			'usb 1-1: new device',
		];
		const listener = {
			...({protocol: 'tcp', address: '0.0.0.0', families: [4], port: 3306} as const),
			...({reach: 'outside', process: 'mysqld'} as const),
		};
		const {lines, unreadable, ports, sources} = summarizeLog(
			messages.map((text) => ({time, message: text})),
			[listener],
		);
		expect({lines, unreadable}).toEqual({lines: 100, unreadable: 1});
		expect(ports[0]).toMatchObject({port: 3306, lines: 60, sources: 6, programs: ['mysqld']});
		expect(ports).toHaveLength(41);
		expect(sources[0]).toMatchObject({address: '203.0.113.50', lines: 40, ports: 40, scan: true});
		expect(sources[1]).toMatchObject({lines: 10, ports: 1, scan: false});
	});

	it('names no program of this machine for what was to be forwarded to a container', () => {
		const {ports} = summarizeLog(
			[FORWARDED, TCP.replace('DPT=23', 'DPT=80')].map((message) => ({time: new Date(0), message})),
			[
				{
					...({protocol: 'tcp', address: '0.0.0.0', families: [4], port: 80} as const),
					...({reach: 'outside', process: 'nginx'} as const),
				},
			],
		);
		expect(ports.map(({port, forwarded, programs}) => ({port, forwarded, programs}))).toEqual([
			{port: 80, forwarded: true, programs: []},
			{port: 80, forwarded: false, programs: ['nginx']},
		]);
	});
});
