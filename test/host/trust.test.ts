import {
	chmodSync,
	chownSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {assertPrivate, assertTrusted, findUntrusted} from '../../source/host/files/trust.ts';

const OTHERS = 'can be written by others than root';
const NOT_ROOTS = 'is not owned by root';

let folder = '';
const at = (name: string) => path.join(folder, name);
const make = (name: string, mode = 0o755) => {
	mkdirSync(at(name));
	chmodSync(at(name), mode);
};

/** etc/own/file, all of it root's alone. */
beforeEach(() => {
	// Not in /tmp itself, where the sticky bit is.
	folder = mkdtempSync(`/var/tmp/fww-test-${process.pid}-`);
	make('etc');
	make('etc/own');
	writeFileSync(at('etc/own/file'), '', {mode: 0o600});
});

afterEach(() => rmSync(folder, {recursive: true}));

const expectFault = (file: string, culprit: string, fault: string) => {
	expect(findUntrusted(at(file))).toEqual({file: at(culprit), fault});
	expect(() => assertTrusted(at(file))).toThrow(`${at(culprit)} ${fault}`);
};

test("trusts a file that is root's alone up to /, and one that is not there", () => {
	expect(findUntrusted(at('etc/own/file'))).toBeUndefined();
	expect(findUntrusted(at('etc/none/file'))).toBeUndefined();
	expect(findUntrusted('/')).toBeUndefined();
});

test.each([
	['etc/own/file', 0o606, OTHERS],
	['etc/own/file', 0o620, OTHERS],
	['etc/own', 0o757, OTHERS],
	['etc/own', 0o775, OTHERS],
	['etc', 0o777, OTHERS],
	['etc', 0o770, OTHERS],
])('does not trust it with %s of mode %o', (culprit, mode, fault) => {
	chmodSync(at(culprit), mode);
	expectFault('etc/own/file', culprit, fault);
});

test.each(['etc/own/file', 'etc/own', 'etc'])(
	'does not trust it where %s is of others',
	(culprit) => {
		chownSync(at(culprit), 65_534, 65_534);
		expectFault('etc/own/file', culprit, NOT_ROOTS);
	},
);

test('trusts what is below a sticky folder, but not the sticky folder itself', () => {
	chmodSync(at('etc'), 0o1777);
	expect(findUntrusted(at('etc/own/file'))).toBeUndefined();
	chownSync(at('etc/own'), 65_534, 65_534);
	expectFault('etc/own/file', 'etc/own', NOT_ROOTS);
	expectFault('etc', 'etc', OTHERS);
});

test.each([
	['absolute', () => at('etc')],
	['relative', () => 'etc'],
	['with dots', () => 'etc/own/../../etc'],
])('follows links: %s', (_, target) => {
	symlinkSync(target(), at('link'));
	expect(findUntrusted(at('link/own/file'))).toBeUndefined();
	chmodSync(at('etc/own'), 0o777);
	expectFault('link/own/file', 'etc/own', OTHERS);
});

test('tries the folder where a link lies, and gives up on a circle', () => {
	make('open', 0o777);
	symlinkSync(at('etc'), at('open/link'));
	expectFault('open/link/own/file', 'open', OTHERS);
	symlinkSync(at('circle'), at('circle'));
	expectFault('circle/file', 'circle/file', 'leads through too many links');
});

test('a folder of ours is private only where all above it is', () => {
	chmodSync(at('etc/own'), 0o700);
	expect(() => assertPrivate(at('etc/own'))).not.toThrow();
	chmodSync(at('etc'), 0o777);
	expect(() => assertPrivate(at('etc/own'))).toThrow(`${at('etc')} ${OTHERS}`);
	expect(() => assertPrivate(at('etc/none'))).toThrow(`${at('etc')} ${OTHERS}`);
});
