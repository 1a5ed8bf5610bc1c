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

const FLAGS = ['--role', 'server', '--helper', 'ftp', '--open', '22/tcp'];

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

describe('on a machine with OpenRC', () => {
	const lab = useLab();
	let host: Host;
	let applied: Saves;

	beforeAll(async () => {
		host = await lab.host();
		await disguise(host, await unpackPackages('openrc', 'librc1', 'libeinfo1'));
		// As openrc(8) leaves it when it has booted.
		const states = 'exclusive started starting stopping inactive wasinactive failed hotplugged';
		for (const state of `${states} daemons options scheduled tmp`.split(' ')) {
			await host.must('mkdir', ['-p', `/run/openrc/${state}`]);
		}

		await host.must('touch', ['/run/openrc/softlevel', '/etc/insserv.conf']);
		mkdirSync(inView(host, '/etc/runlevels/boot'), {recursive: true});
		for (const service of ['localmount', 'net']) {
			put(host, `/etc/init.d/${service}`, '#!/sbin/openrc-run\nstart() { return 0; }\n');
		}

		await wizardDoes(host, 'apply', ...FLAGS);
		const {ipv4, ipv6} = await bootWith(host, `sh ${RESTORE}`);
		applied = {ipv4, ipv6};
	});

	test('is added to the runlevel boot, and the checklist is content', async () => {
		expect(await host.must('rc-update', ['show', 'boot'])).toMatch(/fw-wizard/);
		const {status, items} = await readChecklist(host);
		expect({status, title: items.service?.title}).toEqual({
			status: 0,
			title: 'the boot service (openrc) is enabled and valid',
		});
	});

	test('is found and put back where it was taken out of the runlevel', async () => {
		await host.must('rc-update', ['--quiet', 'delete', 'fw-wizard', 'boot']);
		expect((await readChecklist(host)).failed).toEqual({
			service: 'fw-wizard is not in the runlevel boot',
		});
		expect(await readChecklist(host, '--fix')).toMatchObject({status: 0, failed: {}});
	});

	test('starts, restarts, and stops without opening the machine', async () => {
		const service = '/etc/init.d/fw-wizard';
		const started = await bootWith(host, `${service} start >&2`);
		expect(started).toMatchObject({status: 0, ...applied});
		expect(started.stderr).toContain('Loading the firewall rules of fw-wizard');
		const later = await bootWith(
			host,
			`sh /etc/fw-wizard/restore; ${service} restart >&2; ${service} stop >&2`,
		);
		expect(later).toMatchObject({status: 0, ...applied});
	});

	test('fails with the floor where the restore script is damaged', async () => {
		put(host, RESTORE, applied.ipv4);
		const {status, stderr, ipv4, ipv6} = await bootWith(host, '/etc/init.d/fw-wizard start >&2');
		expect(status).toBe(1);
		expect(stderr).toContain(`fw-wizard: ${RESTORE} is missing or damaged: it is not run`);
		expect(ipv4).toContain('-A FW-WIZARD-INPUT -j REJECT');
		expect(ipv6).toContain('-A FW-WIZARD-INPUT -j REJECT');
	});

	test('is gone after undo --all', async () => {
		await wizardDoes(host, 'undo', '--all');
		expect(await host.must('find', ['/etc', '-name', 'fw-wizard*'])).toBe('');
	});
});

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
