// Bundles the program into one file without dependencies, and collects the licences of what is in it.
import {chmodSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {bundle} from './bundle.js';

rmSync('build', {recursive: true, force: true});

const packages = await bundle({
	outfile: 'build/cli.js',
	format: 'esm',
	banner: {
		js: [
			'#!/usr/bin/env node',
			"import {createRequire as fwwCreateRequire} from 'node:module';",
			'const require = fwwCreateRequire(import.meta.url);',
			'const __filename = import.meta.filename;',
		].join('\n'),
	},
});

chmodSync('build/cli.js', 0o755);

const licences = [...packages].sort().map((name) => {
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
