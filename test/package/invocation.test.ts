import {copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {execute} from '../_helpers/lab/programs.ts';

/** In a mount namespace of its own, so that this machine gets no program. */
const INSTALLED = 'mount -t tmpfs fww-test /usr/local/bin; ln -s "$1" /usr/local/bin/fw-wizard; ';

describe('commands that are printed', () => {
	let folder = '';
	let fetched = '';

	beforeAll(() => {
		folder = mkdtempSync(path.join(os.tmpdir(), 'fww-test-'));
		const cache = path.join(folder, '.npm/_npx/0123456789abcdef');
		const build = path.join(cache, 'node_modules/fw-wizard/build');
		mkdirSync(build, {recursive: true});
		fetched = path.join(build, 'cli.js');
		copyFileSync(CLI, fetched);
		writeFileSync(path.join(build, 'package.json'), '{"type": "commonjs"}\n');
		writeFileSync(
			path.join(cache, 'package.json'),
			'{"_npx": {"packages": ["fw-wizard"]}, "dependencies": {"fw-wizard": "^0.1.0"}}',
		);
	});
	afterAll(() => rmSync(folder, {recursive: true}));

	/** What the program advises after a word that is no command. */
	const advice = async (file: string, before = '', environment = {}) => {
		const script = `${before}shift; "$@" nonsense`;
		const words = ['unshare', '--mount', 'sh', '-ec', script, 'sh', CLI, process.execPath, file];
		const {stderr} = await execute(
			words,
			{},
			{PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...environment},
		);
		return /^See: (.*) --help$/m.exec(stderr)?.[1];
	};

	test('name node and the whole path of a checkout', async () => {
		expect(await advice(CLI)).toBe(`node ${CLI}`);
	});

	test('have the name alone where that is in the PATH', async () => {
		expect(await advice(CLI, INSTALLED)).toBe('fw-wizard');
		expect(await advice('/usr/local/bin/fw-wizard', INSTALLED)).toBe('fw-wizard');
	});

	test('do not name another program of the same name', async () => {
		expect(await advice(fetched, INSTALLED)).toBe('npx fw-wizard');
	});

	test('name npx where npx has fetched the program, whose PATH no other shell has', async () => {
		const bin = path.join(path.dirname(path.dirname(path.dirname(fetched))), '.bin');
		expect(await advice(fetched, '', {PATH: `${bin}:/usr/bin:/bin`})).toBe('npx fw-wizard');
	});

	test('bring a newer Node again where npx has brought one', async () => {
		const packages = ['fw-wizard', 'node@22'];
		const manifest = path.join(fetched, '../../../../package.json');
		const before = readFileSync(manifest, 'utf8');
		writeFileSync(manifest, JSON.stringify({_npx: {packages}}));
		expect(await advice(fetched)).toBe('npx -p fw-wizard -p node@22 fw-wizard');
		// What is no package of the registry is not fetched again.
		writeFileSync(manifest, JSON.stringify({_npx: {packages: ['./fw-wizard.tgz']}}));
		expect(await advice(fetched)).toBe(`node ${fetched}`);
		writeFileSync(manifest, before);
	});

	test('say the same in examples, and work as they are printed', async () => {
		const {stdout} = await execute([process.execPath, CLI, 'help', 'rules']);
		const [, example = ''] = /^ {4}(node .* --format commands)$/m.exec(stdout) ?? [];
		const {status, stdout: rules} = await execute(['sh', '-c', example]);
		expect(status).toBe(0);
		expect(rules).toContain('iptables -t filter -A INPUT');
	});
});

describe.runIf(process.geteuid?.() === 0)('commands for root', () => {
	const run = async (...words: readonly string[]) => (await execute(words)).stderr.split('\n')[1];

	test('begin with what makes root of an ordinary user, and not for root', async () => {
		const nobody = await run('runuser', '-u', 'nobody', '--', process.execPath, CLI, 'check');
		expect(nobody).toMatch(/^(Run: (sudo node|su -c 'node)|As root, run: node) \S+cli\.js check/);
		expect(await run(process.execPath, CLI, 'undo', '--to', 'x')).toBe(
			`Write a number of: node ${CLI} undo --list`,
		);
	});
});
