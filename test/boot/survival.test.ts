import {describe, expect, test} from 'vitest';
import type {Item} from '../../source/checklist/checklist-item.ts';
import {REBOOT_WORD} from '../../source/ui/text/texts.ts';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {canLogIn, logIn, runThere} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {walkAndLoad} from '../_helpers/terminal/walk.ts';
import {scan} from '../_helpers/traffic/scan.ts';
import {chooseInHome} from '../_helpers/ui/journey.ts';
import {rebootUnderProbe, SHUT} from './probe.ts';

const FLAGS =
	'--role server --verdict drop --no-helper --no-log --open 22/tcp --open 8000-8010/tcp';

/**
 * A service that loads rules at boot in place of all that are there, as iptables-services of Red Hat
 * and iptables of Arch do: under the same names, before the network too.
 */
const OTHERS = {
	'/etc/sysconfig/iptables':
		'*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -s 192.0.2.99/32 -j DROP\nCOMMIT\n',
	'/etc/systemd/system/iptables.service': `[Unit]
Description=IPv4 firewall with iptables
DefaultDependencies=no
After=local-fs.target
Before=network-pre.target
Wants=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=/bin/sleep 1
ExecStart=/usr/sbin/iptables-restore /etc/sysconfig/iptables
[Install]
WantedBy=multi-user.target
`,
};

describe.each(suitesHere())(
	'a firewall that is kept, and a machine that is rebooted, %s',
	(suite) => {
		const lab = useLab();
		const debians = useDebians(lab);
		const terminals = useTerminals();

		test('is the same afterwards, and lets nothing pass meanwhile', async () => {
			const debian = await debians.boot(suite, OTHERS);
			await debian.install();
			await debian.host.must('systemctl', ['--quiet', 'enable', 'iptables.service']);

			// That the prober sees what a boot without a firewall lets through.
			const bare = await rebootUnderProbe(debian);
			expect(bare.passed).toBeGreaterThan(0);
			expect(Object.keys(bare.answers)).toEqual(
				expect.arrayContaining(['tcp ECONNREFUSED', 'udp ECONNREFUSED']),
			);

			const wizard = logIn(terminals, debian, `node ${PROGRAM} ${FLAGS}`);
			await walkAndLoad(wizard, 'open');
			const {stdout} = await runThere(debian, `node ${PROGRAM} confirm`);
			expect(stdout).toContain('Confirmed change 1');
			await wizard.waitFor('Loaded and read back');
			await wizard.waitFor('reboot, then: node ');
			wizard.type('s');
			await wizard.waitFor(/^\S scanned from another machine\n(?! +nmap)/m);
			wizard.type('c');
			await wizard.waitFor(`type ${REBOOT_WORD} and press Enter`);
			const before = {scans: await scanAll(debian), rules: await readSaves(debian.host)};
			expect(before.scans.map(({ports}) => ports)).toEqual([
				{closed: range(8000, 8010), open: [22]},
				{closed: range(8000, 8010), open: [22]},
			]);

			wizard.type(`${REBOOT_WORD}\r`);
			const during = await rebootUnderProbe(debian);
			expect(during.arrived).toBeGreaterThan(100);
			expect({passed: during.passed, answers: during.answers}).toEqual({passed: 0, answers: {}});

			const check = await runThere(debian, `node ${PROGRAM} check --json`);
			const {well, items} = JSON.parse(check.stdout) as {well: boolean; items: readonly Item[]};
			expect(items.filter(({state}) => state !== 'ok')).toEqual([]);
			expect({well, status: check.status}).toEqual({well: true, status: 0});
			expect(items.map(({id}) => id)).toEqual(expect.arrayContaining(['survived', 'ports']));
			const again = logIn(terminals, debian, `node ${PROGRAM}`);
			await chooseInHome(again, 'Check everything');
			await again.waitFor('the rules have survived a boot');
			expect({scans: await scanAll(debian), rules: await readSaves(debian.host)}).toEqual(before);
			expect(before.rules.ipv4).toContain('-A INPUT -s 192.0.2.99/32 -j DROP\n');
			expect(await Promise.all([canLogIn(debian, 4), canLogIn(debian, 6)])).toEqual([true, true]);
		}, 300_000);
	},
);

/** What nmap sees from outside, over both families. */
async function scanAll(debian: Debian) {
	return Promise.all(
		debian.addresses.map(async (address) =>
			scan(debian.client, address, ['-sS', '-p', `1-1024,${SHUT},8000-8020`], 'tcp'),
		),
	);
}

function range(first: number, last: number): readonly number[] {
	return Array.from({length: last - first + 1}, (_, index) => first + index);
}
