import {closeSync, openSync, readFileSync, writeSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {describeError, explainError, HostError} from '../../source/lib/errors.ts';

function thrownBy(act: () => unknown): unknown {
	try {
		act();
	} catch (error) {
		return error;
	}

	throw new Error('nothing was thrown');
}

/** Linux has a device that is always full (full(4)). */
function writeToFullDisk(): void {
	const descriptor = openSync('/dev/full', 'w');
	try {
		writeSync(descriptor, 'text');
	} finally {
		closeSync(descriptor);
	}
}

describe('an error of a system call', () => {
	it.each([
		['a full disk', writeToFullDisk, 'disk-full', '/etc/x: no space left on device', /Make room/],
		[
			'a missing file',
			() => readFileSync('/nowhere'),
			'file',
			'/etc/x: no such file or directory',
			/Check the path/,
		],
		[
			'a folder',
			() => readFileSync('/'),
			'file',
			'/etc/x: it is a folder, not a file',
			/path of a file/,
		],
		[
			'a part of the path that is a file',
			() => readFileSync('/etc/passwd/x'),
			'file',
			'/etc/x: not a directory',
			/Check the path/,
		],
	])('is explained without its number: %s', (_, act, code, message, hint) => {
		const error = explainError(thrownBy(act), '/etc/x');
		expect(error).toBeInstanceOf(HostError);
		expect(error).toMatchObject({code, message, hint: expect.stringMatching(hint), exitCode: 3});
	});

	it('is described in one line, as is anything else that is thrown', () => {
		expect(describeError(thrownBy(() => readFileSync('/nowhere')))).toBe(
			'/nowhere: no such file or directory',
		);
		expect(describeError(new Error('two\nlines'))).toBe('two?lines');
		expect(describeError('text')).toBe('text');
	});
});
