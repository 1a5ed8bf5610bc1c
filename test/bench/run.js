// Measures what is promised in figures, prints a table and keeps it in results.md. As root.
import {execFileSync} from 'node:child_process';
import {copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {build} from 'esbuild';

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

await build({
	entryPoints: [
		'measure-apply.ts',
		'measure-check.ts',
		'measure-facts.ts',
		'measure-panel.tsx',
		'measure-proof.ts',
		'measure-reload.ts',
		'measure-start.ts',
		'measure-foreign-rules.ts',
		'measure-hang-up.ts',
	].map((name) => path.join(HERE, name)),
	outdir: folder,
	bundle: true,
	packages: 'external',
	platform: 'node',
	format: 'esm',
	target: 'node20',
	jsx: 'automatic',
	logLevel: 'warning',
	define: {FW_WIZARD_VERSION: '"bench"'},
});

// Programs that are started beside those that are bundled.
for (const name of ['lab/echo-server.js', 'lab/listening.js', 'traffic/traffic.js']) {
	copyFileSync(path.join(HERE, '../_helpers', name), path.join(folder, path.basename(name)));
}

/** @type {readonly Figure[]} */
const figures = [
	...measureOn('nft', 'measure-apply.js'),
	...measureOn('legacy', 'measure-apply.js'),
	...measureOn('nft', 'measure-check.js', path.join(HERE, '../../build/cli.js')),
	...measureOn('nft', 'measure-start.js', path.join(HERE, '../../build/cli.js')),
	...measure([process.execPath, path.join(folder, 'measure-facts.js')]),
	...measure([process.execPath, path.join(folder, 'measure-panel.js')]),
	...measure([
		process.execPath,
		path.join(folder, 'measure-proof.js'),
		path.join(HERE, '../../build/cli.js'),
	]),
	...measure([process.execPath, path.join(folder, 'measure-reload.js')]),
	...measure([process.execPath, path.join(folder, 'measure-foreign-rules.js')]),
	...measure([process.execPath, path.join(folder, 'measure-hang-up.js')]),
];
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
writeFileSync(path.join(HERE, 'results.md'), text);
console.log(text);

/**
 * In a network and with files of its own, iptables of one backend.
 * @param {'nft' | 'legacy'} backend
 * @param {string} name
 * @param {readonly string[]} args
 * @returns {readonly Figure[]}
 */
function measureOn(backend, name, ...args) {
	const links = ['iptables', 'ip6tables'].flatMap((name) =>
		['', '-save', '-restore'].map(
			(ending) => `ln -sf /usr/sbin/${name}-${backend}${ending} /etc/alternatives/${name}${ending}`,
		),
	);
	const layers = ['etc', 'var/lib'].flatMap((part) => {
		const layer = path.join(scratch, backend, name, part);
		return [
			`mkdir -p ${layer}/upper ${layer}/work`,
			`mount -t overlay fww-bench -o lowerdir=/${part},upperdir=${layer}/upper,workdir=${layer}/work /${part}`,
		];
	});
	const script = [
		...layers,
		...links,
		// systemctl would reach the machine's own service manager through its socket.
		'{ [ ! -d /run/systemd ] || mount -t tmpfs fww-bench /run/systemd; }',
		'ip link set lo up',
		'exec "$@"',
	].join(' && ');
	return measure([
		...['unshare', '--net', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'],
		...[process.execPath, path.join(folder, name), ...args],
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
