// How the sources become one file: the same file for the package and for the stand-alone binary.
import {readdirSync, readFileSync} from 'node:fs';
import {build, transform} from 'esbuild';
import {joinParts} from './parts.js';
import {
	withKeptLines,
	withLateEmoji,
	withLongMoves,
	withoutAwait,
	withoutChildren,
	withoutDevtools,
} from './plugins.js';

export const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
/** The oldest Node that runs the program: "20.19" of ">=20.19". */
const node = /^>=(\d+\.\d+)$/.exec(manifest.engines.node)?.[1];
/** An older Node must be able to read the file, to say that it is too old. */
const TARGET = 'node18';

/**
 * A package whose code is in the bundle, where it lies, and what its package.json says.
 * @typedef {{readonly folder: string, readonly name: string, readonly version: string, readonly license: string, readonly author: string}} Package
 */

/**
 * The program as one CommonJS file, which Node starts faster than a module, and which alone can become
 * a stand-alone binary. Our own code is readable in it, the code of packages is minified.
 *
 * The file consists of parts, one for each module of ours. All but the entry stand in a comment, and are
 * compiled when something requires them, since V8 looks through all code of a file before it runs any. As plain
 * code in one file, `rules` took 2.8 times as long as a bare node (`node -e 0`); in parts, 2.1 times.
 * @returns {Promise<{text: string, packages: readonly Package[]}>} the file, and the packages whose code
 * esbuild has put into it, by name
 */
export async function bundle() {
	const {metafile, outputFiles} = await build({
		entryPoints: ownFiles(),
		outbase: '.',
		outdir: 'build',
		write: false,
		bundle: true,
		splitting: true,
		format: 'esm',
		metafile: true,
		platform: 'node',
		jsx: 'automatic',
		// Without a remark at each element that it has none.
		jsxSideEffects: true,
		legalComments: 'none',
		logLevel: 'warning',
		target: TARGET,
		plugins: [
			withoutDevtools,
			withoutAwait,
			withoutChildren,
			withKeptLines,
			withLateEmoji,
			withLongMoves,
		],
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
	const {text, used} = await joinParts(metafile, outputFiles, minify);
	assertConstant(Object.keys(metafile.inputs).filter((file) => file.startsWith('source/')));
	return {text, packages: packagesIn(used)};
}

/** Each file of ours: all are entries, since esbuild then makes a module of each. */
function ownFiles() {
	return readdirSync('source', {recursive: true, encoding: 'utf8'})
		.filter((file) => /(?<!\.d)\.tsx?$/.test(file))
		.map((file) => `source/${file}`)
		.sort();
}

/**
 * @param {ReadonlyArray<import('./parts.js').Output>} used
 * @returns {readonly Package[]}
 */
function packagesIn(used) {
	const files = used.flatMap(({inputs}) =>
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
 * Minifies what comes from packages, and indents our own code with tabs: Node takes longer to read a longer file.
 * @param {string} text with a line before the code of each file that says which one it is
 */
async function minify(text) {
	const pieces = text.split(/^(?=\/\/ (?:source\/|node_modules\/|yoga-wasm:))/m);
	const results = pieces.map(async (piece) => {
		const [line = ''] = piece.split('\n', 1);
		return /^\/\/ (?:node_modules\/|yoga-wasm:)/.test(line)
			? `${line}\n${await minified(piece)}`
			: indented(piece.replace(/^\/\/ source\/.*\n/, ''));
	});
	return (await Promise.all(results)).join('');
}

/** @param {string} text */
async function indented(text) {
	const result = text.replaceAll(/^(?: {2})+/gm, (spaces) => '\t'.repeat(spaces.length / 2));
	// Where it is another program now, there are lines of a text among those of the code.
	return (await minified(text)) === (await minified(result)) ? result : text;
}

/** @param {string} text without a format, so that the names at its top stay: other pieces know them */
async function minified(text) {
	const {code} = await transform(text, {target: TARGET, minify: true, legalComments: 'none'});
	return code;
}
