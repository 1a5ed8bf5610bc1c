import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {bootWith, RESTORE} from '../_helpers/lab/boot-script.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import type {Saves} from '../_helpers/samples/saves.ts';

const FLAGS = ['--role', 'server', '--helper', 'ftp', '--open', '22/tcp', '--published', 'policy'];

/** Lays packages over the folders of programs in a view, where they are only read, and hides systemd. */
async function disguise(host: Host, packages: string): Promise<void> {
	const hidden = path.join(host.folder, 'systemctl');
	writeFileSync(hidden, '', {mode: 0o644});
	const lines = [
		'mount -t tmpfs fww-test /run',
		'for folder in bin sbin lib; do',
		`[ ! -d ${packages}/$folder ] || mount -t overlay fww-test -o lowerdir=${packages}/$folder:/usr/$folder /usr/$folder`,
		'done',
		// The last of them: it is to lie on top.
		`mount --bind ${hidden} /usr/bin/systemctl`,
	];
	await host.must('sh', ['-ec', lines.join('\n')]);
}

function put(host: Host, file: string, text: string): void {
	mkdirSync(inView(host, path.dirname(file)), {recursive: true});
	writeFileSync(inView(host, file), text, {mode: 0o755});
}

describe('on a machine with ifupdown', () => {
	const lab = useLab();
	let host: Host;
	let applied: Saves;
	const ifup = '/usr/sbin/ifup';

	beforeAll(async () => {
		host = await lab.host();
		const packages = await unpackPackages('ifupdown');
		await disguise(host, packages);
		put(host, '/etc/network/interfaces', 'auto lo\niface lo inet loopback\n');
		for (const folder of ['if-pre-up.d', 'if-up.d']) {
			mkdirSync(inView(host, `/etc/network/${folder}`), {recursive: true});
		}

		await host.must('mkdir', ['-p', '/run/network']);
		await wizardDoes(host, 'apply', ...FLAGS);
		const {ipv4, ipv6} = await bootWith(host, `sh ${RESTORE}`);
		applied = {ipv4, ipv6};
	});

	test('ifup loads the rules, once however often it runs', async () => {
		const once = await bootWith(host, `${ifup} --force lo`);
		expect(once).toMatchObject({status: 0, ...applied});
		expect(await bootWith(host, `${ifup} --force lo; ${ifup} --force lo`)).toMatchObject(applied);
		expect((await readChecklist(host)).items.service).toMatchObject({
			state: 'ok',
			title: 'the boot service (ifupdown) is enabled and valid',
		});
	});

	test('ifup brings the interface up with the floor where the rules do not load', async () => {
		put(host, RESTORE, '');
		const {status, stderr, ipv4} = await bootWith(
			host,
			`${ifup} --force lo && ip link show lo | grep -q UP >&2`,
		);
		expect(status).toBe(0);
		expect(stderr).toContain(`fw-wizard: ${RESTORE} is missing or damaged: it is not run`);
		expect(ipv4).toContain('-A FW-WIZARD-INPUT -j REJECT');
	});

	test('is gone after undo --all', async () => {
		await wizardDoes(host, 'undo', '--all');
		expect(await host.must('find', ['/etc', '-name', 'fw-wizard*'])).toBe('');
	});
});
