import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';

const RESTORE = '/usr/sbin/iptables-restore';
const QUESTION =
	'iptables is not installed. Install it now with "apt-get install -y --no-install-recommends iptables"? [y/N]';
/** Stands for apt-get: says what it was asked, fails without its lists, and brings iptables back with them. */
const APT = (folder: string) => `#!/bin/sh
echo "apt-get $*"
case $1 in
	update) touch ${folder}/lists ;;
	*) test -e ${folder}/lists && umount ${RESTORE} ;;
esac
`;

describe('where iptables is missing', () => {
	const lab = useLab();
	const terminals = useTerminals();
	let host: Host;
	let folder: string;

	beforeEach(async () => {
		folder = mkdtempSync(path.join(tmpdir(), 'fww-test-'));
		writeFileSync(path.join(folder, 'apt-get'), APT(folder), {mode: 0o755});
		host = await lab.host();
		await host.must('mount', ['--bind', '/dev/null', RESTORE]);
		await host.must('mount', ['--bind', path.join(folder, 'apt-get'), '/usr/bin/apt-get']);
	});
	afterEach(() => rmSync(folder, {recursive: true}));

	const open = (...args: readonly string[]) =>
		terminals.start([process.execPath, CLI, ...args], {
			enter: host.enter,
			variables: host.variables,
			columns: 120,
		});

	test('it is installed when the answer is yes, with fresh lists if need be, before a rehearsal starts', async () => {
		const terminal = open('--rehearse');
		await terminal.waitFor(QUESTION);
		terminal.type('y\r');
		await terminal.waitFor('Review this setup');
		expect(terminal.output().match(/^apt-get .*(?=\r)/gm)).toEqual([
			'apt-get install -y --no-install-recommends iptables',
			'apt-get update',
			'apt-get install -y --no-install-recommends iptables',
		]);
		expect(await terminal.waitFor(/^iptables: /m)).not.toContain('not installed');
	});

	test('nothing is installed when the answer is anything else, and the rules can be looked at', async () => {
		const terminal = open();
		await terminal.waitFor(QUESTION);
		terminal.type('\r');
		await terminal.waitFor('Review this setup');
		expect(terminal.output()).not.toMatch(/^apt-get /m);
		await terminal.waitFor('iptables: not installed. You can look at rules, but not load them');
	});
});
