// How the modules that esbuild prints become the parts of one CommonJS file.
import {dirname, join} from 'node:path/posix';
import {Script} from 'node:vm';

const ENTRY = 'cli';
const OWN = /^source\/(.+)\.tsx?$/;
/** What stands before the name of a part. */
const MARK = '\n//////// ';

/**
 * A module of ours, or some of packages, as esbuild prints it.
 * @typedef {{readonly file: string, readonly name: string, readonly text: string}} Module
 * @typedef {import('esbuild').Metafile['outputs'][string]} Output
 */

/**
 * The entry after the parts that something requires. These stand in the comment of a function: it gives its own
 * text away, and so the parts.
 * @param {import('esbuild').Metafile} metafile
 * @param {readonly {readonly path: string, readonly text: string}[]} files as esbuild prints them
 * @param {(text: string) => Promise<string>} finish what is done to the text of a part at last
 * @returns {Promise<{text: string, used: readonly Output[]}>} the file, and what of esbuild's went into it
 */
export async function joinParts({outputs}, files, finish) {
	const modules = new Map(
		Object.entries(outputs).map(([file, output]) => {
			const text = files.find(({path}) => path.endsWith(`/${file}`))?.text ?? '';
			return [file, {file, name: nameOf(output), text}];
		}),
	);
	const code = new Map(
		Object.entries(outputs).flatMap(([file, {inputs}]) =>
			Object.keys(inputs).map((input) => [input, file]),
		),
	);
	/** @param {string} file @returns {Module} what has the code that a file of exports alone leads to */
	const moduleOf = (file) => {
		const entry = outputs[file]?.entryPoint;
		const module = modules.get((entry !== undefined && code.get(entry)) || file);
		if (module === undefined) {
			throw new Error(`${file} is not among what esbuild printed`);
		}

		return module;
	};
	const parts = new Map();
	/** @param {Module} module */
	const add = (module) => {
		if (!parts.has(module.name)) {
			parts.set(module.name, '');
			parts.set(
				module.name,
				toCommonJs(module, (file) => {
					const needed = moduleOf(file);
					add(needed);
					return needed;
				}),
			);
		}
	};
	add(moduleOf(code.get(`source/${ENTRY}.ts`) ?? ''));
	const used = Object.values(outputs).filter((output) => parts.has(nameOf(output)));
	const finished = await Promise.all(
		[...parts].map(async ([name, text]) => ({name, text: await finish(text)})),
	);
	const others = finished
		.filter(({name}) => name !== ENTRY)
		.sort((a, b) => (a.name < b.name ? -1 : 1))
		.map(({name, text}) => `${MARK}${name}\n'use strict';\n${text.trimEnd()}`);
	const text = [
		'#!/usr/bin/env node\n',
		"'use strict';\n",
		'// The code of fw-wizard in parts, each under the name of one of its files: they stand in a comment until\n',
		'// something requires them. What requires a part, and runs the first one, is at the end.\n',
		`function code() {/*${escaped(others)}\n*/}\n\n`,
		LOADER,
		finished.find(({name}) => name === ENTRY)?.text,
	].join('');
	if (/\r|\P{ASCII}/u.test(text)) {
		throw new Error('The bundle has other characters than those of ASCII');
	}

	return {text, used};
}

/**
 * esbuild names a module by a hash, which changes with every module that it imports. A file says more,
 * and stands in one of them only: ours, or the largest.
 * @param {Output} output
 */
function nameOf({inputs}) {
	const files = Object.entries(inputs).sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput);
	const [name] = files.find(([file]) => OWN.test(file)) ?? files[0] ?? ['helpers of esbuild'];
	return name.replace(OWN, '$1');
}

/**
 * @param {readonly string[]} parts
 * @returns their text for a comment: in it stands another sign for the end of a comment
 */
function escaped(parts) {
	const text = parts.join('');
	if (text.includes('*~/') || text.split(MARK).length !== parts.length + 1) {
		throw new Error('What stands for the end of a comment, or begins a part, occurs in the code');
	}

	return text.replaceAll('*/', '*~/');
}

/**
 * `require` turns a part into its exports, once; all other modules are Node's. `later` gives the functions
 * of a part, which is required when one of them is called. LazySegmenter stands in for Intl.Segmenter: the packages
 * that tell how wide a text is make some of those when they are loaded, and for the first one Node loads tables of
 * Unicode, which takes a third of the time that a bare Node takes to start. All of the first frame is ASCII, and
 * needs none.
 */
