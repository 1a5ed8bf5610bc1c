import {writeFileSync} from 'node:fs';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {BOOT} from '../_helpers/lab/boot-script.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {connect, INSIDE, IPV6, joinedPair, serve} from '../_helpers/lab/pair.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves} from '../_helpers/samples/saves.ts';

const SERVER = ['--role', 'server', '--open', '22/tcp'];

/** Seconds from a command to the end that it names: more than the command takes on a busy machine. */
const SECONDS = 20;

describe.each(mainly('nft'))('openings that end, %s', (backend) => {
	const lab = useLab();
	let target: Host;
	let probe: Host;

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, backend));
		await serve(target, 'tcp:22', 'tcp:8080', 'tcp:8081');
		await wizardDoes(target, 'apply', ...SERVER);
	});

	const outcomes = async (port: number) =>
		Promise.all([INSIDE.target, IPV6.target].map(async (address) => connect(probe, address, port)));

	test('end by themselves, without a program of ours, and again after a boot', async () => {
		const begin = Date.now();
		const said = await wizardDoes(target, 'open', '8080/tcp', '--for', `${SECONDS}s`, '--no-proof');
		expect(said).toMatch(/8080\/tcp until \d{4}-\d\d-\d\d .* \(in \d+ s\) is open/);
		expect(await outcomes(8080)).toEqual(['succeeded', 'succeeded']);
		const policy = JSON.parse(await target.must('cat', ['/etc/fw-wizard/policy.json']));
		const [, until = ''] = / until (\S+)$/.exec(policy.openings[1]) ?? [];
		expect(Date.parse(until)).toBeGreaterThanOrEqual(begin + (SECONDS - 1) * 1000);
		// As a boot does: nothing is loaded, and then what the boot loads.
		await target.must('iptables', ['-D', 'INPUT', '-j', 'FW-WIZARD-INPUT']);
		await target.must('ip6tables', ['-D', 'INPUT', '-j', 'FW-WIZARD-INPUT']);
		await target.must('sh', ['-c', BOOT]);
		expect(await outcomes(8080)).toEqual(['succeeded', 'succeeded']);
		expect(Date.now()).toBeLessThan(Date.parse(until));
		await delay(Date.parse(until) + 1100 - Date.now());
		expect(await outcomes(8080)).toEqual(['refused', 'refused']);
		expect((await readSaves(target)).ipv4).toContain('--datestop');
		await target.must('sh', ['-c', BOOT]);
		expect(await outcomes(8080)).toEqual(['refused', 'refused']);
	});

	test('are as expected once they have ended, and go with the next change', async () => {
		const {failed} = await readChecklist(target);
		expect(Object.keys(failed).filter((id) => /running|reached|boot-rules/.test(id))).toEqual([]);
		const said = await wizardDoes(target, 'open', '8081/tcp');
		expect(said).toMatch(/^- IPv4, IPv6: .*--datestop .*8080|^- IPv4, IPv6: .*8080.*--datestop/m);
		expect((await readSaves(target)).ipv4).not.toContain('--datestop');
		expect(await wizardDoes(target, 'rules')).not.toContain('8080');
	});

	test('are proven while they last', async () => {
		const said = await wizardDoes(target, 'open', '8080/tcp', '--for', '2h');
		expect(said).toContain('only what the policy opens passes');
		expect(await wizardDoes(target, 'open', '8080/tcp', '--for', '1h')).toContain(
			'Nothing changes',
		);
		await wizardDoes(target, 'open', '8080/tcp', '--no-proof');
		expect((await readSaves(target)).ipv6).not.toContain('--datestop');
		await wizardDoes(target, 'close', '8080/tcp', '--no-proof');
	});

	test('are left out of a policy file where they have ended, and refused as flags', async () => {
		const openings = ['22/tcp', '80/tcp until 2020-01-01T00:00:00Z'];
		const text = JSON.stringify({version: 1, role: 'server', openings});
		writeFileSync(inView(target, '/etc/old.json'), text);
		const {stdout, stderr, status} = await wizard(target, 'rules', '--policy', '/etc/old.json');
		expect(status).toBe(0);
		expect(stderr).toContain('80/tcp until 2020-01-01T00:00:00Z has ended: it is left out');
		expect(stdout).not.toContain('dport 80');
		const flags = ['rules', '--role', 'server', '--open', openings[1] ?? ''];
		expect((await wizard(target, ...flags)).status).toBe(2);
	});

	test('leave a connection that exists as it is', async () => {
		await wizardDoes(target, 'open', '8080/tcp', '--for', `${SECONDS}s`, '--no-proof');
		const script = `const s = require('net').connect(8080, '${INSIDE.target}', () => console.log('ready'));
setInterval(() => s.write('x'), 300); s.on('data', (d) => console.log('got ' + Date.now())); s.on('error', () => process.exit(1));`;
		const client = await probe.start(process.execPath, ['-e', script], /ready/);
		await vi.waitFor(async () => expect(await outcomes(8080)).toEqual(['refused', 'refused']), {
			...{timeout: 60_000, interval: 500},
		});
		const alive = await probe.run('kill', ['-0', String(client.pid)]);
		expect(alive.status).toBe(0);
		await client.stop();
	});

	test('are refused where the kernel cannot end them', async () => {
		const replaced = Object.fromEntries(
			['iptables-restore', 'ip6tables-restore'].map((name) => {
				const file = inView(target, `/etc/${name}-without`);
				const program = name.replace('-', `-${backend}-`);
				const script = `#!/bin/sh\nsed 's/-m time/-m nosuch/' | /usr/sbin/${program} "$@"\n`;
				writeFileSync(file, script, {mode: 0o755});
				return [name, file];
			}),
		);
		const poor = await lab.host({backend, replaced});
		await poor.must(process.execPath, [CLI, 'apply', ...SERVER, '--yes']);
		const {status, stderr} = await wizard(poor, 'open', '80/tcp', '--for', '1h');
		expect([status, stderr]).toEqual([3, expect.stringContaining('xt_time is missing')]);
		expect((await readSaves(poor)).ipv4).not.toContain('dport 80');
	});
});
