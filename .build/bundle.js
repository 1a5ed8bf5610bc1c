// How the sources become one file: the same file for the package and for the stand-alone binary.
import {readFileSync} from 'node:fs';
import {basename} from 'node:path';
import {Script} from 'node:vm';
import {build, transform} from 'esbuild';

export const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
/** The oldest Node that runs the program: "20.19" of ">=20.19". */
const node = /^>=(\d+\.\d+)$/.exec(manifest.engines.node)?.[1];
/** An older Node must be able to read the file, to say that it is too old. */
const TARGET = 'node18';
const ENTRY = '"source/cli.ts"';

/**
 * A package whose code is in the bundle, where it lies, and what its package.json says.
 * @typedef {{readonly folder: string, readonly name: string, readonly version: string, readonly license: string, readonly author: string}} Package
 */

/**
 * The program as one CommonJS file, which Node starts faster than a module, and which alone can become
 * a stand-alone binary. Our own code is readable in it, the code of packages is minified.
 *
 * The file consists of parts. All but the entry stand in comments, and are compiled when something
 * requires them, since V8 looks through all code of a file before it runs any. As plain code in one
 * file, `rules` takes 2.8 times as long as a bare node (`node -e 0`); in parts, 2.1 times.
 * @returns {Promise<{text: string, packages: readonly Package[]}>} the file, and the packages whose code
 * esbuild has put into it, by name
 */
export async function bundle() {
	const {metafile, outputFiles} = await build({
		entryPoints: ['source/cli.ts'],
		outdir: 'build',
		write: false,
		bundle: true,
		splitting: true,
		format: 'esm',
		metafile: true,
		platform: 'node',
		jsx: 'automatic',
		legalComments: 'none',
		logLevel: 'warning',
		target: TARGET,
		plugins: [withoutDevtools, withoutAwait, withLateEmoji],
		define: {
			// React's development build keeps every render for its profiler.
			'process.env.NODE_ENV': '"production"',
			'process.env.DEV': '"false"',
			'Intl.Segmenter': 'LazySegmenter',
			'import.meta.filename': '__filename',
			'import.meta.url': 'undefined',
			'import.meta.resolve': 'undefined',
			FW_WIZARD_VERSION: JSON.stringify(manifest.version),
			FW_WIZARD_NODE: JSON.stringify(node),
		},
	});
	const names = new Map(
		Object.entries(metafile.outputs).map(([file, output]) => [
			`"./${basename(file)}"`,
			nameOf(output),
		]),
	);
	const parts = await Promise.all(
		outputFiles.map(async ({path, text}) => ({
			name: names.get(`"./${basename(path)}"`) ?? 'unknown',
			text: await minifyPackages(
				toCommonJs(text).replaceAll(/"\.\/[\w-]+\.js"/g, (word) => names.get(word) ?? word),
			),
		})),
	);
	assertConstant(Object.keys(metafile.inputs).filter((file) => file.startsWith('source/')));
	return {text: joinParts(parts), packages: packagesIn(metafile)};
}

/**
 * @param {import('esbuild').Metafile} metafile
 * @returns {readonly Package[]}
 */
function packagesIn({outputs}) {
	const files = Object.values(outputs).flatMap(({inputs}) =>
		Object.entries(inputs).flatMap(([file, {bytesInOutput}]) => (bytesInOutput > 0 ? file : [])),
	);
	const folders = files.flatMap(
		(file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? [],
	);
	return [...new Set(folders)].sort().map((folder) => {
		const {name, version, license, author} = JSON.parse(
			readFileSync(`${folder}/package.json`, 'utf8'),
		);
		return {folder, name, version, license, author: author?.name ?? author};
	});
}

/**
 * esbuild names a part by a hash, which changes with every part that it requires. A file says more,
 * and stands in one part only: the one that is imported on demand, or else the largest.
 * @param {import('esbuild').Metafile['outputs'][string]} output
 */
function nameOf({inputs, entryPoint}) {
	if (entryPoint !== undefined) {
		return JSON.stringify(entryPoint in inputs ? entryPoint : `exports of ${entryPoint}`);
	}

	const files = Object.entries(inputs).sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput);
	return JSON.stringify(files[0]?.[0] ?? 'helpers of esbuild');
}

/**
 * The entry after the other parts, each of which stands in the comments of a function: the function
 * gives its own text away, and so the part.
 * @param {ReadonlyArray<{name: string, text: string}>} parts
 */
function joinParts(parts) {
	const entry = parts.find(({name}) => name === ENTRY);
	const functions = parts
		.filter((part) => part !== entry)
		.sort((a, b) => (a.name < b.name ? -1 : 1))
		.map(
			({name, text}) =>
				`${name}() {\n${`'use strict';\n${text}`.trimEnd().replaceAll(/^/gm, '//')}\n},\n`,
		);
	const file = [
		'#!/usr/bin/env node\n',
		"'use strict';\n",
		'// The code of fw-wizard in parts, each under the name of one of its files: a part stands in comments\n',
		'// until something requires it. What requires a part, and runs the first one, is at the end.\n',
		`const parts = {\n${functions.join('')}};\n`,
		LOADER,
		entry?.text,
	].join('');
	// Some other characters end a line, and with it a comment.
	if (/\r|\P{ASCII}/u.test(file)) {
		throw new Error('The bundle has other characters than those of ASCII');
	}

	return file;
}

/**
 * `require` turns a part into its exports, once; all other modules are Node's. LazySegmenter stands in
 * for Intl.Segmenter: the packages that tell how wide a text is make some of those when they are loaded,
 * and for the first one Node loads tables of Unicode, which takes a third of the time that a bare Node
 * takes to start. All of the first frame is ASCII, and needs none.
 */