const LOADER = `function LazySegmenter(...options) {
	let segmenter;
	this.segment = (text) => (segmenter ??= new Intl.Segmenter(...options)).segment(text);
}

const nodeRequire = require;
const parts = new Map();
for (const part of code.toString().slice(0, -'\\n*/}'.length).split('\\n//////// ').slice(1)) {
	const end = part.indexOf('\\n');
	parts.set(part.slice(0, end), part.slice(end + 1));
}

const loaded = new Map();
require = (name) => {
	const text = parts.get(name);
	if (text === undefined) {
		return loaded.get(name)?.exports ?? nodeRequire(name);
	}

	const module = {exports: {}};
	loaded.set(name, module);
	parts.delete(name);
	const words = ['require', 'later', 'module', 'exports', '__filename', 'LazySegmenter'];
	const part = nodeRequire('node:vm').compileFunction(text.replaceAll('*~/', '*/'), words, {
		filename: 'fw-wizard/' + name,
	});
	part(require, later, module, module.exports, __filename, LazySegmenter);
	return module.exports;
};

const promised = {};
const later = (name) => (promised[name] ??= new Proxy({}, {
	get: (functions, key) => {
		let called;
		return (functions[key] ??= (...args) => (called ??= require(name)[key])(...args));
	},
}));
`;

/**
 * A module as esbuild prints it, as CommonJS. esbuild's own conversion writes for each `quote(text)`
 * of another part `(0, import_chunk_UDISLLFC.quote)(text)`, which is hard to read. Here a part takes the
 * exports of another one once. That is the same as long as no export changes later, which `assertConstant` checks,
 * and no two parts require each other: a test sees to it in our own code, and esbuild puts modules of packages that
 * need each other into the same part.
 *
 * Where it takes only functions of ours, it takes them by `later`. What is imported for its effects only
 * is left out: what is needed of it is imported by name elsewhere, and none of it has effects when it is loaded.
 * @param {Module} module
 * @param {(file: string) => Module} require
 * @throws {SyntaxError} where something is left of the module
 */
function toCommonJs({file, text}, require) {
	const moduleAt = (/** @type {string} */ from) => require(join(dirname(file), from));
	const result = text
		.replaceAll(/^import "\.[^"]*";\n/gm, '')
		.replaceAll(
			/^import (.+?|\{[^}]*\}) from "([^"]+)";$/gm,
			(_, /** @type {string} */ names, /** @type {string} */ from) => {
				const taken = inOneLine(names).replace('* as ', '').replaceAll(' as ', ': ');
				if (!from.startsWith('.')) {
					return `const ${taken} = require("${from}");`;
				}

				const {name, text} = moduleAt(from);
				const functions = functionsOf(text);
				const isLate = [...names.matchAll(/([\w$]+)(?: as [\w$]+)?[\s,}]/g)].every(
					([, word = '']) => functions.has(word),
				);
				return `const ${taken} = ${isLate ? 'later' : 'require'}("${name}");`;
			},
		)
		.replaceAll(
			/\bimport\("(\.[^"]+)"\)/g,
			(_, from) => `Promise.resolve().then(() => require("${moduleAt(from).name}"))`,
		)
		.replace(
			/^export (\{[^}]*\});\n*$/m,
			(_, names) =>
				`module.exports = ${inOneLine(names).replaceAll(/([\w$]+) as ([\w$]+)/g, '$2: $1')};\n`,
		);
	// A module that is read only when somebody asks for it would set its exports later.
	if (result.includes('__esm(')) {
		throw new Error('A part has a module that is read later');
	}

	new Script(`() => {${result}\n}`);
	return result;
}

/** @param {string} names */
function inOneLine(names) {
	return names.replace(/\{\s*/, '{').replaceAll(/,\s+/g, ', ').replace(/\s*\}/, '}');
}

/**
 * The functions that a module of ours exports.
 * @param {string} text
 * @returns {ReadonlySet<string>}
 */
function functionsOf(text) {
	if (!/^\/\/ source\//m.test(text)) {
		return new Set();
	}

	return new Set(
		[...text.matchAll(/^(?:async )?function\*? ([\w$]+)\(/gm)].map(([, name = '']) => name),
	);
}
