import {expect, test} from 'vitest';
import {bansIn, findUnsaved} from '../../source/existing/firewalld-unsaved.ts';
import {readSet} from '../../source/existing/import/firewalld-sets.ts';

/** As firewall-cmd of 1.3 prints a zone. */
const zone = (name: string, lines: Readonly<Record<string, string>>) =>
	[
		name,
		'  target: default',
		...Object.entries({
			'icmp-block-inversion': 'no',
			interfaces: '',
			sources: '',
			services: '',
			ports: '',
			forward: 'yes',
			masquerade: 'no',
			'forward-ports': '',
			'rich rules': '',
			...lines,
		}).map(([key, value]) => `  ${key}: ${value}`),
		'',
	].join('\n');

test('finds what was added, moved and removed, by zone and kind', () => {
	const ban = '\n\trule family="ipv4" source address="198.51.100.66" reject';
	const runtime =
		zone('public (default, active)', {
			interfaces: 'eth0',
			services: 'ssh https',
			ports: '80/tcp 8000-8010/tcp',
			masquerade: 'yes',
			forward: 'no',
			'forward-ports': '\n\tport=81:proto=tcp:toport=80:toaddr=',
			'rich rules': ban,
		}) + zone('drop (active)', {sources: '203.0.113.0/24'});
	const permanent =
		zone('public (default)', {services: 'ssh dhcpv6-client', ports: '80/tcp'}) + zone('drop', {});
	expect(findUnsaved(runtime, permanent)).toEqual([
		['--zone=public', '--change-interface=eth0'],
		['--zone=public', '--add-service=https'],
		['--zone=public', '--remove-service=dhcpv6-client'],
		['--zone=public', '--add-port=8000-8010/tcp'],
		['--zone=public', '--remove-forward'],
		['--zone=public', '--add-masquerade'],
		['--zone=public', '--add-forward-port=port=81:proto=tcp:toport=80:toaddr='],
		['--zone=public', '--add-rich-rule=rule family="ipv4" source address="198.51.100.66" reject'],
		['--zone=drop', '--change-source=203.0.113.0/24'],
	]);
	expect(findUnsaved(permanent, permanent)).toEqual([]);
	expect(findUnsaved('', permanent)).toEqual([]);
});

test('finds the bans of single addresses among it', () => {
	const from = 'family="ipv4" source address="198.51.100.66"';
	const rules = [
		`${from} port port="22" protocol="tcp" reject`,
		'family="ipv6" source address="2001:db8::9" drop',
		`${from} accept`,
		'family="ipv4" source address="10.0.0.0/8" port port="5432" protocol="tcp" drop',
		'family="ipv4" source ipset="bad" drop',
		'family="ipv4" source NOT address="10.0.0.1" drop',
		'service name="ftp" reject',
	];
	const runtime = zone('public (active)', {
		'rich rules': rules.map((rule) => `\n\trule ${rule}`).join(''),
	});
	const unsaved = findUnsaved(runtime, zone('public', {}));
	expect(bansIn(unsaved).map(({cidr}) => cidr)).toEqual(['198.51.100.66/32', '2001:db8::9/128']);
	expect(bansIn([])).toEqual([]);
});

test('reads what is in a set: what it has now, else what is saved', () => {
	const xml = (type: string, ...entries: readonly string[]) =>
		`<?xml version="1.0"?>\n<ipset type="${type}">\n${entries.map((entry) => `  <entry>${entry}</entry>\n`).join('')}</ipset>\n`;
	const read = (...words: Parameters<typeof readSet>) => readSet(...words)?.map(({cidr}) => cidr);
	expect(read(xml('hash:ip', '192.0.2.1', '192.0.2.2'), '')).toEqual([
		...['192.0.2.1/32', '192.0.2.2/32'],
	]);
	expect(read(xml('hash:net', '192.0.2.1'), '198.51.100.0/24\n203.0.113.9\n')).toEqual([
		...['198.51.100.0/24', '203.0.113.9/32'],
	]);
	const expiring = xml('hash:ip').replace('</', '<option name="timeout" value="600"/></');
	expect(read(expiring, '')).toBeUndefined();
	expect(read(xml('hash:mac', '00:11:22:33:44:55'), '')).toBeUndefined();
	expect(read(xml('hash:ip', '192.0.2.1-192.0.2.9'), '')).toBeUndefined();
});
