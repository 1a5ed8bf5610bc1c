import {writeFileSync} from 'node:fs';
import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {BOOT, bootWith} from '../_helpers/lab/boot-script.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves} from '../_helpers/samples/saves.ts';

/** What a shell, iptables or a parser could take for something else than text, by the ports that they stand at. */
const COMMENTS = [
	'Web',
	'say "hello"',
	'$(touch /tmp/fww-evil) `id` $HOME',
	'back\\slash \\" \\n',
	"it's -j DROP",
	'-j',
	'!',
	'→ ü 漢字 🙂',
	'COMMIT',
	'a, b # c; d | e & f',
	'{{ x }} {% y %}',
	'x'.repeat(255),
	'ü'.repeat(127),
].map((comment, index) => ({port: 1000 + index, comment}));

const POLICY = JSON.stringify({
	version: 1,
	role: 'server',
	openings: [
		'22/tcp',
		...COMMENTS.map(
			({port, comment}) => `${port}/tcp comment "${comment.replace(/["\\]/g, '\\$&')}"`,
		),
		'80 from 10.0.0.0/8, 192.0.2.0/24, fd00::/8, 2001:db8::/32 comment "Of \\"several\\""',
		'53/udp limit comment "Names"',
		'esp comment "IPsec"',
		'mdns comment "Printers"',
	],
});

/** The comments of the rules for single ports, as iptables-save prints them. */
function commentsIn(save: string) {
	return save.split('\n').flatMap((line) => {
		const [, port = ''] = /--dport (1\d\d\d) /.exec(line) ?? [];
		const [, quoted, bare] = /--comment (?:"((?:[^"\\]|\\.)*)"|(\S+)) -j ACCEPT$/.exec(line) ?? [];
		const comment = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '';
		return port === '' ? [] : [{port: Number(port), comment}];
	});
}

describe.each(mainly('legacy'))('comments, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host({backend});
		writeFileSync(inView(host, '/etc/policy.json'), POLICY);
		await wizardDoes(host, 'apply', '--policy', '/etc/policy.json');
	});

	test('are in the kernel as they were written, in both families', async () => {
		const {ipv4, ipv6} = await readSaves(host);
		expect(commentsIn(ipv4)).toEqual(COMMENTS);
		expect(commentsIn(ipv6)).toEqual(COMMENTS);
		expect(ipv4.match(/--comment (?:IPsec|Printers|Names) /g)).toHaveLength(3);
	});

	test('are loaded by the boot, and checked', async () => {
		const booted = await bootWith(host, BOOT);
		expect(booted.status).toBe(0);
		expect(commentsIn(booted.ipv4)).toEqual(COMMENTS);
		expect(commentsIn(booted.ipv6)).toEqual(COMMENTS);
		const {items} = await readChecklist(host);
		const wrong = Object.values(items).filter(
			({id, state}) => /^running|^boot-rules/.test(id) && state !== 'ok',
		);
		expect(wrong).toEqual([]);
	});

	test('come back with an undo, and are read back by apply and open', async () => {
		const before = await readSaves(host);
		await wizardDoes(host, 'apply', '--role', 'server');
		await wizardDoes(host, 'undo');
		expect(await readSaves(host)).toEqual(before);
		await wizardDoes(host, 'open', '9000/tcp', '--comment', 'the "new" one', '--no-proof');
		expect(await host.must('cat', ['/etc/fw-wizard/policy.json'])).toContain(
			JSON.stringify('9000/tcp comment "the \\"new\\" one"'),
		);
		await wizardDoes(host, 'close', '9000/tcp', '--no-proof');
		expect(await readSaves(host)).toEqual(before);
	});

	test('are carried by exports for a shell, and by nft without quotation marks', async () => {
		const other = await lab.host({backend});
		await other.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
		writeFileSync(
			inView(other, '/etc/export.sh'),
			await wizardDoes(host, 'export', 'shell', '--policy', '/etc/policy.json'),
		);
		await other.must('sh', ['/etc/export.sh']);
		await other.must('sh', ['/etc/export.sh', 'keep']);
		await other.must('sh', ['/etc/export.sh', 'status']);
		expect(commentsIn((await readSaves(other)).ipv4)).toEqual(COMMENTS);
		const nft = await wizardDoes(host, 'export', 'nft', '--policy', '/etc/policy.json');
		const third = await lab.host({backend});
		await third.must('nft', ['-f', '-'], {input: nft});
		expect(await third.must('nft', ['list', 'table', 'ip', 'fw_wizard'])).toContain(
			"(say 'hello')",
		);
	});

	test('are left out, and that is said, where the kernel keeps none', async () => {
		const folder = inView(host, '/etc');
		const replaced = Object.fromEntries(
			['iptables-restore', 'ip6tables-restore'].map((name) => {
				const file = `${folder}/${name}-without`;
				writeFileSync(file, WITHOUT.replaceAll('PROGRAM', name.replace('-', `-${backend}-`)), {
					mode: 0o755,
				});
				return [name, file];
			}),
		);
		const poor = await lab.host({backend, replaced});
		const {stderr, status} = await poor.run(process.execPath, [
			...[CLI, 'apply', '--role', 'server', '--open', '80/tcp comment "Web"', '--yes'],
		]);
		expect([status, stderr]).toEqual([0, expect.stringContaining('xt_comment is missing')]);
		const {ipv4} = await readSaves(poor);
		expect(ipv4).toMatch(/dports? (?:22,)?80/);
		expect(ipv4).not.toContain('--comment');
		expect(await poor.must('cat', ['/etc/fw-wizard/policy.json'])).not.toContain('Web');
	});
});

/** An iptables-restore that asks the kernel for a match that it lacks. All else is the real program's refusal. */
const WITHOUT = `#!/bin/sh
sed 's/-m comment/-m nosuch/' | /usr/sbin/PROGRAM "$@"
`;
