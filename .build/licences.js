// The licences of the packages whose code a build contains.
import {readFileSync} from 'node:fs';

/**
 * @param {readonly string[]} packages their names, as in node_modules
 * @returns one text with the licence of each
 */
export function licencesOf(packages) {
	const licences = packages.map((name) => {
		const {version, license, author} = JSON.parse(
			readFileSync(`node_modules/${name}/package.json`, 'utf8'),
		);
		return `${name} ${version} (${license})\n\n${readLicence(name) ?? mit(author?.name ?? author)}`;
	});
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
 * @param {string} name
 * @returns {string | undefined}
 */
function readLicence(name) {
	for (const file of [
		'license',
		'LICENSE',
		'license.md',
		'LICENSE.md',
		'LICENSE.txt',
		'LICENSE-MIT',
	]) {
		try {
			return readFileSync(`node_modules/${name}/${file}`, 'utf8').trim();
		} catch {}
	}

	return undefined;
}
