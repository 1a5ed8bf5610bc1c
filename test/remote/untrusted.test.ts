import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {withoutHostFlags} from '../../source/commands/options/host.ts';
import {InputError} from '../../source/lib/errors.ts';
import {parseProbe} from '../../source/remote/probe.ts';
import {parseServer} from '../../source/remote/server.ts';

describe('a server of --host', () => {
	test.each([
		'web1',
		'ann@web1.example.com',
		'CORP\\ann@web1',
		'ann@realm@web1',
		'ssh://ann@web1:2222',
		'ssh://[2001:db8::1]:22',
		'fe80::1%eth0',
	])('may be %s', (text) => {
		expect(parseServer(text)).toBe(text);
	});

	test.each([
		'',
		'-oProxyCommand=id',
		'ann@-oProxyCommand=id',
		'ssh://-F',
		'a b',
		'a;id',
		'$(id)',
		'`id`',
		"a'b",
		'a\n',
		'a\u001B[2J',
		'a\u202Eb',
	])('is refused as %j', (text) => {
		expect(() => parseServer(text)).toThrow(InputError);
	});
});

describe('what a server says of itself', () => {
	const SAID = [
		'system Linux x86_64',
		'libc glibc 2.36',
		'uid 1000',
		'elevation sudo',
		'elevation su',
		'node v18.20.4 /usr/bin/node',
		'node v22.1.0 /opt/node/bin/node',
		'folder executable /tmp/fw-wizard.abcDEF0123',
	];

	test('is read', () => {
		expect(parseProbe('web', SAID)).toEqual({
			system: 'Linux',
			machine: 'x86_64',
			glibc: '2.36',
			root: false,
			elevation: 'sudo',
			nodes: [
				{version: '18.20.4', file: '/usr/bin/node'},
				{version: '22.1.0', file: '/opt/node/bin/node'},
			],
			folder: '/tmp/fw-wizard.abcDEF0123',
			executable: true,
		});
	});

	test('reaches no shell and no terminal by any word of it', () => {
		const hostile = fc.string({unit: fc.constantFrom(...'ab/.- $;`\'"\\\n\u001B\u009B(|&>')});
		fc.assert(
			fc.property(fc.nat(SAID.length - 1), hostile, (index, tail) => {
				const lines = SAID.map((line, at) => (at === index ? line + tail : line));
				let found: string;
				try {
					found = Object.values(parseProbe('web', lines))
						.flatMap((value) =>
							Array.isArray(value) ? value.flatMap((one) => Object.values(one)) : [value],
						)
						.join(' ');
				} catch (error) {
					found = `${error}`;
				}

				expect(found).not.toMatch(/[$;`'|&>(\p{Cc}]/u);
			}),
		);
	});
});

describe('the words for the program on the server', () => {
	test('lack what is for this machine', () => {
		const flags = {host: ['a', 'b'], node: 'x', install: true};
		const words = '--host a open --install 80 --node=x --host=b -- --host'.split(' ');
		expect(withoutHostFlags(words, flags)).toEqual(['open', '80', '--', '--host']);
	});

	test('are not guessed where a value looks like a flag', () => {
		const words = ['--host', 'a', 'open', '80', '--comment', '--host', 'b'];
		expect(() => withoutHostFlags(words, {host: ['a']})).toThrow(InputError);
	});
});
