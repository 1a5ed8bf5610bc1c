import {
	chmodSync,
	chownSync,
	existsSync,
	lstatSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {applyFilePlan, readPlannedFiles} from '../../source/change/boot-files.ts';

const KEPT = {text: 'ours\n', mode: 0o640};

let folder = '';
let file = '';

beforeEach(() => {
	folder = mkdtempSync(path.join(os.tmpdir(), `fww-test-${process.pid}-`));
	file = path.join(folder, 'new/file');
});

afterEach(() => rmSync(folder, {recursive: true}));

async function keep(content: typeof KEPT | null): Promise<void> {
	await applyFilePlan({before: [], files: {[file]: content}, after: []});
}

test('writes a file with its mode, also a second time, and takes it away', async () => {
	for (const _ of ['made', 'there already']) {
		await keep(KEPT);
		expect(readFileSync(file, 'utf8')).toBe(KEPT.text);
		expect(statSync(file).mode & 0o7777).toBe(KEPT.mode);
		chmodSync(file, 0o777);
	}

	await keep(null);
	await keep(null);
	expect(existsSync(file)).toBe(false);
});

test('writes no file that a link leads to, as a masked unit leads to /dev/null', async () => {
	const elsewhere = path.join(folder, 'elsewhere');
	writeFileSync(elsewhere, 'not ours\n', {mode: 0o600});
	await keep(KEPT);
	rmSync(file);
	symlinkSync(elsewhere, file);
	await keep(KEPT);
	expect(lstatSync(file).isFile()).toBe(true);
	expect(readFileSync(file, 'utf8')).toBe(KEPT.text);
	expect(readFileSync(elsewhere, 'utf8')).toBe('not ours\n');
	expect(statSync(elsewhere).mode & 0o7777).toBe(0o600);
});

test("makes the file root's own again", async () => {
	await keep(KEPT);
	chownSync(file, 65_534, 65_534);
	await keep(KEPT);
	expect([statSync(file).uid, statSync(file).gid]).toEqual([0, 0]);
});

test('leaves a file alone that is as it should be, and no other', async () => {
	await keep(KEPT);
	const written = statSync(file).ino;
	await keep(KEPT);
	expect(statSync(file).ino).toBe(written);
	writeFileSync(file, 'not ours\n');
	await keep(KEPT);
	expect(readFileSync(file, 'utf8')).toBe(KEPT.text);
});

test('remembers text and mode of a file, and that there was none', async () => {
	expect(readPlannedFiles([file])).toEqual({[file]: null});
	await keep(KEPT);
	expect(readPlannedFiles([file])).toEqual({[file]: KEPT});
	rmSync(file);
	symlinkSync('/dev/null', file);
	expect(readPlannedFiles([file])).toEqual({[file]: null});
});
