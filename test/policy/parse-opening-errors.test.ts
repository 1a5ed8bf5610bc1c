import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {InputError} from '../../source/lib/errors.ts';
import {printOpening} from '../../source/policy/opening.ts';
import {parseOpening, parseOpenings} from '../../source/policy/parse-opening.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {openings} from '../_helpers/samples/arbitraries.ts';
import {inputErrorOf} from '../_helpers/samples/errors.ts';

const errorOf = (text: string) => inputErrorOf(() => parseOpening(text, OWN_SERVICES));

describe('parseOpening refuses', () => {
	it.each([
		['', 'empty'],
		['   ', 'empty'],
		['70000', 'Port 70000 does not exist'],
		['65536/tcp', 'Port 65536 does not exist'],
		['1-65536/tcp', 'Port 65536 does not exist'],
		['0', 'Port 0 does not exist'],
		['0-10/udp', 'Port 0 does not exist'],
		['999999999999999999999999', 'does not exist'],
		['9-5/tcp', 'runs backwards'],
		['22-', 'not a port or a range'],
		['-22', 'not a port or a range'],
		['1-2-3', 'not a port or a range'],
		['--', 'not a port or a range'],
		['22/icmp', 'the protocol is tcp, udp or sctp'],
		['22/', 'the protocol is tcp, udp or sctp'],
		['22/tcp/udp', 'the protocol is tcp, udp or sctp'],
		['22/tcp,80/tcp', 'the protocol is tcp, udp or sctp'],
		['/tcp', 'not a known service'],
		['22.5/tcp', 'not a known service'],
		['0x16/tcp', 'not a known service'],
		['1e3', 'not a known service'],
		['+22', 'not a known service'],
		['２２/tcp', 'not a known service'],
		['8000:8010:8020/tcp', 'not a port or a range'],
		['8010:8000/tcp', 'runs backwards'],
		[':80/tcp', 'not a port or a range'],
		['!22/tcp', 'not a known service'],
		['__proto__', 'not a known service'],
		['constructor', 'not a known service'],
		['wireguard/tcp', 'not a tcp service'],
		['ssh/udp', 'not a udp service'],
		['22 tcp', '"tcp" is not understood here'],
		['22/tcp only', '"only" is not understood here'],
		['22/tcp, 80/tcp', 'the protocol is tcp, udp or sctp'],
		['22 sshx', '"sshx" is not understood here'],
		['22/tcp from 10.0.0.1 80', '"80" is not understood here'],
		['80 70000', 'Port 70000 does not exist'],
		['80 mdns from 10.0.0.0/8', 'neither "from" nor "limit"'],
		['22/tcp from', 'After "from" comes'],
		['22/tcp on', 'After "on" comes'],
		['22/tcp from 300.1.1.1', 'not an IP address'],
		['22/tcp from 10.0.0.0/33', 'at most /32'],
		['22/tcp from 10.1', 'not an IP address'],
		['22/tcp from 0x7f.1', 'not an IP address'],
		['22/tcp from fe80::1%eth0', 'not an IP address'],
		['22/tcp from ::ffff:10.0.0.1', 'written as IPv6'],
		['22/tcp from limit', 'not an IP address'],
		['22/tcp from !10.0.0.1', 'not an IP address'],
		['22/tcp from 10.0.0.1,10.0.0.300', '"10.0.0.300" is not an IP address'],
		['22/tcp from ::1, 10.0.0.0/33, ::2', '"10.0.0.0/33": an IPv4 prefix is at most /32'],
		['22/tcp from ::1, office.example.com', '"office.example.com" is not an IP address'],
		['22/tcp from ::1, 80/tcp', '"80" is not an IP address'],
		['22/tcp from , ::1', '"from," is not understood here'],
		['22/tcp from ::1, ::2 ::3', '"::3" is not understood here'],
		['22/tcp on eth0, ::1', '"eth0," is not an interface name'],
		['22/tcp from 10.0.0.1 from 10.0.0.1', 'says "from" twice'],
		['22/tcp on eth0 ON eth1', 'says "on" twice'],
		['22/tcp limit limit', 'says "limit" twice'],
		['mdns from 10.0.0.0/8', 'neither "from" nor "limit"'],
		['mdns limit', 'neither "from" nor "limit"'],
		['ssdp from 10.0.0.0/8', 'neither "from" nor "limit"'],
		['mdns/udp', 'not a known service'],
		['esp limit', 'esp takes no "limit"'],
		['80 gre limit', 'gre takes no "limit"'],
		['2905/sctp limit', 'not of SCTP'],
		['esp/tcp', 'not a known service'],
		['6in4 from 2001:db8::/32', '6in4 is opened over IPv4 only'],
		['igmp from 10.0.0.1, fd00::1', 'fd00::1/128 is a network of IPv6'],
		['igmp from fd00::1', 'igmp is opened over IPv4 only'],
		['protocol', 'names no protocol'],
		['protocol esp', '"protocol esp" names no protocol'],
		// To iptables it is every protocol.
		['protocol 0', '"protocol 0" names no protocol'],
		['protocol 1', '"protocol 1" names no protocol'],
		['protocol 255', '"protocol 255" names no protocol'],
		['protocol 300', '"protocol 300" names no protocol'],
		['protocol -1', '"protocol -1" names no protocol'],
		['protocol 0x32', '"protocol 0x32" names no protocol'],
		['protocol 6', 'Protocol 6 is TCP, which has ports'],
		['protocol 17', 'Protocol 17 is UDP, which has ports'],
		['protocol 58', 'always open'],
		['protocol 103 104', '"104" is not understood here'],
	])('%j', (text, message) => {
		expect(errorOf(text).message).toContain(message);
	});

	it.each([
		'-x',
		'!eth0',
		'+',
		'e+h',
		`${'a'.repeat(15)}+`,
		'a'.repeat(16),
		'a/b',
		'.',
		'..',
		'-',
		'eth0:1',
		'ä',
	])('the interface %j', (name) => {
		expect(errorOf(`22/tcp on ${name}`).message).toContain('is not an interface name');
		expect(errorOf(`mdns on ${name}`).message).toContain('is not an interface name');
	});

	it.each([
		'"eth0"',
		"'",
		'a"b',
		'\\',
		'$(reboot)',
		'`id`',
		'a;b',
		'a\u0000',
		'\u001B[2J',
		'a\u202Eb',
	])('the interface %j, which a shell or a terminal would act on', (name) => {
		expect(errorOf(`22/tcp on ${name}`).message).toContain('is not an interface name');
	});

	it('takes an interface name of one word only', () => {
		expect(errorOf('22/tcp on eth 0').message).toContain('"0" is not understood here');
	});

	it.each([
		['sssh', 'Did you mean ssh?'],
		['htpp/tcp', 'Did you mean http?'],
		['wirguard on eth0', 'Did you mean wireguard?'],
		...['quake', 'exit', 'quit', 'help', 'none'].map((text) => [
			text,
			'Write its port number, as in 8080/tcp',
		]),
		['espp', 'Did you mean esp?'],
		['ping', 'Ping and ICMP are always open: leave it out'],
		['IPsec', 'Write esp, 500/udp, 4500/udp'],
	])('%s, and says what to write', (text, hint) => {
		expect(errorOf(text).hint).toBe(hint);
	});

	it('a service of the other protocol, and says how to open the port all the same', () => {
		expect(errorOf('ssh/udp').hint).toBe('Write its port number, as in 8080/udp');
	});

	it('one bad place in a list', () => {
		const {message} = inputErrorOf(() => parseOpenings('22/tcp,70000,ssh', OWN_SERVICES));
		expect(message).toBe('Port 70000 does not exist');
	});
});

