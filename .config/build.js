// Bundles the program into one file without dependencies, and collects the licences of what is in it.
import {chmodSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {build} from 'esbuild';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

rmSync('build', {recursive: true, force: true});

const result = await build({
	entryPoints: ['source/cli.tsx'],
	outfile: 'build/cli.js',
	bundle: true,
	minify: true,
	keepNames: false,
	metafile: true,
	platform: 'node',
	target: 'node20',
	format: 'esm',
	jsx: 'automatic',
	legalComments: 'none',
	logLevel: 'warning',
	define: {
		// React's development build keeps every render for its profiler.
		'process.env.NODE_ENV': '"production"',
		'process.env.DEV': '"false"',
		FW_WIZARD_VERSION: JSON.stringify(manifest.version),
	},
	banner: {
		js: [
			'#!/usr/bin/env node',
			"import {createRequire as fwwCreateRequire} from 'node:module';",
			'const require = fwwCreateRequire(import.meta.url);',
			'const __filename = import.meta.filename;',
		].join('\n'),
	},
	plugins: [
		{
			name: 'no-devtools',
			setup({onLoad}) {
				onLoad({filter: /\/ink\/build\/devtools\.js$/}, () => ({contents: ''}));
			},
		},
	],
});

chmodSync('build/cli.js', 0o755);

const packages = new Set(
	Object.keys(result.metafile.inputs).flatMap(
		(file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
	),
);
const licences = [...packages].sort().map((name) => {
	const {version, license} = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
	return `${name} ${version} (${license})\n\n${readLicence(name) ?? 'No licence file in the package.'}`;
});
writeFileSync('build/third-party-licences.txt', `${licences.join(`\n${'-'.repeat(80)}\n`)}\n`);

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
