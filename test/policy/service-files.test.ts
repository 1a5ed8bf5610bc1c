import {describe, expect, it, test} from 'vitest';
import {printOpening} from '../../source/policy/opening.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {parseProfiles, parseServiceXml} from '../../source/policy/service-files.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';

/** From the packages ufw, nginx and mosh of Debian. */
const PROFILES = `
[WWW]
title=Web Server
ports=80/tcp

[WWW Full]
title=Web Server (HTTP,HTTPS)
description=Web Server (HTTP,HTTPS)
ports=80,443/tcp
[CIFS]
ports=137,138/udp|139,445/tcp

[DNS]
ports=53
# a comment
[mosh]
ports = 60000:61000/udp
[broken]
ports=80/tcp|x
[Too Far]
ports=70000/tcp
`;

describe('application profiles of ufw', () => {
	const services = new Map([...OWN_SERVICES, ...parseProfiles(PROFILES)]);
	const read = (text: string) => parseOpenings(text, services).map(printOpening);

	test.each<readonly [text: string, openings: readonly string[]]>([
		['WWW Full', ['80/tcp', '443/tcp']],
		['www full', ['80/tcp', '443/tcp']],
		['WWW', ['80/tcp']],
		[
			'WWW Full from 10.0.0.0/8 on eth0 limit',
			['80/tcp from 10.0.0.0/8 on eth0 limit', '443/tcp from 10.0.0.0/8 on eth0 limit'],
		],
		['ssh WWW Full 8080/tcp', ['22/tcp', '80/tcp', '443/tcp', '8080/tcp']],
		['WWW Full, CIFS', ['80/tcp', '443/tcp', '137/udp', '138/udp', '139/tcp', '445/tcp']],
		['CIFS/tcp', ['139/tcp', '445/tcp']],
		['dns', ['53']],
		['mosh', ['60000-61000/udp']],
	])('%s', (text, openings) => {
		expect(read(text)).toEqual(openings);
	});

	it('are left out where they are not understood', () => {
		expect(parseProfiles(PROFILES).has('broken')).toBe(false);
		expect(parseProfiles(PROFILES).has('too far')).toBe(false);
		expect(() => read('WWW Fully')).toThrow(/"fully" is not understood here/);
	});
});

describe('services of firewalld', () => {
	const xml = (content: string) =>
		`<?xml version="1.0" encoding="utf-8"?>\n<service version="1.0">\n<short>X</short><description>a > b</description>\n${content}\n</service>\n`;
	const files = new Map([['web', xml('<port port="80" protocol="tcp"/>')]]);
	const find = (name: string) => {
		const text = files.get(name);
		return text === undefined ? undefined : parseServiceXml(text, () => undefined);
	};

	it('are read with ranges and those that they include', () => {
		expect(
			parseServiceXml(
				xml(
					'<include service="web"/><!-- <port port="1" protocol="tcp"/> -->\n<port protocol=\'udp\' port=\'5000-5010\'/><helper name="tftp"/>',
				),
				find,
			),
		).toEqual([
			{protocol: 'tcp', port: 80},
			{protocol: 'udp', port: 5000, last: 5010},
		]);
	});

	test.each([
		'<port port="80" protocol="tcp"/><destination ipv4="224.0.0.251"/>',
		'<port port="500" protocol="udp"/><protocol value="esp"/>',
		'<port port="9" protocol="sctp"/>',
		'<port port="80" protocol="tcp"/><source-port port="1" protocol="udp"/>',
		'<port port="99999" protocol="tcp"/>',
		'<include service="nowhere"/>',
		'',
	])('are not known where they are more than ports: %s', (content) => {
		expect(parseServiceXml(xml(content), find)).toBeUndefined();
	});
});
