import {describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {type Debian, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {execute} from '../_helpers/lab/programs.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {canLogIn} from '../_helpers/ssh/ssh.ts';

const SEED = '/var/lib/cloud/seed/nocloud';
const JUMP = '-A INPUT -j FW-WIZARD-INPUT';

/** Read before sshd starts. */
const WITNESS = `[Service]
ExecStartPre=/bin/sh -c 'iptables-save >/run/rules-at-ssh; ip6tables-save >>/run/rules-at-ssh'
`;

describe.each(suitesHere())('user data of cloud-init on a machine that it sets up, %s', (suite) => {
	const debians = useDebians(useLab());
	const rulesAtSsh = async ({host}: Debian) =>
		(await host.must('cat', ['/run/rules-at-ssh'])).split('\n').filter((line) => line === JUMP);

	test('has the rules before sshd, at the first boot and at later ones', async () => {
		const words = ['export', 'cloud-init', '--role', 'server', '--open', '22/tcp'];
		const {stdout: data} = await execute([process.execPath, CLI, ...words]);
		const debian = await debians.boot(
			suite,
			{
				// Nothing can be downloaded here, and nothing needs to be.
				[`${SEED}/user-data`]: data.replace('packages:\n  - iptables\n', ''),
				[`${SEED}/meta-data`]: 'instance-id: fww-1\n',
				'/etc/cloud/cloud.cfg.d/99-fww.cfg':
					'datasource_list: [NoCloud]\nnetwork: {config: disabled}\ndisable_root: false\nssh_deletekeys: false\n',
				'/etc/cloud/ds-identify.cfg': 'policy: enabled\n',
				'/etc/systemd/system/ssh.service.d/witness.conf': WITNESS,
			},
			{packages: ['cloud-init']},
		);
		expect(await rulesAtSsh(debian)).toEqual([JUMP, JUMP]);
		const first = await readSaves(debian.host);
		expect(
			await debian.host.run('sh', ['/usr/local/sbin/fw-wizard-firewall', 'status']),
		).toMatchObject({status: 0});
		expect(await canLogIn(debian, 4)).toBe(true);

		await debian.reboot();
		expect(await rulesAtSsh(debian)).toEqual([JUMP, JUMP]);
		expect(await readSaves(debian.host)).toEqual(first);
	}, 240_000);
});
