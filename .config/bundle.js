// How the sources become one file: the same for the package and for the stand-alone binary.
import {readFileSync} from 'node:fs';
import {build} from 'esbuild';

export const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
/** The oldest Node that runs it: "20.19" of ">=20.19". */
const node = /^>=(\d+\.\d+)$/.exec(manifest.engines.node)?.[1];

/**
 * @param {import('esbuild').BuildOptions} options what differs
 * @returns the names and versions of what is in it, for the licences
 */
export async function bundle(options) {
	const {metafile} = await build({
		entryPoints: ['source/cli.tsx'],
		bundle: true,
		minify: true,
		keepNames: false,
		metafile: true,
		platform: 'node',
		// An older Node must be able to read it, to say that it is too old.
		target: 'node18',
		jsx: 'automatic',
		legalComments: 'none',
		logLevel: 'warning',
		plugins: [withoutDevtools, withoutAwait],
		...options,
		define: {
			// React's development build keeps every render for its profiler.
			'process.env.NODE_ENV': '"production"',
			'process.env.DEV': '"false"',
			FW_WIZARD_VERSION: JSON.stringify(manifest.version),
			FW_WIZARD_NODE: JSON.stringify(node),
			...options.define,
		},
	});
	return new Set(
		Object.keys(metafile?.inputs ?? {}).flatMap(
			(file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
		),
	);
}

/** @type {import('esbuild').Plugin} */
const withoutDevtools = {
	name: 'without-devtools',
	setup({onLoad}) {
		onLoad({filter: /\/ink\/build\/devtools\.js$/}, () => ({contents: ''}));
		// Never reached, but an await at the top of a module forbids CommonJS, which the binary takes.
		onLoad({filter: /\/ink\/build\/reconciler\.js$/}, ({path}) => ({
			contents: readFileSync(path, 'utf8')
				.replace("await import('./devtools.js')", '')
				.replace('await loadPackageJson()', '{}'),
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
			contents: readFileSync(path, 'utf8').replace(marked, '""'),
		}));
		onLoad({filter: /\/yoga-layout\/dist\/src\/index\.js$/}, ({path}) => ({
			contents: readFileSync(path, 'utf8').replace(
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
