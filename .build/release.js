// When this version was released: the one time that is in the files of a release, so that all builds of it are equal.
import {readFileSync} from 'node:fs';
import process from 'node:process';
import {manifest} from './bundle.js';

/** Where the files of a release are made. */
export const RELEASE = 'build/release';

/**
 * Seconds of Unix time: SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/), or the
 * midnight of the day that the changelog gives this version.
 * @throws {Error} where the changelog has no day for it
 */
export function releaseTime() {
	const given = process.env.SOURCE_DATE_EPOCH;
	const [, after = ''] = readFileSync('.github/changelog.md', 'utf8').split(
		`\n## ${manifest.version} (`,
	);
	const day = /^\d{4}-\d\d-\d\d(?=\)\n)/.exec(after)?.[0];
	const seconds = given === undefined ? Date.parse(`${day}T00:00Z`) / 1000 : Number(given);
	if (!Number.isInteger(seconds)) {
		throw new Error(`.github/changelog.md needs a line "## ${manifest.version} (YYYY-MM-DD)"`);
	}

	return seconds;
}
