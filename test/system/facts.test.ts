import {writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {beforeAll, describe, expect, it} from 'vitest';
import type {FactSheet} from '../../source/commands/fact-sheet.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {execute} from '../_helpers/lab/programs.ts';

/** Stands for a program: neither it nor what it has started ends before the test would time out. */
const HANGS = '#!/bin/sh\nsleep 1000 & sleep 1000\n';
const FAILS = '#!/bin/sh\necho "\u001b[2Jbroken" >&2\nexit 1\n';

/** Lays a script over a program, where only what is started by this sees it. */
const COVER =
	'script=$1; shift; for file in $1; do mount --bind "$script" "$(readlink -f "$(command -v "$file")")"; done; shift; exec "$@"';

describe('the facts, where a program', () => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host();
	});

	async function factsWith(text: string, programs: string): Promise<FactSheet> {
		const script = path.join(host.folder, 'cover');
		writeFileSync(script, text, {mode: 0o755});
		const cover = ['unshare', '--mount', 'sh', '-c', COVER, 'sh', script, programs];
		const {status, stdout, stderr} = await execute(
			[...host.enter, ...cover, process.execPath, CLI, 'facts', '--json'],
			{},
			host.variables,
		);
		expect({status, stderr}).toEqual({status: 0, stderr: ''});
		return JSON.parse(stdout);
	}

	it.each([
		{program: 'ss', unknown: [], missing: []},
		{
			program: 'nft',
			unknown: ['nft', 'published'],
			missing: [
				'The version of nft is not known: no answer within 3 s',
				'Which ports are forwarded is not known: nft does not answer: nft took too long',
			],
		},
		{
			program: 'iptables',
			unknown: ['iptables', 'published'],
			missing: ['Which iptables is in use is not known: no answer within 3 s'],
		},
		{
			program: 'unshare',
			unknown: ['namespaces'],
			missing: [
				'Whether namespaces can be made is not known: unshare does not answer: unshare took too long',
			],
		},
	] as const)(
		'hangs, are there in time without what $program knows',
		async ({program, unknown, missing}) => {
			const machine = await factsWith(HANGS, program);
			for (const fact of ['nft', 'iptables', 'published', 'namespaces', 'listeners'] as const) {
				const isUnknown = machine[fact] === 'unknown';
				expect(isUnknown, fact).toBe((unknown as readonly string[]).includes(fact));
			}

			expect(machine.missing).toEqual(expect.arrayContaining([...missing]));
		},
	);

	it('fails, are there without what it knows', async () => {
		const machine = await factsWith(FAILS, 'ss nft iptables');
		expect(machine).toMatchObject({nft: 'unknown', iptables: 'unknown', listeners: []});
		expect(machine.missing).toEqual(
			expect.arrayContaining([
				'Which iptables is in use is not known: iptables does not say its version: ?[2Jbroken',
				'The version of nft is not known: nft does not say its version',
			]),
		);
	});
});

describe('with hardly a file that may be opened', () => {
	it.each([
		{limit: 20, command: 'facts', expected: 0, said: /^$/},
		{
			limit: 20,
			command: 'apply --rehearse --role server --yes',
			expected: 3,
			said: /^fw-wizard: unshare could not be started: fw-wizard has too many files open \(see ulimit -n\)\n/,
		},
		{limit: 30, command: 'facts', expected: 0, said: /^$/},
	])('$command ends well, or says why it does not ($limit)', async ({limit, command, ...rest}) => {
		const lower = `ulimit -n ${limit}; exec "$@"`;
		const words = ['sh', '-c', lower, 'sh', process.execPath, CLI, ...command.split(' ')];
		const {status, stderr} = await execute(words);
		expect(status, stderr).toBe(rest.expected);
		expect(stderr).toMatch(rest.said);
	});
});
