// How the sources become one file: the same for the package and for the stand-alone binary.
import {readFileSync} from 'node:fs';
import {basename} from 'node:path';
import {build, transform} from 'esbuild';

export const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
/** The oldest Node that runs it: "20.19" of ">=20.19". */
const node = /^>=(\d+\.\d+)$/.exec(manifest.engines.node)?.[1];

/**
 * The program as one CommonJS file, which Node starts faster than a module, and which a stand-alone
 * binary takes. What is imported on demand stands in comments until then: merely to look through
 * what draws the wizard takes Node as long as all that `rules` has to do.
 * @param {'script' | 'binary'} kind a file that can read itself, or one that cannot
 * @returns the text, with the names of the packages that are in it, for the licences
 */
export async function bundle(kind) {
	const {metafile, outputFiles} = await build({
		entryPoints: ['source/cli.ts'],
		outdir: 'build',
		write: false,
		bundle: true,
		splitting: true,
		format: 'esm',
		keepNames: false,
		metafile: true,
		platform: 'node',
		jsx: 'automatic',
		legalComments: 'none',
		logLevel: 'warning',
		target: TARGET,
		plugins: [withoutDevtools, withoutAwait, withoutPrograms, withoutSegmenter],
		define: {
			// React's development build keeps every render for its profiler.
			'process.env.NODE_ENV': '"production"',
			'process.env.DEV': '"false"',
			'import.meta.filename': kind === 'script' ? '__filename' : 'undefined',
			'import.meta.url': 'undefined',
			FW_WIZARD_VERSION: JSON.stringify(manifest.version),
			FW_WIZARD_NODE: JSON.stringify(node),
		},
	});
	const outputs = await Promise.all(
		outputFiles.map(async ({path, text}) => [`./${basename(path)}`, await toCommonJs(text)]),
	);
	/** @type {Record<string, string>} */
	const {[ENTRY]: entry = '', ...parts} = Object.fromEntries(outputs);
	const needed = neededBy(entry, parts);
	const inline = needed.map(
		(name) =>
			`${JSON.stringify(name)}: (require, module, exports) => {\n${parts[name]?.trimEnd()}\n},\n`,
	);
	const later = Object.keys(parts)
		.filter((name) => !needed.includes(name))
		.sort((a, b) => (parts[a]?.length ?? 0) - (parts[b]?.length ?? 0));
	const packages = Object.keys(metafile.inputs).flatMap(
		(file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
	);
	const head = [
		'#!/usr/bin/env node',
		"'use strict';",
		`const parts = {\n${inline.join('')}};`,
	].join('\n');
	const texts = Object.fromEntries(later.map((name) => [name, parts[name] ?? '']));
	return {
		text:
			kind === 'script'
				? withComments(head, LOADER + entry, texts)
				: `${head}\nconst texts = ${JSON.stringify(texts)};\nconst textOf = (name) => texts[name];\n${LOADER}${entry}`,
		packages: [...new Set(packages)].sort(),
	};
}

/**
 * @param {string} head
 * @param {string} rest
 * @param {Readonly<Record<string, string>>} texts
 */
function withComments(head, rest, texts) {
	const comments = Object.values(texts).map((text) => `//${text.replaceAll('\n', '\n//')}\n`);
	let from = 0;
	const places = Object.fromEntries(
		Object.keys(texts).map((name, index) => {
			const length = comments[index]?.length ?? 0;
			from += length;
			return [name, [from - length, length]];
		}),
	);
	const program = (start = 0) =>
		`${head}\nconst places = ${JSON.stringify(places)};\nconst start = ${`${start}`.padStart(9)};\n${FROM_COMMENTS}${rest}`;
	const text = program(program().length) + comments.join('');
	// Nor may a line end in another way than the comments do.
	if ([...text].some((character) => character > '\u007F' || character === '\r')) {
		throw new Error('Places are in bytes, and these are not characters');
	}

	return text;
}

/**
 * The parts that a part cannot begin without.
 * @param {string} text
 * @param {Readonly<Record<string, string>>} parts
 * @returns {readonly string[]}
 */
function neededBy(text, parts) {
	// What is imported on demand is called within a promise: then(()=>x(require("./y.js"))).
	const names = [...text.matchAll(/(?<!=>\w+\()require\("(\.\/[^"]+)"\)/g)].map(
		([, name = '']) => name,
	);
	return [...new Set(names.flatMap((name) => [name, ...neededBy(parts[name] ?? '', parts)]))];
}

/** An older Node must be able to read it, to say that it is too old. */
const TARGET = 'node18';
const ENTRY = './cli.js';

/**
 * The text of a part, from its place among the comments at the end of the file. That is read once: a
 * program that is replaced or removed while it runs must still be able to go on.
 */
const FROM_COMMENTS = `let file;
const textOf = (name) => {
	file ??= nodeRequire('node:fs').readFileSync(__filename, 'latin1');
	const [from, length] = places[name];
	return file.slice(start + from, start + from + length).replaceAll('\\n//', '\\n').slice(2);
};
`;

/** Turns a part into its exports, once; all else is Node's. */
const LOADER = `const nodeRequire = require;
const loaded = {};
require = (name) => {
	if (!name.startsWith('./')) {
		return nodeRequire(name);
	}

	if (!(name in loaded)) {
		const module = (loaded[name] = {exports: {}});
		const words = ['require', 'module', 'exports', '__filename'];
		const options = {filename: 'fw-wizard/' + name.slice(2)};
		const part =
			parts[name] ?? nodeRequire('node:vm').compileFunction(textOf(name), words, options);
		part(require, module, module.exports, __filename);
	}

	return loaded[name].exports;
};
`;

/** @param {string} text a module */
async function toCommonJs(text) {
	const {code} = await transform(text, {
		format: 'cjs',
		platform: 'node',
		target: TARGET,
		minify: true,
		// Parts come by require as well.
		supported: {'dynamic-import': false},
	});
	return code;
}

/**
 * @param {string} text
 * @param {string | RegExp} part
 * @param {string} by
 * @throws {Error} where a new version of a package no longer has the part
 */
function replaced(text, part, by) {
	const result = text.replace(part, () => by);
	if (result === text) {
		throw new Error(`${part} is to be replaced, and is not there`);
	}

	return result;
}

/**
 * commander can start programs as its commands, and loads what that takes. We have none, and it is a
 * tenth of the time that `rules` takes.
 * @type {import('esbuild').Plugin}
 */
const withoutPrograms = {
	name: 'without-programs',
	setup({onLoad}) {
		onLoad({filter: /\/commander\/lib\/command\.js$/}, ({path}) => ({
			contents: replaced(readFileSync(path, 'utf8'), "require('node:child_process')", '{}'),
		}));
	},
};

/**
 * What tells how wide a text is makes a segmenter as it is loaded, and Node then loads the tables of
 * Unicode: a third of a bare start. ASCII, all of the first frame, needs none.
 * @type {import('esbuild').Plugin}
 */
const withoutSegmenter = {
	name: 'without-segmenter',
	setup({onLoad}) {
		for (const [filter, name, parameters] of /** @type {const} */ ([
			[/\/(string-width|wrap-ansi)\/index\.js$/, 'segmenter', ''],
			[
				/\/slice-ansi\/tokenize-ansi\.js$/,
				'GRAPHEME_SEGMENTER',
				"undefined, {granularity: 'grapheme'}",
			],
		])) {
			onLoad({filter}, ({path}) => ({
				contents: replaced(
					readFileSync(path, 'utf8'),
					`const ${name} = new Intl.Segmenter(${parameters});`,
					`let made;
					const ${name} = {segment: (text) => (made ??= new Intl.Segmenter(${parameters})).segment(text)};`,
				),
			}));
		}
	},
};

/** @type {import('esbuild').Plugin} */
const withoutDevtools = {
	name: 'without-devtools',
	setup({onLoad}) {
		onLoad({filter: /\/ink\/build\/devtools\.js$/}, () => ({contents: ''}));
		// Never reached, but an await at the top of a module forbids CommonJS, which the binary takes.
		onLoad({filter: /\/ink\/build\/reconciler\.js$/}, ({path}) => ({
			contents: replaced(
				replaced(readFileSync(path, 'utf8'), "await import('./devtools.js')", ''),
				'await loadPackageJson()',
				'{}',
			),
		}));
	},
};

/**
 * Yoga, the layout engine, is WebAssembly in base64 that compiles in the background; its module waits
 * for it. Compiled at once it takes no longer, and needs no await.
 * @type {import('esbuild').Plugin}
 */
const withoutAwait = {
	name: 'without-await',
	setup({onLoad, onResolve}) {
		const marked = /"data:application\/octet-stream;base64,([^"]+)"/;
		onResolve({filter: /^yoga\.wasm$/}, ({resolveDir}) => ({
			path: `${resolveDir}/../binaries/yoga-wasm-base64-esm.js`,
			namespace: 'yoga-wasm',
		}));
		onLoad({filter: /./, namespace: 'yoga-wasm'}, ({path}) => ({
			contents: Buffer.from(marked.exec(readFileSync(path, 'utf8'))?.[1] ?? '', 'base64'),
			loader: 'binary',
		}));
		onLoad({filter: /\/yoga-wasm-base64-esm\.js$/}, ({path}) => ({
			contents: replaced(readFileSync(path, 'utf8'), marked, '""'),
		}));
		onLoad({filter: /\/yoga-layout\/dist\/src\/index\.js$/}, ({path}) => ({
			contents: replaced(
				readFileSync(path, 'utf8'),
				'const Yoga = wrapAssembly(await loadYoga());',
				`import binary from 'yoga.wasm';
					const assembly = {
						instantiateWasm(imports, done) {
							const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), imports);
							done(instance);
							return instance.exports;
						},
					};
					void loadYoga(assembly);
					const Yoga = wrapAssembly(assembly);`,
			),
		}));
	},
};
