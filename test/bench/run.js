// Measures what is promised in figures, prints a table and keeps it in results.md. As root. With names of parts,
// as in `npm run bench -- start panel`, it measures and prints these alone.
import {execFileSync} from 'node:child_process';
import {copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {build} from 'esbuild';
import {withKeptLines, withoutDevtools} from '../../.build/plugins.js';

/** @typedef {import('./statistics.ts').Figure} Figure */

const HERE = import.meta.dirname;
// Beside node_modules: what is bundled still imports from there.
const load = os.loadavg()[0]?.toFixed(1);
const cache = path.join(HERE, '../../node_modules/.cache');
mkdirSync(cache, {recursive: true});
const folder = mkdtempSync(path.join(cache, 'fww-bench-'));
const scratch = mkdtempSync(path.join(os.tmpdir(), 'fww-bench-'));
process.on('exit', () => {
	rmSync(folder, {recursive: true, force: true});
	rmSync(scratch, {recursive: true, force: true});
});

/**
 * Ink as it is in the program: changed on its way there.
 * @type {import('esbuild').Plugin}
 */
const withInk = {
	name: 'with-ink',
	setup({onResolve}) {
		onResolve({filter: /^ink$/}, () => ({path: path.resolve('node_modules/ink/build/index.js')}));
	},
};

await build({
	entryPoints: [path.join(HERE, 'measure-*')],
	outdir: folder,
	bundle: true,
	packages: 'external',
	platform: 'node',
	format: 'esm',
	target: 'node20',
	jsx: 'automatic',
	logLevel: 'warning',
	plugins: [withInk, withoutDevtools, withKeptLines],
	define: {FW_WIZARD_VERSION: '"bench"'},
});

// Programs that are started beside those that are bundled.
for (const name of ['lab/echo-server.js', 'lab/listening.js', 'traffic/traffic.js']) {
	copyFileSync(path.join(HERE, '../_helpers', name), path.join(folder, path.basename(name)));
}

const cli = path.join(HERE, '../../build/cli.js');
/** @type {ReadonlyArray<readonly [name: string, run: (script: string) => readonly Figure[]]>} */
const PARTS = [
	['apply', (script) => [...measureOn('nft', script), ...measureOn('legacy', script)]],
	['check', (script) => measureOn('nft', script, cli)],
	['start', (script) => measureOn('nft', script, cli)],
	['facts', (script) => measure([process.execPath, script])],
	['panel', (script) => measure([process.execPath, script])],
	['proof', (script) => measure([process.execPath, script, cli])],
	['reload', (script) => measure([process.execPath, script])],
	['foreign-rules', (script) => measure([process.execPath, script])],
	['hang-up', (script) => measure([process.execPath, script])],
	['open', (script) => measure([process.execPath, script, cli])],
];
const wanted = process.argv.slice(2);
const figures = PARTS.filter(([name]) => wanted.length === 0 || wanted.includes(name)).flatMap(
	([name, run]) => run(path.join(folder, `measure-${name}.js`)),
);
const table = [
	'| figure | measured | limit | verdict |',
	'|---|---|---|---|',
	...figures.map(
		({name, value, limit, kept}) =>
			`| ${name} | ${value} | ${limit ?? ''} | ${kept === undefined ? '' : kept ? 'kept' : 'MISSED'} |`,
	),
].join('\n');
const machine = `${os.cpus().length} x ${os.cpus()[0]?.model.trim()}, Linux ${os.release()}, Node ${process.versions.node}, load ${load}`;
const text = `# Measured\n\n${new Date().toISOString().slice(0, 10)}, ${machine}. Made by \`npm run bench\`.\n\n${table}\n`;
if (wanted.length === 0) {
	writeFileSync(path.join(HERE, 'results.md'), text);
}

console.log(text);

/**
 * In a network and with files of its own, iptables of one backend.
 * @param {'nft' | 'legacy'} backend
 * @param {string} script
 * @param {readonly string[]} args
 * @returns {readonly Figure[]}
 */
function measureOn(backend, script, ...args) {
	const links = ['iptables', 'ip6tables'].flatMap((name) =>
		['', '-save', '-restore'].map(
			(ending) => `ln -sf /usr/sbin/${name}-${backend}${ending} /etc/alternatives/${name}${ending}`,
		),
	);
	const layers = ['etc', 'var/lib'].flatMap((part) => {
		const layer = path.join(scratch, backend, path.basename(script), part);
		return [
			`mkdir -p ${layer}/upper ${layer}/work`,
			`mount -t overlay fww-bench -o lowerdir=/${part},upperdir=${layer}/upper,workdir=${layer}/work /${part}`,
		];
	});
	const prepare = [
		...layers,
		...links,
		// systemctl would reach the machine's own service manager through its socket.
		'{ [ ! -d /run/systemd ] || mount -t tmpfs fww-bench /run/systemd; }',
		'ip link set lo up',
		'exec "$@"',
	].join(' && ');
	return measure([
		...['unshare', '--net', '--mount', '--propagation', 'private', 'sh', '-c', prepare, 'sh'],
		...[process.execPath, script, ...args],
	]);
}

/**
 * @param {readonly string[]} words
 * @returns {readonly Figure[]}
 */
function measure([program = '', ...args]) {
	const env = {
		...process.env,
		NODE_ENV: 'production',
		XTABLES_LOCKFILE: path.join(scratch, 'xtables.lock'),
	};
	return JSON.parse(
		execFileSync(program, args, {encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'inherit']}),
	);
}
