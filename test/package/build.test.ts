import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {succeed} from '../_helpers/lab/programs.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
/** Shows the project $1 at the path $2 too, and prints the SHA-256 of the bundle that is made there. */
const BUNDLE_ELSEWHERE = `
mount -t tmpfs fww-test /mnt
mkdir -p "$2"
mount --bind "$1" "$2"
cd "$2"
exec "$3" --input-type=module --eval "
import {createHash} from 'node:crypto';
import {bundle} from './.build/bundle.js';
const {text} = await bundle();
console.log(process.cwd(), createHash('sha256').update(text).digest('hex'));
"
`;

describe('the bundle', () => {
	const text = readFileSync(CLI, 'utf8');

	test.each(['/mnt/a', '/mnt/another/folder'])(
		'is the same when it is made in %s',
		async (folder) => {
			const alone = ['unshare', '--mount', '--propagation', 'private', '--'];
			const words = ['sh', '-ec', BUNDLE_ELSEWHERE, 'sh', PROJECT, folder, process.execPath];
			const sum = createHash('sha256').update(text).digest('hex');
			expect(await succeed([...alone, ...words])).toBe(`${folder} ${sum}\n`);
		},
	);

	test('does not tell where it was made', () => {
		expect(text).not.toContain(PROJECT);
	});

	test('has our own code as one can read it, and that of packages minified', () => {
		const readable = [
			'//////// lib/shell-quote',
			"'use strict';",
			'function quote(text) {',
			`	return \`'\${text.replaceAll("'", "'\\\\''")}'\`;`,
			'}',
		];
		expect(text).toContain(readable.map((line) => `${line}\n`).join(''));
		// A line of React's reconciler, minified, is as long as a page.
		const [code = ''] = text.split('// node_modules/react-reconciler/cjs/').slice(-1);
		expect(code.split('\n')[1]?.length).toBeGreaterThan(1000);
	});
});
