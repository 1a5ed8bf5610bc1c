import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {type FirewalldFiles, translateFirewalld} from '../../source/existing/import/firewalld.ts';
import {parseNetwork, printNetwork} from '../../source/lib/network.ts';
import {printOpening} from '../../source/policy/opening.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {parseServiceXml} from '../../source/policy/service-files.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';

const zone = (content: string, target = '') =>
	`<?xml version="1.0" encoding="utf-8"?>\n<zone${target && ` target="${target}"`}>\n<short>A zone</short>\n${content}\n</zone>\n`;
const rich = (content: string, family = '', priority = '') =>
	`<rule${family && ` family="${family}"`}${priority && ` priority="${priority}"`}>${content}</rule>`;
const port = (number: string, protocol = 'tcp') =>
	`<port port="${number}" protocol="${protocol}"/>`;
const service = (name: string) => `<service name="${name}"/>`;
const policy = (target: string, from: string, to: string, content = '') =>
	`<policy target="${target}"><ingress-zone name="${from}" /><egress-zone name="${to}" />${content}</policy>`;
const source = (address: string) => `<source address="${address}"/>`;

type Form = {
	readonly what: string;
	readonly zones?: Readonly<Record<string, string>>;
	readonly rest?: Partial<FirewalldFiles>;
	readonly openings: readonly string[];
	readonly blocked?: readonly string[];
	/** What is named, and why, each in a few of its words. */
	readonly named?: readonly RegExp[];
};