const LOADER = `function LazySegmenter(...options) {
	let segmenter;
	this.segment = (text) => (segmenter ??= new Intl.Segmenter(...options)).segment(text);
}

const nodeRequire = require;
const loaded = {};
require = (name) => {
	if (!Object.hasOwn(parts, name)) {
		return nodeRequire(name);
	}

	if (!Object.hasOwn(loaded, name)) {
		const module = (loaded[name] = {exports: {}});
		const whole = parts[name].toString();
		const text = whole.slice(whole.indexOf('\\n'), whole.lastIndexOf('\\n')).replaceAll('\\n//', '\\n');
		const words = ['require', 'module', 'exports', '__filename', 'LazySegmenter'];
		const options = {filename: 'fw-wizard/' + name};
		const part = nodeRequire('node:vm').compileFunction(text, words, options);
		part(require, module, module.exports, __filename, LazySegmenter);
	}

	return loaded[name].exports;
};
`;

/**
 * A module as esbuild prints it, as CommonJS. esbuild's own conversion writes for each `quote(text)`
 * of another part `(0, import_chunk_UDISLLFC.quote)(text)`, which is hard to read, and takes `rules`
 * a tenth more time. Here a part takes the exports of another one once. That is the same as long as no
 * export changes later, which `assertConstant` checks, and no two parts require each other, which
 * esbuild sees to: it puts modules that need each other into the same part.
 * @param {string} text
 * @throws {SyntaxError} where something is left of the module
 */
function toCommonJs(text) {
	const result = text
		.replaceAll(/^import (?:(.+?|\{[^}]*\}) from )?("[^"]+");$/gm, (_, names, from) =>
			names === undefined
				? `require(${from});`
				: `const ${names.replace('* as ', '').replaceAll(' as ', ': ')} = require(${from});`,
		)
		.replaceAll(/\bimport\(("\.\/[^"]+")\)/g, 'Promise.resolve().then(() => require($1))')
		.replace(
			/^export (\{[^}]*\});\n*$/m,
			(_, names) =>
				`// exports\nmodule.exports = ${names.replaceAll(/([\w$]+) as ([\w$]+)/g, '$2: $1')};\n`,
		);
	// A module that is read only when somebody asks for it would set its exports later.
	if (result.includes('__esm(')) {
		throw new Error('A part has a module that is read later');
	}

	new Script(`() => {${result}\n}`);
	return result;
}

/**
 * @param {readonly string[]} files of our own; packages export nothing that changes
 * @throws {Error} where one of them exports a variable
 */
function assertConstant(files) {
	const file = files.find((name) => /^export (let|var)\b/m.test(readFileSync(name, 'utf8')));
	if (file !== undefined) {
		throw new Error(
			`${file} exports a variable, which other parts of the bundle would not see change`,
		);
	}
}

/**
 * Minifies what comes from packages.
 * @param {string} text with a line before the code of each file that says which one it is
 */
async function minifyPackages(text) {
	const pieces = text.split(/^(?=\/\/ (?:[\w-]+:)?[@\w./-]+$)/m);
	const results = pieces.map(async (piece) => {
		const [line = ''] = piece.split('\n', 1);
		if (!/^\/\/ (?:node_modules\/|yoga-wasm:)/.test(line)) {
			return piece;
		}

		// Without a format, the names at the top stay: other pieces know them.
		const {code} = await transform(piece, {target: TARGET, minify: true, legalComments: 'none'});
		return `${line}\n${code}`;
	});
	return (await Promise.all(results)).join('');
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
		throw new Error(`${part} is to be replaced, and does not occur`);
	}

	return result;
}

/** @type {import('esbuild').Plugin} */
const withoutDevtools = {
	name: 'without-devtools',
	setup({onLoad}) {
		onLoad({filter: /\/ink\/build\/devtools\.js$/}, () => ({contents: ''}));
		// Never reached, but an await at the top of a module forbids CommonJS.
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
 * Yoga, the layout engine, is WebAssembly in base64 that compiles in the background, and its module
 * waits for that. Compiled at once it takes no longer, and needs no await.
 * @type {import('esbuild').Plugin}
 */
const withoutAwait = {
	name: 'without-await',
	setup({onLoad, onResolve}) {
		const marked = /"data:application\/octet-stream;base64,([^"]+)"/;
		onResolve({filter: /^yoga\.wasm$/}, ({resolveDir}) => ({
			// The path ends up in the bundle: it must not tell where this project lies.
			path: 'yoga.wasm',
			namespace: 'yoga-wasm',
			pluginData: `${resolveDir}/../binaries/yoga-wasm-base64-esm.js`,
		}));
		onLoad({filter: /./, namespace: 'yoga-wasm'}, ({pluginData}) => ({
			contents: Buffer.from(marked.exec(readFileSync(pluginData, 'utf8'))?.[1] ?? '', 'base64'),
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

/**
 * To make the pattern of all emoji takes as long as a bare Node takes to start, and hardly any text needs it: of
 * single characters only those with Emoji_Presentation are RGI emoji (UTS #51, ED-20 and ED-27).
 * @type {import('esbuild').Plugin}
 */
const withLateEmoji = {
	name: 'with-late-emoji',
	setup({onLoad}) {
		onLoad({filter: /\/string-width\/index\.js$/}, ({path}) => ({
			contents: replaced(
				readFileSync(path, 'utf8'),
				'const rgiEmojiRegex = /^\\p{RGI_Emoji}$/v;',
				`const rgiEmojiRegex = {
					test(text) {
						const isOne = text.length === 1 || (text.length === 2 && text.codePointAt(0) > 0xffff);
						return (!isOne || /\\p{Emoji_Presentation}/u.test(text)) && (this.all ??= /^\\p{RGI_Emoji}$/v).test(text);
					},
				};`,
			),
		}));
	},
};
