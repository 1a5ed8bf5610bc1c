import {cpSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {uptime} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {readBootId} from '../../source/change/change-state.ts';
import type {Host} from '../_helpers/lab/namespaces.ts';
import {HAND_MADE, loadRules, readAll} from '../_helpers/samples/existing-rules.ts';

/** The rules of a machine, as `readAll` gives them. */
export type Rules = Awaited<ReturnType<typeof readAll>>;

/** What version 0.1.0 left on a machine, by backend: its files, and the rules before and after each change. */
const FIXTURES = path.join(import.meta.dirname, 'fixtures', 'records-0.1.0');

const CHANGES = '/var/lib/fw-wizard/changes';
const SERVER = ['--role', 'server', '--open', '22/tcp', '--open', '8080/tcp'];

/** Two changes that are kept, the second of which removes other programs' rules; one still waits. */
const KEPT = [
	[...SERVER, '--helper', 'ftp', '--existing', 'keep', '--yes'],
	[...SERVER, '--existing', 'flush-input', '--yes'],
];
const WAITING = ['--role', 'workstation', '--no-open', '--confirm-within', '600'];

/**
 * Makes a fixture with another build of the program. To be called once for a version, from the test:
 *
 *     FWW_RECORD_WITH=/path/to/build/cli.js npx vitest run --config .config/vitest.ts test/change/old-records.test.ts
 */
export async function record(host: Host, backend: string, cli: string): Promise<void> {
	await loadRules(host, HAND_MADE);
	const stages = [await readAll(host)];
	for (const flags of KEPT) {
		await host.must(process.execPath, [cli, 'apply', ...flags]);
		stages.push(await readAll(host));
	}

	const waiting = await host.start(
		process.execPath,
		[cli, 'apply', ...WAITING],
		/old rules come back/,
	);
	waiting.kill();
	stages.push(await readAll(host));
	const fixture = path.join(FIXTURES, backend);
	rmSync(fixture, {recursive: true, force: true});
	mkdirSync(fixture, {recursive: true});
	for (const part of ['etc/fw-wizard', 'etc/systemd', 'var/lib/fw-wizard']) {
		const [top = '', ...rest] = part.split(/\/(?=[^/]+$)/);
		const from = path.join(host.folder, top, 'upper', ...rest);
		cpSync(from, path.join(fixture, part), {
			recursive: true,
			filter: (file) => !lstatSync(file).isSymbolicLink(),
		});
	}

	writeFileSync(path.join(fixture, 'rules.json'), `${JSON.stringify(stages, null, '\t')}\n`);
}

/**
 * Makes a machine what it was when the fixture was made: the rules are loaded, the last change waits.
 * @returns the rules before the first change, and after each
 */
export async function replay(host: Host, backend: string): Promise<readonly Rules[]> {
	const fixture = path.join(FIXTURES, backend);
	const stages = JSON.parse(readFileSync(path.join(fixture, 'rules.json'), 'utf8')) as Rules[];
	const now = stages.at(-1) ?? {};
	await loadRules(host, {
		iptables: now[`${backend} 4`] ?? '',
		ip6tables: now[`${backend} 6`] ?? '',
	});
	for (const part of ['etc', 'var']) {
		await host.must('cp', ['-r', '--no-dereference', path.join(fixture, part), '/']);
	}

	const own = ['/etc/fw-wizard', '/var/lib/fw-wizard'];
	await host.must('chown', ['-R', '0:0', ...own]);
	await host.must('chmod', ['-R', 'go=', ...own]);
	return stages;
}

/** Makes the change that waits one of this boot, or of another one, with ten minutes left. */
export async function moveToBoot(host: Host, bootId = readBootId()): Promise<void> {
	const file = `${CHANGES}/3/meta.json`;
	const meta = JSON.parse(await host.must('cat', [file]));
	const input = JSON.stringify({...meta, bootId, until: uptime() + 600});
	await host.must('tee', [file], {input});
}
