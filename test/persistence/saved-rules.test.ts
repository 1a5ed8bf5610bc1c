import {chmodSync, mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves} from '../_helpers/samples/saves.ts';

const FILE = '/etc/iptables/rules.v4';
const KEPT = `-A FORWARD -j REJECT --reject-with icmp-host-prohibited
[2:80] -A OUTPUT -d 169.254.0.0/16 -j InstanceServices
-A InstanceServices -d 169.254.169.254/32 -p udp -m udp --dport 53 -m comment --comment "provider's \\"DNS\\", keep" -j ACCEPT
COMMIT
`;
const CHAINS = `# CLOUD_IMG: this file was created by the image
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [463:49013]
:InstanceServices - [0:0]
`;
/** As images of clouds bring it: SSH alone, and that by its usual port. */
const SAVED = `${CHAINS}-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
[7:420] -A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
${KEPT}`;
const APPLY = ['apply', '--yes', '--role', 'server', '--open', '2222/tcp'];
const FLUSH = [...APPLY, '--existing', 'flush-input'];

describe('rules that a change removes, in a file that loads them at boot', () => {
	const lab = useLab();
	let host: Host;
	const saved = () => readFileSync(inView(host, FILE), 'utf8');

	beforeAll(async () => {
		host = await lab.host();
		const unit = '/etc/systemd/system/netfilter-persistent.service';
		const texts = {
			[FILE]: SAVED,
			'/etc/iptables/rules.v6': '',
			[unit]: '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n',
		};
		for (const [file, text] of Object.entries(texts)) {
			mkdirSync(inView(host, path.dirname(file)), {recursive: true});
			writeFileSync(inView(host, file), text);
		}

		chmodSync(inView(host, FILE), 0o640);
		await host.must('systemctl', ['--quiet', 'enable', 'netfilter-persistent']);
		await host.must('iptables-restore', [FILE]);
	});

	test('the change is refused until the user has decided about the file', async () => {
		const before = await readSaves(host);
		expect(await wizard(host, ...FLUSH)).toMatchObject({
			status: 2,
			stderr: expect.stringContaining(
				`The next boot loads removed rules again: ${FILE}: IPv4: 5 rules of INPUT\n`,
			),
		});
		expect(await readSaves(host)).toEqual(before);
		expect(saved()).toBe(SAVED);
	});

	test('edited, it has the other rules as they were; undo puts the removed rules back', async () => {
		const stdout = await wizardDoes(host, ...FLUSH, '--saved-rules', 'edit');
		expect(stdout).toContain('Gone, until undone: IPv4: 5 rules of INPUT');
		expect(stdout).toContain(`Gone, until undone: ${FILE}: IPv4: 5 rules of INPUT`);
		expect(saved()).toBe(CHAINS + KEPT);
		expect(statSync(inView(host, FILE)).mode & 0o777).toBe(0o640);
		expect(await readChecklist(host)).toMatchObject({status: 0, failed: {}});
		await wizardDoes(host, 'undo');
		expect(saved()).toBe(SAVED);
		expect(await host.must('iptables-save', [])).toContain('--dport 22 -j ACCEPT');
	}, 120_000);

	test('kept, check names what locks out, and where', async () => {
		await wizardDoes(host, ...FLUSH, '--saved-rules', 'keep');
		expect(saved()).toBe(SAVED);
		const {status, failed} = await readChecklist(host);
		expect(status).toBe(1);
		expect(failed.ports).toMatch(
			/2222\/tcp .*closed from anywhere over IPv4: -A INPUT -j REJECT --reject-with icmp-host-prohibited, in filter, loaded from \/etc\/iptables\/rules\.v4:11\b/,
		);
		expect(Object.keys(failed)).toEqual(['ports']);
		await wizardDoes(host, 'undo', '--all');
		expect(saved()).toBe(SAVED);
	}, 120_000);
});
