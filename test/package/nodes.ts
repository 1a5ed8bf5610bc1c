import {existsSync, mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {CACHE} from '../_helpers/lab/debian-root.ts';
import {succeed} from '../_helpers/lab/programs.ts';

/** The versions of Node that the bundle must run on, and one that it must refuse in words. */
export const GOOD = [20, 22, 24, 26] as const;
export const OLD = 18;

const ALL = [OLD, ...GOOD];
const FOLDER = path.join(CACHE, `nodes-${ALL.join('-')}`);

/** The program of a version: the one that runs the tests, or the newest of its kind from the npm registry. */
export function nodeOf(major: number): string {
	return major === Number.parseInt(process.versions.node, 10)
		? process.execPath
		: path.join(FOLDER, 'node_modules', `node${major}`, 'bin', 'node');
}

/** Fetches those that are not there yet: half a minute, the first time only. */
export async function fetchNodes(): Promise<void> {
	if (existsSync(FOLDER)) {
		return;
	}

	// Whole or not at all: beside it, then renamed.
	const partial = `${FOLDER}.${process.pid}`;
	mkdirSync(partial, {recursive: true});
	writeFileSync(path.join(partial, 'package.json'), '{"private": true}');
	const names = ALL.filter((major) => nodeOf(major) !== process.execPath).map(
		(major) => `node${major}@npm:node-linux-${process.arch}@${major}`,
	);
	try {
		await succeed(
			['npm', 'install', '--prefix', partial, '--ignore-scripts', '--no-audit', ...names],
			{timeout: 300_000},
			// Proxies and certificates of this machine as well: others may stand before the registry.
			{...process.env, PATH: `${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`},
		);
		renameSync(partial, FOLDER);
	} finally {
		rmSync(partial, {recursive: true, force: true});
	}
}
