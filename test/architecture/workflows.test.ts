import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {describe, expect, test} from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, '.github/workflows');

describe.each(readdirSync(FOLDER))('the workflow %s', (name) => {
	const text = readFileSync(path.join(FOLDER, name), 'utf8');

	test('runs only actions of a commit that nobody can change', () => {
		const used = [...text.matchAll(/^.*\buses: *(.*)$/gm)].map(([, action = '']) => action);
		expect(used.length).toBeGreaterThan(0);
		const pinned = /^(?:\.\/\.github\/\S+|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/;
		expect(used.filter((action) => !pinned.test(action))).toEqual([]);
	});

	test('may read at most, but for the jobs that publish', () => {
		expect(text).toMatch(/^permissions:(?: \{\}|\n {2}contents: read)$/m);
		const jobs = text.split(/^ {2}(?=[\w-]+:\n {4}(?:needs|runs-on|uses):)/m).slice(1);
		const writing = jobs.filter((job) => /^ {6}[\w-]+: write$/m.test(job));
		expect(writing.map((job) => job.split(':')[0])).toEqual(
			name === 'release.yml' ? ['npm', 'github'] : [],
		);
		// What they publish was built by a job without such rights.
		expect(writing.filter((job) => /npm (?:ci|run|pack|install)/.test(job))).toEqual([]);
	});
});

test('a release has the version that the lock file and the changelog have', () => {
	const read = (name: string) => readFileSync(path.join(ROOT, name), 'utf8');
	const {version} = JSON.parse(read('package.json'));
	expect(JSON.parse(read('package-lock.json')).packages[''].version).toBe(version);
	const [, latest] = /^## (.*)$/m.exec(read('.github/changelog.md')) ?? [];
	expect(latest).toMatch(/^\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)$/);
	expect(latest?.startsWith(`${version} (`)).toBe(true);
});
