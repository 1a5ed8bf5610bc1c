import path from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {FLAGS} from '../_helpers/ui/journey.ts';

const PYTHON = [
	...['cloud-init', 'python3-attr', 'python3-certifi', 'python3-chardet'],
	...['python3-cffi-backend', 'python3-charset-normalizer', 'python3-configobj'],
	...['python3-cryptography', 'python3-idna', 'python3-jinja2', 'python3-json-pointer'],
	...['python3-jsonpatch', 'python3-jsonschema', 'python3-jwt', 'python3-markupsafe'],
	...['python3-netifaces', 'python3-oauthlib', 'python3-packaging', 'python3-pyrsistent'],
	...['python3-requests', 'python3-resolvelib', 'python3-serial', 'python3-six', 'python3-urllib3'],
	...['python3-blinker', 'python3-yaml'],
];

describe('export cloud-init', () => {
	const lab = useLab();
	let host: Host;
	let python: readonly string[];

	beforeAll(async () => {
		host = await lab.host();
		// Never installed: cloud-init would configure this machine at its next boot.
		const folder = await unpackPackages(...PYTHON);
		python = [
			`PYTHONPATH=${path.join(folder, 'usr/lib/python3/dist-packages')}`,
			`HOME=${host.folder}`,
			'LC_ALL=C.UTF-8',
			'/usr/bin/python3',
			'-m',
		];
		await host.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
		await host.must('mount', ['-t', 'tmpfs', 'fww-test', '/usr/local/sbin']);
	}, 180_000);

	const write = async (form: string, file: string) =>
		host.must('tee', [file], {input: await wizardDoes(host, 'export', form, ...FLAGS)});

	test('cloud-init finds the user data valid, and runs the script that export shell prints', async () => {
		const file = '/etc/user-data';
		await write('cloud-init', file);
		const check = ['cloudinit.cmd.main', 'schema', '--config-file', file];
		const {status, stdout, stderr} = await host.run('env', [...python, ...check]);
		expect({status, text: `${stdout}${stderr}`}).toEqual({
			status: 0,
			text: expect.stringContaining(`Valid cloud-config: ${file}`),
		});
		const read = `import json, sys, yaml; print(json.dumps(yaml.safe_load(open('${file}'))))`;
		const {
			packages,
			bootcmd: [early],
			runcmd: [late],
		} = JSON.parse(await host.must('env', [...python.slice(0, -1), '-c', read]));
		expect(packages).toEqual(['iptables']);

		// What cloud-init does with these (cc_bootcmd, cc_runcmd), on an image without iptables, and on one that has it.
		const script = '/usr/local/sbin/fw-wizard-firewall';
		const without = ['mkdir', 'base64', 'gzip', 'chmod', 'mv'].map(
			(name) => `ln -s $(command -v ${name}) /run/bin/`,
		);
		await host.must('sh', ['-ec', ['mkdir /run/bin', ...without].join('\n')]);
		const bare = await host.run('env', ['PATH=/run/bin', '/bin/sh', '-c', early]);
		expect(bare).toMatchObject({
			status: 0,
			stderr: expect.stringContaining('iptables is not installed yet: nothing is filtered'),
		});
		expect(await host.must('cat', [script])).toBe(
			await wizardDoes(host, 'export', 'shell', ...FLAGS),
		);
		expect(await host.must('stat', ['--format', '%a', script])).toBe('700\n');
		await host.must(late[0], late.slice(1));
		expect(await host.run('sh', [script, 'status'])).toMatchObject({status: 0});
		await host.must('sh', ['-ec', `sh ${script} remove && rm ${script}`]);
		await host.must('sh', ['-c', early]);
		expect(await host.run('sh', [script, 'status'])).toMatchObject({status: 0});
		const other = await lab.host();
		await wizardDoes(other, 'apply', ...FLAGS);
		expect(await readSaves(host)).toEqual(await readSaves(other));
		await host.must('sh', ['-ec', `sh ${script} remove && rm ${script}`]);
	});
});
