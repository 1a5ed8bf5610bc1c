// Bundles the program into one file without dependencies, and collects the licences of what is in it.
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {bundle} from './bundle.js';

rmSync('build', {recursive: true, force: true});
mkdirSync('build');
const {text, packages} = await bundle('script');
writeFileSync('build/cli.js', text, {mode: 0o755});

const licences = packages.map((name) => {
	const {version, license, author} = JSON.parse(
		readFileSync(`node_modules/${name}/package.json`, 'utf8'),
	);
	return `${name} ${version} (${license})\n\n${readLicence(name) ?? mit(author?.name ?? author)}`;
});
writeFileSync('build/third-party-licences.txt', `${licences.join(`\n${'-'.repeat(80)}\n`)}\n`);
/**
 * Some packages say MIT in a word, and leave the words out.
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