describe('whatever is typed', () => {
	const harm = fc.constantFrom(
		'\u001B[2J',
		'\u009B',
		'\r',
		'\u202E',
		'\u2066',
		'\u200B',
		'\0',
		'\uD800',
	);
	/** An opening with something else put in somewhere. */
	const damaged = fc
		.tuple(openings(), fc.nat(), fc.oneof(harm, fc.string({unit: 'binary', maxLength: 4})))
		.map(([opening, place, text]) => {
			const whole = printOpening(opening);
			const at = place % (whole.length + 1);
			return whole.slice(0, at) + text + whole.slice(at);
		});

	it('either is an opening or one error that is safe to show', () => {
		fc.assert(
			fc.property(fc.oneof(damaged, fc.string({unit: 'binary'})), (text) => {
				try {
					for (const opening of parseOpening(text, OWN_SERVICES)) {
						expect(printOpening(opening)).toMatch(/^[\w .,@:/-]+$/);
						expect(parseOpening(printOpening(opening), new Map())).toEqual([opening]);
					}
				} catch (error) {
					if (!(error instanceof InputError)) {
						throw error;
					}

					inputErrorOf(() => {
						throw error;
					});
				}
			}),
			{numRuns: 2500},
		);
	});

	it.each(['22', '22/tcp from 10.0.0.1', 'ssh', 'mdns on a'])(
		'never has harm beside "%s"',
		(text) => {
			fc.assert(
				fc.property(harm, (harmful) => {
					for (const whole of [`${text}${harmful}x`, `${text} ${harmful}x`, `x${harmful}${text}`]) {
						inputErrorOf(() => parseOpening(whole, OWN_SERVICES));
					}
				}),
			);
		},
	);

	it('is refused, however long', () => {
		// Anything that took more than some steps for each character would not end before the test does.
		for (const text of [
			'9'.repeat(1e6),
			'x'.repeat(1e5),
			`22/tcp on ${'e'.repeat(1e6)}`,
			'-'.repeat(1e6),
		]) {
			errorOf(text);
		}
	});
});
