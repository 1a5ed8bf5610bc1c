import {describe, expect, test} from 'vitest';
import type {Item} from '../../source/checklist/checklist-item.ts';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';

const FLAGS = ['--role', 'server', '--helper', 'ftp', '--log', '--open', '22/tcp limit'];
const DROP_IN = '/etc/systemd/system/fw-wizard.service.d/late.conf';

/** As ifupdown's networking.service: behind the local file systems, before the network is said to be up. */
const NETWORK = `[Unit]
DefaultDependencies=no
After=local-fs.target network-pre.target
Before=network.target network-online.target shutdown.target
Wants=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
[Install]
WantedBy=multi-user.target network-online.target
`;

describe.each(suitesHere())('the unit of systemd, booted, %s', (suite) => {
	const debians = useDebians(useLab());
	const check = async ({host}: Debian): Promise<Readonly<Record<string, Item>>> => {
		const {stdout} = await host.run('node', [PROGRAM, 'check', '--json']);
		const {items} = JSON.parse(stdout) as {items: readonly Item[]};
		return Object.fromEntries(items.map((item) => [item.id, item]));
	};

	test('has few rights, enough for either backend, and says which line keeps it from its place', async () => {
		const debian = await debians.boot(suite, {
			'/etc/systemd/system/network-here.service': NETWORK,
			// A circle without us, and no reason to fail: systemd breaks it elsewhere.
			'/etc/fstab': 'tmpfs /mnt/data tmpfs x-systemd.requires=network-online.target,nofail 0 0\n',
		});
		const {host} = debian;
		await debian.install();
		await host.must('systemctl', ['--quiet', 'enable', 'network-here']);
		for (const backend of ['legacy', 'nft'] as const) {
			await debian.chooseBackend(backend);
			await host.must('node', [PROGRAM, 'apply', ...FLAGS, '--yes']);
			await debian.reboot();
			const {service, order, ...running} = await check(debian);
			expect({
				service,
				order,
				running: running['running-ipv4'],
				v6: running['running-ipv6'],
			}).toEqual({
				service: expect.objectContaining({state: 'ok'}),
				order: undefined,
				running: expect.objectContaining({state: 'ok'}),
				v6: expect.objectContaining({state: 'ok'}),
			});
			for (const verb of ['reload', 'restart']) {
				await host.must('systemctl', [verb, 'fw-wizard']);
			}

			if (backend === 'legacy') {
				await host.must('node', [PROGRAM, 'undo', '--all']);
			}
		}

		const said = await host.must('systemd-analyze', [
			'--no-pager',
			'security',
			'fw-wizard.service',
		]);
		// Without a restriction it is 9.5.
		expect(Number(/exposure level .*: ([\d.]+)/.exec(said)?.[1])).toBeLessThan(5);

		// Neither systemctl daemon-reload nor a boot comes between.
		const put = async (file: string, text: string) =>
			host.must('sh', [
				'-ec',
				'mkdir -p "$(dirname "$1")"; printf %s "$2" >"$1"',
				'sh',
				file,
				text,
			]);
		await put('/etc/fstab', '# Files\nnas:/fw /etc/fw-wizard nfs defaults 0 0\n');
		expect((await check(debian)).order).toMatchObject({
			state: 'failed',
			cause: expect.stringMatching(
				/the order is a cycle: .*fw-wizard\.service after etc-fw\\x2dwizard\.mount.*; see \/etc\/fstab:2 "nas:\/fw \/etc\/fw-wizard nfs defaults 0 0"/,
			),
		});
		await put('/etc/fstab', '');
		await put(
			DROP_IN,
			'[Unit]\n# As a wiki has it\nAfter=network-online.target\nWants=network-online.target\n',
		);
		expect((await check(debian)).order?.cause).toContain(
			`${DROP_IN}:3 "After=network-online.target"`,
		);
		await host.must('rm', [DROP_IN]);
		expect((await check(debian)).order).toBeUndefined();
	}, 240_000);
});
