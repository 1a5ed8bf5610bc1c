import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, renameSync, rmSync} from 'node:fs';
import path from 'node:path';
import {succeed} from './programs.ts';

const CACHE = '/var/cache/fww-test/packages';

/**
 * Unpacks Debian packages into a folder of the cache, without installing them. Needs apt's mirror
 * the first time only.
 * @returns the folder, never to be written to
 */
export async function unpackPackages(...names: readonly string[]): Promise<string> {
	const folder = path.join(CACHE, folderName(names));
	mkdirSync(CACHE, {recursive: true});
	if (existsSync(folder)) {
		return folder;
	}

	// Whole or not at all: beside it, then renamed.
	const partial = mkdtempSync(`${folder}.`);
	const steps =
		'cd "$1"; shift; apt-get -q download "$@"; for deb in *.deb; do dpkg -x "$deb" .; done; rm ./*.deb';
	try {
		await succeed(['sh', '-ec', steps, 'sh', partial, ...names], {timeout: 120_000});
		renameSync(partial, folder);
	} catch (error) {
		rmSync(partial, {recursive: true, force: true});
		// Another test file may have been faster.
		if (!existsSync(folder)) {
			throw error;
		}
	}

	return folder;
}

/** A file's name has at most 255 bytes. */
function folderName(names: readonly string[]): string {
	const name = names.join('+');
	const hash = () => createHash('sha256').update(name).digest('hex').slice(0, 12);
	return name.length <= 200 ? name : `${names[0]}-and-others-${hash()}`;
}
