import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {succeed} from '../_helpers/lab/programs.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
/** What npm runs on the machine of whoever installs a package (npm-scripts(7)). */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare'];

let folder = '';
let tarball = '';

/** No network at all, and a home of its own: npm has nothing in its cache. */
async function offline(command: string): Promise<string> {
	const variables = {
		HOME: folder,
		PATH: `${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
	};
	const words = ['unshare', '--net', '--', 'sh', '-ec', command, 'sh', tarball];
	return succeed(words, {timeout: 60_000}, variables);
}

beforeAll(async () => {
	folder = mkdtempSync(path.join(os.tmpdir(), 'fww-pack-'));
	// The build is the one that all tests use; making it again would take it from under them.
	const pack = ['npm', 'pack', PROJECT, '--ignore-scripts', '--pack-destination', folder];
	await succeed(pack, {}, {PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`});
	const [name = ''] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
	tarball = path.join(folder, name);
});

afterAll(() => rmSync(folder, {recursive: true, force: true}));

describe('the package', () => {
	test('holds the program, what it says about itself, and nothing else', async () => {
		const listing = await succeed(['tar', '-tzf', tarball]);
		expect(listing.trim().split('\n').sort()).toEqual([
			'package/build/cli.js',
			'package/build/completions/_fw-wizard',
			'package/build/completions/fw-wizard.bash',
			'package/build/completions/fw-wizard.fish',
			'package/build/fw-wizard.8',
			'package/build/package.json',
			'package/build/third-party-licences.txt',
			'package/license',
			'package/package.json',
			'package/readme.md',
		]);
	});

	test('needs no other package, and runs nothing when it is installed', async () => {
		const text = await succeed(['tar', '-xzOf', tarball, 'package/package.json']);
		const {scripts, bin, ...manifest} = JSON.parse(text);
		for (const kind of ['dependencies', 'optionalDependencies', 'peerDependencies']) {
			expect(manifest[kind] ?? {}).toEqual({});
		}

		expect(Object.keys(scripts).filter((name) => INSTALL_SCRIPTS.includes(name))).toEqual([]);
		expect(bin).toEqual({'fw-wizard': 'build/cli.js'});
		// What is packed is what was built.
		expect(scripts.prepack).toBe('npm run build');
	});

	test('names the licence of every package that is in it', async () => {
		const text = await succeed(['tar', '-xzOf', tarball, 'package/build/third-party-licences.txt']);
		for (const name of ['commander', 'ink', 'ipaddr.js', 'react', 'yoga-layout', 'zod']) {
			expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((?:MIT|ISC)\\)$`, 'm'));
		}

		expect(text).not.toContain('undefined');
	});

	test('runs by npx in an empty folder, without a network', async () => {
		const version = await offline(
			'mkdir "$HOME/a" && cd "$HOME/a" && npx --yes "../$(basename "$1")" --version',
		);
		const {version: expected} = JSON.parse(
			readFileSync(path.join(PROJECT, 'package.json'), 'utf8'),
		);
		expect(version).toBe(`${expected}\n`);
		expect(readdirSync(path.join(folder, 'a'))).toEqual([]);
	});

	test('is installed alone, and prints rules', async () => {
		mkdirSync(path.join(folder, 'b'));
		await offline('cd "$HOME/b" && npm install --foreground-scripts "$1"');
		const modules = path.join(folder, 'b/node_modules');
		expect(readdirSync(modules).filter((name) => !name.startsWith('.'))).toEqual(['fw-wizard']);
		expect(readdirSync(path.join(modules, 'fw-wizard')).sort()).toEqual([
			'build',
			'license',
			'package.json',
			'readme.md',
		]);
		const rules = await offline('"$HOME/b/node_modules/.bin/fw-wizard" rules --role server');
		expect(rules).toContain('-A FW-WIZARD-INPUT -p tcp --dport 22 -j ACCEPT\n');
	});

	test('is installed with its manual and completions', async () => {
		await offline('npm install --global --prefix "$HOME/c" "$1"');
		const root = path.join(folder, 'c/lib/node_modules/fw-wizard/build');
		const run = async (...words: readonly string[]) =>
			succeed([process.execPath, path.join(root, 'cli.js'), ...words]);
		const manual = readFileSync(path.join(folder, 'c/share/man/man8/fw-wizard.8'), 'utf8');
		expect(manual).toBe(await run('man'));
		for (const [name, shell] of [
			['fw-wizard.bash', 'bash'],
			['_fw-wizard', 'zsh'],
			['fw-wizard.fish', 'fish'],
		] as const) {
			const file = path.join(root, 'completions', name);
			expect(readFileSync(file, 'utf8')).toBe(await run('completion', shell));
		}
	});
});
