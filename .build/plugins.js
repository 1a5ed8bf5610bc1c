// What is changed in packages on their way into the bundle.
import {readFileSync} from 'node:fs';

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
export const withoutDevtools = {
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
export const withoutAwait = {
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
export const withLateEmoji = {
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

/**
 * commander starts programs for commands that are files of their own. None of ours is one, and what starts programs
 * takes a twentieth of the time of `rules` to load.
 * @type {import('esbuild').Plugin}
 */
export const withoutChildren = {
	name: 'without-children',
	setup({onLoad}) {
		onLoad({filter: /\/commander\/lib\/command\.js$/}, ({path}) => ({
			contents: replaced(
				readFileSync(path, 'utf8'),
				"const childProcess = require('node:child_process');",
				'const childProcess = {};',
			),
		}));
	},
};

/**
 * Ink draws all of a frame at each key. What it found out about the styles and the width of a line, it finds out again
 * for the next frame, which takes a fifth of the time of a key; and each empty cell is an object of its own.
 * @type {import('esbuild').Plugin}
 */
export const withKeptLines = {
	name: 'with-kept-lines',
	setup({onLoad}) {
		onLoad({filter: /\/ink\/build\/output\.js$/}, ({path}) => {
			const text = replaced(
				readFileSync(path, 'utf8'),
				'caches = new OutputCaches();',
				'caches = (kept = kept.styledChars.size > 1000 ? new OutputCaches() : kept);',
			);
			const cell = /row\.push\((\{[^}]*\})\);/;
			return {
				contents: `${replaced(text, cell, 'row.push(EMPTY);')}
					let kept = new OutputCaches();
					const EMPTY = ${cell.exec(text)?.[1]};`,
			};
		});
	},
};

/**
 * Of a frame, Ink writes the lines that change, and for each line between them a sequence that moves down by one. One
 * sequence moves down by all of them, which is a sixth of what a typed key sends through a slow line.
 * @type {import('esbuild').Plugin}
 */
export const withLongMoves = {
	name: 'with-long-moves',
	setup({onLoad}) {
		onLoad({filter: /\/ink\/build\/log-update\.js$/}, ({path}) => ({
			contents: replaced(
				readFileSync(path, 'utf8'),
				"stream.write(buffer.join(''));",
				String.raw`stream.write(buffer.join('').replace(/(?:\x1b\[E){2,}/g, (moves) => '\x1b[' + moves.length / 3 + 'E'));`,
			),
		}));
	},
};
