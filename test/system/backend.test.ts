import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';

describe('iptables', () => {
	const lab = useLab();
	let folder = '';

	beforeAll(() => {
		folder = mkdtempSync(path.join(os.tmpdir(), 'fww-backend-'));
	});

	afterAll(() => rmSync(folder, {recursive: true}));

	/** Gives a machine an interface, without which nothing can reach it. */
	async function plugged(host: Host): Promise<Host> {
		await host.ip([
			'link add d0 type veth peer name d1',
			'link set d1 up',
			'address add 192.0.2.1/24 dev d0',
			'link set d0 up',
		]);
		return host;
	}

	/** A machine whose `iptables -V` runs these lines of a shell first. */
	async function hostWith(backend: (typeof BACKENDS)[number], onVersion: string) {
		const script = path.join(folder, `iptables-${backend}`);
		const lines = [
			'#!/bin/sh',
			`[ "$1" = -V ] && { ${onVersion}; }`,
			`exec /usr/sbin/iptables-${backend} "$@"`,
		];
		writeFileSync(script, `${lines.join('\n')}\n`, {mode: 0o755});
		return plugged(await lab.host({backend, replaced: {iptables: script}}));
	}

	describe.each(BACKENDS)('the backend %s', (backend) => {
		it('is asked for once by each command', async () => {
			const log = path.join(folder, `asked-${backend}`);
			const host = await hostWith(backend, `echo asked >>${log}`);
			for (const args of [
				['facts'],
				['exposure', '--role', 'server'],
				['apply', '--role', 'server', '--existing', 'flush-input'],
				['check'],
				['prove', '--of', 'running'],
				['undo', '--all'],
			]) {
				rmSync(log, {force: true});
				await wizardDoes(host, ...args);
				expect(existsSync(log) && readFileSync(log, 'utf8'), args.join(' ')).toBe('asked\n');
			}
		});

		it('is no guess where iptables does not work', async () => {
			const host = await hostWith(backend, 'echo "no such library" >&2; exit 1');
			for (const args of [
				['apply', '--role', 'server'],
				['prove', '--role', 'server'],
				['exposure'],
				['check'],
				['undo', '--all'],
			]) {
				const {status, stderr} = await wizard(host, ...args);
				expect({status, stderr}, args.join(' ')).toEqual({
					status: 3,
					stderr:
						'fw-wizard: iptables does not say its version: no such library\nSee what is wrong with it: iptables -V\n',
				});
			}

			expect(await wizardDoes(host, 'facts')).toContain('\niptables: unknown\n');
		});
	});

	it('is missing with iptables: what needs it says so, and what does not goes on', async () => {
		const host = await plugged(await lab.host());
		await wizardDoes(host, 'apply', '--role', 'server');
		await host.must('rm', ['/etc/alternatives/ip6tables-restore']);
		for (const args of [
			['apply', '--role', 'server'],
			['check'],
			['prove', '--of', 'running'],
			['undo', '--all'],
		]) {
			const {status, stderr} = await wizard(host, ...args);
			expect(status, args.join(' ')).toBe(3);
			expect(stderr, args.join(' ')).toMatch(
				/^fw-wizard: ip6tables is not installed\nInstall it: apt-get /,
			);
		}

		expect(await wizardDoes(host, 'facts')).toContain('\niptables: absent\n');
		expect(await wizardDoes(host, 'exposure', '--role', 'server')).toContain(
			'ip6tables is not installed: before the policy can be applied, it must be.',
		);
	});
});
