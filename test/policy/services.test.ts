import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {
	OWN_SERVICES,
	parseServices,
	suggestService,
	withOwnServices,
} from '../../source/policy/services.ts';
import {inputErrorOf} from '../_helpers/samples/errors.ts';

describe('parseServices', () => {
	it("reads this machine's own file", () => {
		const services = parseServices(readFileSync('/etc/services', 'utf8'));
		expect(services.get('ssh')).toEqual([{protocol: 'tcp', port: 22}]);
		expect(services.get('domain')).toEqual([
			{protocol: 'tcp', port: 53},
			{protocol: 'udp', port: 53},
		]);
		expect(services.get('www')).toEqual(services.get('http'));
		for (const [name, ports] of services) {
			expect(name).toBe(name.toLowerCase());
			expect(ports.length, name).toBeGreaterThan(0);
		}
	});

	it('takes names, aliases, comments, blanks and Windows line ends', () => {
		const text =
			'# ssh 1/tcp\r\n\r\nSSH\t22/tcp  Secure-Shell # 23/tcp telnet\r\n  dns 53/udp\ndns 53/tcp';
		expect([...parseServices(text)]).toEqual([
			['ssh', [{protocol: 'tcp', port: 22}]],
			['secure-shell', [{protocol: 'tcp', port: 22}]],
			[
				'dns',
				[
					{protocol: 'udp', port: 53},
					{protocol: 'tcp', port: 53},
				],
			],
		]);
	});

	it('says each port of a name once', () => {
		const text = 'dns 53/tcp 53/tcp dns\ndns 53/tcp';
		expect([...parseServices(text)]).toEqual([['dns', [{protocol: 'tcp', port: 53}]]]);
		expect(parseOpening('dns', parseServices(text))).toMatchObject([{protocol: 'tcp'}]);
	});

	it.each(['rtmp 1/ddp', 'x 0/tcp', 'x 65536/tcp', 'x 99999999999/tcp', 'x -1/tcp', 'x 22', 'x'])(
		'knows no service by the line "%s"',
		(line) => {
			expect([...parseServices(line)]).toEqual([]);
		},
	);

	it('survives garbage, and gives only ports that exist', () => {
		const garbage = fc.oneof(
			fc.string({unit: 'binary'}),
			fc
				.array(
					fc.constantFrom('ssh', '__proto__', ' ', '22/tcp', '70000/udp', '/', '#', '\n', '\0'),
				)
				.map((parts) => parts.join('')),
		);
		fc.assert(
			fc.property(garbage, (text) => {
				for (const [name, ports] of parseServices(text)) {
					expect(name).toMatch(/^[^\s/#]+$/);
					expect(ports.length).toBeGreaterThan(0);
					expect(new Set(ports.map(({protocol, port}) => `${port}/${protocol}`)).size).toBe(
						ports.length,
					);
					for (const {protocol, port} of ports) {
						expect(['tcp', 'udp']).toContain(protocol);
						expect(port >= 1 && port <= 65_535 && Number.isInteger(port)).toBe(true);
					}
				}
			}),
			{numRuns: 300},
		);
	});
});

describe('the table of our own', () => {
	it.each([
		['ssh', '22/tcp'],
		['dns', '53/tcp 53/udp'],
		['https', '443/tcp 443/udp'],
		['ntp', '123/udp'],
		['wireguard', '51820/udp'],
		['postgresql', '5432/tcp'],
	])('knows %s', (name, ports) => {
		const found = OWN_SERVICES.get(name)?.map(({protocol, port}) => `${port}/${protocol}`);
		expect(found?.join(' ')).toBe(ports);
	});

	it('agrees with the registry of this machine on the names that both have', () => {
		const machine = parseServices(readFileSync('/etc/services', 'utf8'));
		for (const [name, ports] of OWN_SERVICES) {
			const known = machine.get(name)?.map(({port}) => port);
			expect(known ?? [ports[0]?.port], name).toContain(ports[0]?.port);
		}
	});

	it('has only names that an opening can be written with', () => {
		for (const [name, ports] of OWN_SERVICES) {
			const openings = parseOpening(name, OWN_SERVICES);
			expect(openings.length, name).toBe(new Set(ports.map(({port}) => port)).size);
		}
	});

	it('fills the gaps of the machine, whose entries come first', () => {
		const services = withOwnServices(parseServices('ssh 2222/tcp\nrtmp 1/ddp\nredis 1/ddp'));
		expect(services.get('ssh')).toEqual([{protocol: 'tcp', port: 2222}]);
		expect(services.get('redis')).toEqual([{protocol: 'tcp', port: 6379}]);
		expect(services.get('wireguard')).toEqual([{protocol: 'udp', port: 51_820}]);
	});
});

describe('suggestService', () => {
	it.each([
		['shh', 'ssh'],
		['HTPS', 'https'],
		['postgress', 'postgresql'],
		['wiregaurd', 'wireguard'],
		['msh', 'mosh'],
		['vrp', 'vrrp'],
	])('%s is near %s', (typed, name) => {
		expect(suggestService(typed, OWN_SERVICES)).toBe(name);
	});

	it.each(['quake', 'zzzzzzzzzzzz', '', '\u001B]0;x\u0007'])('has none for %j', (typed) => {
		expect(suggestService(typed, OWN_SERVICES)).toBeUndefined();
	});

	it('has none where no service is known', () => {
		expect(suggestService('ssh', new Map())).toBeUndefined();
	});

	it('is never a name of the file that people do not open, nor one that harms a terminal', () => {
		const machine = withOwnServices(
			parseServices('exec 512/tcp\nsink 9/tcp\nmon 2583/tcp\nssh\u001B[31m 22/tcp'),
		);
		for (const typed of ['exit', 'ping', 'mono', 'ssh\u001B[32m', 'quit', 'help']) {
			expect(suggestService(typed, machine), typed).toBeUndefined();
		}
		const {hint} = inputErrorOf(() => parseOpening('ssh\u001B[32m', machine));
		expect(hint).toBe('Write its port number, as in 8080/tcp');
	});
});