const FORMS: readonly Form[] = [
	{what: 'as it comes', openings: ['22/tcp']},
	{
		what: 'ports, ranges, services and those that they include',
		zones: {
			public: zone(
				`${port('8000-8010')}${port('53', 'udp')}${service('freeipa-4')}${service('ssh')}`,
			),
		},
		openings: [
			...['8000-8010/tcp', '53/udp', '80/tcp', '443/tcp', '88', '464', '389/tcp', '636/tcp'],
			'22/tcp',
		],
	},
	{
		what: 'what openings do not know',
		zones: {
			public: zone(
				`${service('mdns')}${service('ftp')}${service('gre')}${service('nowhere')}${port('9', 'sctp')}<source-port port="53" protocol="udp"/><masquerade/><forward-port port="81" protocol="tcp" to-port="80"/><icmp-block name="echo-request"/><protocol value="esp"/>`,
			),
		},
		openings: ['21/tcp'],
		named: [
			/service name=mdns: .*no destination address/,
			/service name=ftp: .*helper/,
			/service name=gre: .*not gre$/,
			/service name=gre: .*helper/,
			/service name=nowhere: .*not found/,
			/port=9 protocol=sctp: .*not sctp$/,
			/source-port port=53 .*: .*no source port/,
			/masquerade: .*forwarded/,
			/forward-port .*: .*forwarded/,
			/icmp-block .*: ICMP is allowed/,
			/protocol value=esp: .*not esp$/,
		],
	},
	{
		what: 'rich rules: those that turn away come first, by priority',
		zones: {
			public: zone(
				rich(`${source('10.0.0.0/8')}${port('5432')}<accept/>`, 'ipv4') +
					rich(`${port('23')}<accept/>`) +
					rich(`${port('23')}<drop/>`) +
					rich(`${port('25')}<reject/>`, '', '10') +
					rich(`${port('26')}<reject/>`, '', '-10') +
					rich(`${source('2001:db8::/32')}${service('http')}<log/><accept/>`, 'ipv6') +
					port('23-30'),
			),
		},
		openings: [
			...['5432/tcp from 10.0.0.0/8', '80/tcp from 2001:db8::/32', '24-25/tcp', '27-30/tcp'],
		],
	},
	{
		what: 'rich rules that openings cannot say',
		zones: {
			public: zone(
				rich(`${service('ssh')}<accept><limit value="3/m"/></accept>`) +
					rich(`<source address="10.0.0.0/8" invert="True"/>${port('80')}<accept/>`, 'ipv4') +
					rich(`<destination address="192.0.2.1"/>${port('81')}<accept/>`, 'ipv4') +
					rich(`<source mac="00:11:22:33:44:55"/>${port('82')}<accept/>`) +
					port('83'),
			),
		},
		openings: ['83/tcp'],
		named: [
			/ssh.*: it has a limit of its own/,
			/port=80.*: .*no such source/,
			/port=81.*: .*no destination address/,
			/port=82.*: .*no such source/,
		],
	},
	{
		what: 'a denial that is not understood shuts all that it may be about',
		zones: {
			public: zone(
				`${rich('<source ipset="bad"/><drop/>', 'ipv4')}${port('80')}${rich(`${service('ftp')}<drop/>`)}`,
			),
		},
		openings: ['80/tcp from ::/0'],
		named: [/zone public: port port=80 .*ipset=bad.* stands before it/],
	},
	{
		what: 'sets whose entries are known, in a zone and in a rule: bans stay bans',
		zones: {
			drop: zone('<source ipset="bad"/>', 'DROP'),
			public: zone(
				`${rich('<source ipset="worse"/><reject/>')}${rich(`<source ipset="office"/>${port('5432')}<accept/>`)}${port('80')}`,
			),
		},
		rest: {
			sets: {
				bad: [parseNetwork('203.0.113.9'), parseNetwork('2001:db8:9::/48')],
				worse: [parseNetwork('192.0.2.0/24')],
				office: [parseNetwork('10.0.0.0/8')],
			},
		},
		openings: ['5432/tcp from 10.0.0.0/8', '80/tcp'],
		blocked: ['203.0.113.9', '2001:db8:9::/48', '192.0.2.0/24'],
	},
	{
		what: 'zones by source come before those by interface, which come before the default',
		zones: {
			internal: zone(`${source('10.0.0.0/8')}${port('22')}${port('5432')}`),
			dmz: zone(`<interface name="eth1"/>${port('443')}${port('22')}`),
			drop: zone(source('192.0.2.0/24'), 'DROP'),
			public: zone(`${port('22')}<interface name="eth0"/>`),
		},
		openings: [
			...['5432/tcp from 10.0.0.0/8', '22/tcp from 10.0.0.0/8', '22/tcp on eth0', '22/tcp on eth1'],
			// Zone internal does not allow it, and has 10.0.0.0/8.
			'443/tcp from 128.0.0.0/1, 64.0.0.0/2, 32.0.0.0/3, 16.0.0.0/4, 0.0.0.0/5, 12.0.0.0/6, 8.0.0.0/7, 11.0.0.0/8, ::/0 on eth1',
		],
		blocked: ['192.0.2.0/24'],
		named: [/zone public: other interfaces: .*but eth1/],
	},
	{
		what: 'a zone of an interface that NetworkManager has chosen',
		rest: {bindings: {eth1: 'trusted', eth0: 'public'}, interfaces: ['eth0', 'eth1']},
		openings: ['1-65535 on eth1', '22/tcp on eth0'],
		named: [/zone trusted: target ACCEPT: .*other protocols/, /other interfaces: .*but eth1/],
	},
	{
		what: 'an interface in a zone that is shut',
		rest: {bindings: {eth1: 'drop'}, interfaces: ['eth0', 'eth1']},
		openings: ['22/tcp on eth0'],
		named: [/other interfaces/],
	},
	{
		what: 'another default zone',
		rest: {conf: 'DefaultZone=public\n DefaultZone = drop \nLogDenied=all\n'},
		openings: [],
	},
	{what: 'a default zone that is not there', rest: {conf: 'DefaultZone=mine'}, openings: []},
	{
		what: 'files that are not understood, policies and direct rules',
		rest: {
			others: {
				'direct.xml':
					'<direct><rule ipv="ipv4" table="filter" chain="INPUT" priority="0">-s 10.0.0.1 -j DROP</rule></direct>',
				forward:
					'<policy target="DROP"><ingress-zone name="ANY"/><egress-zone name="public"/></policy>',
			},
		},
		openings: [],
		named: [
			/forward: nothing of it/,
			/direct\.xml: it is not judged/,
			/service name=ssh: "direct\.xml" stands before it/,
		],
	},
	{
		what: 'policies of zones that have no packets, as the package of libvirt brings them',
		zones: {
			'libvirt-routed': zone(''),
			libvirt: zone(
				`<rule priority="32767"><reject/></rule><protocol value="icmp"/><protocol value="ipv6-icmp"/>${service('dhcp')}${service('dns')}${service('tftp')}`,
				'ACCEPT',
			),
		},
		rest: {
			others: {
				'libvirt-to-host': policy('REJECT', 'libvirt-routed', 'HOST', service('dns')),
				'libvirt-routed-in': policy('ACCEPT', 'ANY', 'libvirt-routed'),
				'libvirt-routed-out': policy('ACCEPT', 'libvirt-routed', 'ANY'),
			},
		},
		openings: ['22/tcp'],
	},
	{
		what: 'a policy for what comes from the interface of a zone, and nothing else',
		zones: {'libvirt-routed': zone(port('80'))},
		rest: {
			others: {'libvirt-to-host': policy('REJECT', 'libvirt-routed', 'HOST', service('dns'))},
			...{bindings: {virbr1: 'libvirt-routed'}, interfaces: ['eth0', 'virbr1']},
		},
		openings: ['22/tcp on eth0'],
		named: [
			/libvirt-to-host: it is not judged/,
			/zone libvirt-routed: port port=80 .*"libvirt-to-host" stands before it/,
			/other interfaces/,
		],
	},
	{
		what: 'a zone that is not XML',
		zones: {home: '<zone><service name="ssh"'},
		openings: [],
		named: [/zone home: its file is not understood/, /service name=ssh: "zone home" stands/],
	},
];

