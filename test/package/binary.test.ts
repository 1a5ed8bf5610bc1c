import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {execute, succeed} from '../_helpers/lab/programs.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {applyAndKeep, FLAGS, walkToReview} from '../_helpers/ui/journey.ts';
import {bareDebian} from './bare-root.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const BUILD = path.join(PROJECT, 'build');

describe('the stand-alone binary, in a Debian without Node', () => {
	const terminals = useTerminals();
	let enter: readonly string[] = [];

	beforeAll(async () => {
		await succeed(['sh', '-ec', 'cd "$1"; "$2" .build/binary.js', 'sh', PROJECT, process.execPath]);
		enter = await bareDebian(path.join(BUILD, 'fw-wizard'));
	}, 600_000);

	test('comes with its checksum', async () => {
		const check = 'cd "$1" && sha256sum -c fw-wizard.sha256';
		expect(await succeed(['sh', '-ec', check, 'sh', BUILD])).toBe('fw-wizard: OK\n');
	});

	test('comes with the licences of Node and of every package in it', () => {
		const text = readFileSync(path.join(BUILD, 'fw-wizard.licences.txt'), 'utf8');
		expect(text).toMatch(/^fw-wizard\n\nMIT License/);
		expect(text).toContain(`\nNode.js ${process.version}\n`);
		const packages = readFileSync(path.join(BUILD, 'third-party-licences.txt'), 'utf8');
		expect(text.endsWith(packages)).toBe(true);
	});

	test('finds nothing of Node there', async () => {
		const look =
			'command -v node nodejs npm; find / -xdev \\( -name node -o -name nodejs -o -name "libnode*" \\) ! -type d';
		const {stdout} = await execute([...enter, 'sh', '-c', look]);
		expect(stdout).toBe('');
		expect(await succeed([...enter, 'cat', '/etc/debian_version'])).toMatch(/^12\./);
	});

	test('says its version, and prints the same rules as the package', async () => {
		const {version} = JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8'));
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

	test('starts itself again for a rehearsal, and in it for a proof', async () => {
		const words = ['fw-wizard', 'prove', '--rehearse', ...FLAGS];
		const {status, stdout, stderr} = await execute([...enter, ...words], {timeout: 90_000});
		expect({status, stderr}).toEqual({status: 0, stderr: ''});
		expect(stdout).toContain('Proven: exactly what the policy says.');
		expect(stdout).toContain('IPv4 from 10.0.0.0/8: 22, 53, 8000-8010, 9100/tcp; 53/udp');
	}, 100_000);

	test('walks through the wizard', async () => {
		const terminal = terminals.start(['fw-wizard', '--rehearse'], {enter, columns: 100, rows: 30});
		await walkToReview(terminal);
		expect(await applyAndKeep(terminal)).toContain('Rehearsal:');
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
		expect(terminal.screen()).toMatch(/^Loaded and read back: \d+ IPv4 rules/);
	});
});
