import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {expect, test} from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TEXTS = ['.github/contributing.md', '.github/pull_request_template.md', 'readme.md'];

/** Paths in a text, less those with a word in capitals that stands for a name. */
function pathsIn(text: string): readonly string[] {
	const paths = text.matchAll(
		/(?<![\w/.-])\.?(?:source|test|config|github|ci|build)\/[\w./-]*\w\/?/g,
	);
	return [...paths].map(([found]) => found).filter((found) => !/[A-Z]{3}/.test(found));
}

test.each(TEXTS)('every file and script that %s names exists', (name) => {
	const text = readFileSync(path.join(ROOT, name), 'utf8');
	const {scripts} = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
	// What the build makes need not be there.
	const wanted = pathsIn(text).filter((found) => !found.startsWith('build/'));
	expect(wanted.filter((found) => !existsSync(path.join(ROOT, found)))).toEqual([]);
	const named = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, script = '']) => script);
	expect(named.length).toBeGreaterThan(0);
	expect(named.filter((script) => !(script in scripts))).toEqual([]);
});
