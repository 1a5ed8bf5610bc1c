import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {XMLValidator} from 'fast-xml-parser';
import {beforeAll, describe, expect, test} from 'vitest';
import * as z from 'zod';
import {SCHEMAS} from '../../source/commands/schema/outputs.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {execute} from '../_helpers/lab/programs.ts';

const HOSTILE = `"><script>alert('x')</script>|\`a\` \u001B]0;x\u0007\u202E\n# TYPE x gauge`;
/** All that a file's name can be. */
const HOSTILE_NAME = '<img src=x onerror=alert(1)> "&\n\\';

describe('fw-wizard report --fleet', () => {
	const lab = useLab();
	let host: Host;
	let folder: string;
	let well: Record<string, unknown>;
	const put = (name: string, value: unknown) =>
		writeFileSync(path.join(folder, name), JSON.stringify(value));
	/** As an ordinary user: it reads files, and nothing of this machine. */
	const report = async (...args: readonly string[]) =>
		host.run('setpriv', [
			'--reuid=65534',
			'--clear-groups',
			process.execPath,
			CLI,
			'report',
			...args,
		]);

	beforeAll(async () => {
		host = await lab.host();
		folder = path.join(host.folder, 'fleet');
		mkdirSync(folder);
		await host.must('chmod', ['755', host.folder, folder]);
		const {stdout: nothing} = await wizard(host, 'status', '--json');
		put('mail.json', JSON.parse(nothing));
		const policy = ['--role', 'server', '--open', '22/tcp', '--open', '5432/tcp from 10.0.0.0/8'];
		await wizardDoes(host, 'apply', ...policy, '--boot', 'none');
		well = JSON.parse(await wizardDoes(host, 'status', '--json'));
		put('web1.status.json', well);
		await host.must('iptables', ['-F', 'FW-WIZARD-INPUT']);
		put('web2.status.json', JSON.parse((await wizard(host, 'status', '--json')).stdout));
		put('web2.check.json', JSON.parse((await wizard(host, 'check', '--json')).stdout));
		put('web3.json', JSON.parse((await wizard(host, 'prove', '--of', 'nothing', '--json')).stdout));
		const script = path.join(host.folder, 'exported');
		await host.must('sh', [
			'-c',
			'"$0" "$1" export shell --role server >"$2"',
			process.execPath,
			CLI,
			script,
		]);
		const asked = await host.run('sh', [script, 'status', '--json']);
		writeFileSync(path.join(folder, 'db1.json'), asked.stdout);
		writeFileSync(path.join(folder, 'web4.json'), '{"active": tr');
		put('web10.json', {active: true});
		// Of an older version, which knew less.
		const {published: _, blocked: __, applied: ___, ...less} = well;
		put('web5.json', {...less, policy: {version: 1, new: 'field'}});
		put(`${HOSTILE_NAME}.json`, {...well, differences: [HOSTILE], unread: [HOSTILE]});
	});

	test('has a row for each host, and exits with 1 where something is wrong or unknown', async () => {
		const {status, stdout, stderr} = await report('--fleet', folder, '--json');
		expect({status, stderr}).toEqual({status: 1, stderr: ''});
		const found = JSON.parse(stdout);
		expect(z.safeParse(SCHEMAS.report(), found).error).toBeUndefined();
		expect(stdout).not.toMatch(/[\u007F-\u009F\u202E]|\\u001b/i);
		const rows = Object.fromEntries(
			found.hosts.map(({host: name, ...row}: {host: string}) => [name, row]),
		);
		expect(Object.keys(rows)).toEqual([
			...[
				HOSTILE_NAME.replace('\n', '?'),
				'db1',
				'mail',
				'web2',
				'web3',
				'web4',
				'web10',
				'web1',
				'web5',
			],
		]);
		expect(rows.web1).toEqual({
			...{known: true, problems: [], active: true, boot: null, checked: null},
			open: ['22/tcp', '5432/tcp from 10.0.0.0/8'],
		});
		expect(rows.web5).toEqual(rows.web1);
		expect(rows.mail).toMatchObject({
			known: true,
			active: false,
			problems: ['inactive'],
			open: null,
		});
		// The script of export shell has a form of its own.
		expect(rows.db1).toMatchObject({known: true, active: false, open: null});
		expect(rows.db1.problems).toContainEqual(expect.stringMatching(/^not loaded: /));
		// Status and check of one host, in two files.
		for (const problem of [
			/^IPv4, rule 1 of FW-WIZARD-INPUT: .* is missing$/,
			/^Failed: the running IPv4 rules match the policy: /,
		]) {
			expect(rows.web2.problems).toContainEqual(expect.stringMatching(problem));
		}

		expect(rows.web3).toMatchObject({known: false, problems: [expect.stringContaining('nothing')]});
		expect(rows.web4).toMatchObject({known: false, problems: ['web4.json: it is not JSON']});
		expect(rows.web10).toMatchObject({
			known: false,
			problems: [expect.stringMatching(/not of fw-/)],
		});
	});

	test('exits with 0 where all is well, and takes rows of several hosts in one file', async () => {
		const one = path.join(host.folder, 'rows.json');
		const row = {result: 'well', code: 0, output: well, error: null};
		// As --host a --host b status --json prints it.
		const hosts = [
			{host: 'a', ...row},
			{host: 'b', ...row},
		];
		writeFileSync(one, JSON.stringify({command: 'status', well: true, hosts}));
		const down = {output: null, error: {message: 'No route to host', advice: ''}};
		const two = `${one}l`;
		writeFileSync(
			two,
			JSON.stringify([
				{host: 'c', ...down},
				{host: 'd', ...well},
			]),
		);
		const {hosts: read} = JSON.parse((await report('--fleet', two, '--json')).stdout);
		expect(read).toMatchObject([
			{host: 'c', known: false, problems: ['No route to host']},
			{host: 'd', known: true, problems: []},
		]);
		const file = path.join(folder, 'web1.status.json');
		const {status, stdout} = await report('--fleet', file, one);
		expect(status).toBe(0);
		expect(stdout).toContain('All well: each firewall is active and does what its policy says.');
		expect(stdout).toMatch(/\| `5432\/tcp from 10\.0\.0\.0\/8` \| 3 \| a, b, web1 \|/);
	});

	test('is a page, Markdown and metrics in which nothing of a host is anything but text', async () => {
		const [page, metrics] = [path.join(host.folder, 'fleet.html'), path.join(host.folder, 'prom')];
		mkdirSync(metrics);
		await host.must('chown', ['65534', host.folder, metrics]);
		const made = await report('--fleet', folder, '--html', page, '--textfiles', metrics);
		expect(made).toEqual({status: 1, stdout: `Written: ${page}\n`, stderr: ''});
		const html = readFileSync(page, 'utf8');
		expect(XMLValidator.validate(html)).toBe(true);
		expect(html).not.toMatch(/<(?:script|img|a|link|iframe|form)\b|<[^>]*\son\w+=/i);
		expect(html).toContain('&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;');
		const {stdout: markdown} = await report('--fleet', folder);
		// biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
		expect(html + markdown).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202E]/);
		expect(markdown).not.toMatch(/(?<!\\)<(?:script|img)/);

		const names = readdirSync(metrics).sort();
		expect(names).toEqual([
			'_img_src_x_onerror_alert_1_______.prom',
			...[
				'db1.prom',
				'mail.prom',
				'web1.prom',
				'web10.prom',
				'web2.prom',
				'web3.prom',
				'web4.prom',
				'web5.prom',
			],
		]);
		const promtool = `${await unpackPackages('prometheus')}/usr/bin/promtool`;
		for (const name of names) {
			const input = readFileSync(path.join(metrics, name), 'utf8');
			const checked = await execute([promtool, 'check', 'metrics'], {input});
			expect({name, ...checked}).toEqual({name, status: 0, stdout: '', stderr: ''});
		}

		const web1 = readFileSync(path.join(metrics, 'web1.prom'), 'utf8');
		expect(web1.match(/^fw_.*$/gm)).toEqual([
			'fw_wizard_host_known{host="web1"} 1',
			'fw_wizard_host_problems{host="web1"} 0',
			'fw_wizard_host_active{host="web1"} 1',
			'fw_wizard_host_openings{host="web1"} 2',
		]);
		// Its own files are replaced, others not.
		expect((await report('--fleet', folder, '--textfiles', metrics)).status).toBe(1);
		writeFileSync(path.join(metrics, 'web1.prom'), 'up 1\n');
		const refused = await report('--fleet', folder, '--textfiles', metrics);
		expect(refused).toMatchObject({
			status: 2,
			stderr: expect.stringContaining('is not of fw-wizard'),
		});
	});

	test.each([
		[['--fleet', '/none'], /^fw-wizard: \/none: no such file/],
		[['--fleet', '/proc/self/fdinfo'], /^fw-wizard: The folder has no files \*\.json/],
		[['--fleet', '/etc', '--prove'], /^fw-wizard: --prove is for this machine/],
	])('%j is refused', async (args, message) => {
		const {status, stderr} = await report(...args);
		expect(status).toBe(2);
		expect(stderr).toMatch(message);
	});
});