describe('what firewalld lets in', () => {
	let shipped: FirewalldFiles;

	beforeAll(async () => {
		const folder = path.join(await unpackPackages('firewalld'), 'usr/lib/firewalld');
		const read = (name: string) =>
			Object.fromEntries(
				readdirSync(path.join(folder, name)).map((file) => [
					path.basename(file, '.xml'),
					readFileSync(path.join(folder, name, file), 'utf8'),
				]),
			);
		shipped = {
			conf: readFileSync(path.join(folder, '../../../etc/firewalld/firewalld.conf'), 'utf8'),
			zones: read('zones'),
			services: read('services'),
			others: {},
			bindings: {},
			interfaces: ['eth0'],
		};
	}, 120_000);

	test.each(FORMS)('$what', ({zones, rest, openings, blocked = [], named = []}) => {
		const translation = translateFirewalld({
			...shipped,
			...rest,
			zones: {...shipped.zones, ...zones},
		});
		expect(translation.openings.map(printOpening).sort()).toEqual([...openings].sort());
		expect(translation.blocked?.map(printNetwork).sort()).toEqual([...blocked].sort());
		const said = translation.untranslatable.map(({text, why}) => `${text}: ${why}`);
		expect(said.filter((line) => !named.some((words) => words.test(line)))).toEqual([]);
		expect(named.filter((words) => !said.some((line) => words.test(line)))).toEqual([]);
	});

	test('every service that comes with it is read, and names what of it is lost', () => {
		const names = Object.keys(shipped.services);
		expect(names.length).toBeGreaterThan(200);
		const silent = names.filter((name) => {
			const {openings, untranslatable} = translateFirewalld({
				...shipped,
				zones: {public: zone(service(name))},
			});
			return openings.length === 0 && untranslatable.length === 0;
		});
		// It is always let in.
		expect(silent).toEqual(['dhcpv6-client']);
	});

	test('every service that a name opens is opened as by its import', () => {
		const find = (name: string): ReturnType<typeof parseServiceXml> =>
			parseServiceXml(shipped.services[name] ?? '', find);
		const known = Object.keys(shipped.services).filter((name) => find(name) !== undefined);
		expect(known.length).toBeGreaterThan(180);
		for (const name of known) {
			const {openings} = translateFirewalld({...shipped, zones: {public: zone(service(name))}});
			const named = parseOpenings('it', new Map([['it', find(name) ?? []]]));
			expect(named.map(printOpening).sort(), name).toEqual(openings.map(printOpening).sort());
		}
	});
});
