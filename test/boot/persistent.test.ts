import {describe, expect, test} from 'vitest';
import type {Item} from '../../source/checklist/checklist-item.ts';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {succeed} from '../_helpers/lab/programs.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {canLogIn} from '../_helpers/ssh/ssh.ts';

const POLICY = ['--role', 'server', '--verdict', 'drop', '--open', '22/tcp'];
const THEIRS = '-A INPUT -s 192.0.2.99/32 -j DROP\n';
const OWN_JUMP = '-A INPUT -j FW-WIZARD-INPUT\n';

/** /lib is a link there. */
const UNPACK = 'tar -C "$1" -c . | tar --keep-directory-symlink -C "$2" -x';

/** The items of the checklist that speak of it, as `state cause`. */
async function statements(debian: Debian): Promise<readonly string[]> {
	const {stdout} = await debian.host.run('node', [PROGRAM, 'check', '--json']);
	const {items} = JSON.parse(stdout) as {items: readonly Item[]};
	return items
		.filter(({id, cause}) => id === 'rivals' || `${cause}`.includes('netfilter-persistent'))
		.map(({id, state, cause = ''}) => `${id} ${state} ${cause}`.trim());
}

describe.each(suitesHere())('beside the real iptables-persistent, %s', (suite) => {
	const debians = useDebians(useLab());

	test('rules of both are there after a boot, and what its file lacks is said', async () => {
		const debian = await debians.boot(suite);
		const {host} = debian;
		await debian.install();
		// Programs of this machine's Debian; they are scripts, the same in each.
		const packages = await unpackPackages('iptables-persistent', 'netfilter-persistent');
		await succeed(['sh', '-ec', UNPACK, 'sh', packages, debian.file('/')]);
		await host.must('mkdir', ['-p', '/etc/iptables']);
		await host.must('systemctl', ['daemon-reload']);
		await host.must('systemctl', ['--quiet', 'enable', 'netfilter-persistent']);
		await host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.99', '-j', 'DROP']);
		await host.must('netfilter-persistent', ['save']);

		await host.must('node', [PROGRAM, 'apply', ...POLICY, '--yes']);
		// It would mend what is looked at here.
		await host.must('node', [PROGRAM, 'watch', 'off']);
		expect(await statements(debian)).toEqual([
			'rivals ok',
			`companion-netfilter-persistent ok /etc/iptables/rules.v4 stays as it is. Whoever starts netfilter-persistent anew takes our rules away until: node ${PROGRAM} check --fix`,
		]);
		const before = await readSaves(host);
		await debian.reboot();
		expect(await readSaves(host)).toEqual(before);
		expect(before.ipv4).toContain(THEIRS + OWN_JUMP);

		// Started anew it restores its file alone: ours are gone until they are mended.
		await host.must('netfilter-persistent', ['reload']);
		expect((await readSaves(host)).ipv4).not.toContain(OWN_JUMP);
		await host.run('node', [PROGRAM, 'check', '--fix']);
		expect(await readSaves(host)).toEqual(before);

		await host.must('netfilter-persistent', ['save']);
		expect(await statements(debian)).toEqual([
			'rivals ok',
			'companion-netfilter-persistent ok /etc/iptables/rules.v4 stays as it is. Whoever starts netfilter-persistent anew has our rules as that file has them',
		]);
		await host.must('netfilter-persistent', ['reload']);
		expect(await readSaves(host)).toEqual(before);
		await debian.reboot();
		expect(await readSaves(host)).toEqual(before);
		expect(await canLogIn(debian, 4)).toBe(true);
	}, 300_000);
});
