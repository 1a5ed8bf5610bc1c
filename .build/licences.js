// The licences of the packages whose code a build contains.
import {readFileSync} from 'node:fs';

/**
 * @param {readonly import('./bundle.js').Package[]} packages
 * @returns one text with the licence of each
 */
export function licencesOf(packages) {
	const licences = packages.map(
		({name, version, license, author, folder}) =>
			`${name} ${version} (${license})\n\n${readLicence(folder) ?? mit(author)}`,
	);
	return `${licences.join(SEPARATOR)}\n`;
}

export const SEPARATOR = `\n${'-'.repeat(80)}\n`;

/**
 * The text of the MIT licence. Some packages name it in package.json, and bring no text of it.
 * @param {string} holder
 */
function mit(holder) {
	return readFileSync('license', 'utf8')
		.trim()
		.replace(/^Copyright.*$/m, `Copyright (c) ${holder}`);
}

/**
 * @param {string} folder
 * @returns {string | undefined}
 */
function readLicence(folder) {
	for (const file of [
		'license',
		'LICENSE',
		'license.md',
		'LICENSE.md',
		'LICENSE.txt',
		'LICENSE-MIT',
	]) {
		try {
			return readFileSync(`${folder}/${file}`, 'utf8').trim();
		} catch {}
	}

	return undefined;
}
