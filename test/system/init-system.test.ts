import {copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {succeed} from '../_helpers/lab/programs.ts';

const PROGRAM = `${process.execPath} ${CLI}`;

describe('the init system that runs is known by PID 1, not by what is installed', () => {
	let folder = '';

	beforeAll(() => {
		folder = mkdtempSync(path.join(os.tmpdir(), 'fww-init-'));
		for (const name of ['systemd', 'init', 'runit', 'openrc-init', 'tini']) {
			copyFileSync('/bin/sh', path.join(folder, name));
		}

		mkdirSync(path.join(folder, 'alpine'));
		copyFileSync('/bin/sh', path.join(folder, 'busybox'));
		symlinkSync('../busybox', path.join(folder, 'alpine', 'init'));
	});

	afterAll(() => rmSync(folder, {recursive: true}));

	it.each([
		{pid1: 'systemd', lays: 'true', runs: 'systemd'},
		{pid1: 'tini', lays: 'mkdir -p /run/systemd/system', runs: 'systemd'},
		{pid1: 'tini', lays: 'mkdir /run/openrc', runs: 'OpenRC'},
		{pid1: 'openrc-init', lays: 'true', runs: 'OpenRC'},
		{
			pid1: 'init',
			lays: 'mount -t tmpfs t /etc; mkdir /etc/init.d; : >/etc/init.d/rcS',
			runs: 'sysvinit',
		},
		{pid1: 'alpine/init', lays: 'true', runs: 'BusyBox init'},
		{pid1: 'runit', lays: 'true', runs: 'runit'},
		{pid1: 'tini', lays: 'true', runs: 'unknown'},
	])('$pid1 after "$lays": $runs', async ({pid1, lays, runs}) => {
		const text = await succeed(asPid1(pid1, `{ ${lays}; } && ${PROGRAM} facts --json; true`));
		expect(JSON.parse(text)).toMatchObject({init: runs});
	});

	it('and the installed one decides about the boot, also where none runs', async () => {
		const text = await succeed(
			asPid1('tini', `${PROGRAM} apply --rehearse --role server --yes; true`),
		);
		expect(text).toContain('At boot: systemd (detected; to change it: --boot)');
	});

	/** Runs a text with a shell under another name, as PID 1 of a machine on which nothing else runs. */
	function asPid1(name: string, text: string): readonly string[] {
		const words = ['unshare', '--pid', '--fork', '--mount-proc', path.join(folder, name)];
		return [...words, '-c', `mount -t tmpfs fww-test /run && ${text}`];
	}
});
