import {chmodSync, rmSync, writeFileSync} from 'node:fs';
import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {BOOT, bootWith} from '../_helpers/lab/boot-script.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {connect, INSIDE, IPV6, joinedPair, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves} from '../_helpers/samples/saves.ts';

const LIST = '/etc/cdn.txt';
const OURS = `# The probe\n10.9.8.0/24\n${IPV6.probe} # over IPv6\n`;
const OFFICE = 'office=203.0.113.0/24,2001:db8:9::/48';

describe.each(mainly('nft'))('named groups of sources, %s', (backend) => {
	const lab = useLab();
	let target: Host;
	let probe: Host;

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, backend));
		await serve(target, 'tcp:22', 'tcp:443', 'tcp:8080');
		write(OURS);
		await wizardDoes(
			...([target, 'apply', '--role', 'server', '--open', '22/tcp'] as const),
			...['--source', `cdn=${LIST}`, '--source', OFFICE],
			...['--open', '443/tcp from @cdn', '--open', '8080/tcp from @office, 198.51.100.0/24'],
		);
	});

	const write = (text: string) => writeFileSync(inView(target, LIST), text);
	/** Over IPv4 from inside and from outside, and over IPv6. */
	const outcomes = async (port: number) =>
		Promise.all([INSIDE, OUTSIDE, IPV6].map(async (ends) => connect(probe, ends.target, port)));

	test('are open to their networks alone, each in the chain of its name', async () => {
		expect(await outcomes(443)).toEqual(['succeeded', 'refused', 'succeeded']);
		expect(await outcomes(8080)).toEqual(['refused', 'succeeded', 'refused']);
		const {ipv4, ipv6} = await readSaves(target);
		expect(ipv4).toContain('-A FW-WIZARD-INPUT -s 10.9.8.0/24 -j FW-WIZARD-FROM-cdn\n');
		expect(ipv6).toContain('-A FW-WIZARD-INPUT -s 2001:db8::2/128 -j FW-WIZARD-FROM-cdn\n');
		expect(ipv4).toMatch(/-A FW-WIZARD-FROM-office -p tcp .*8080 -j ACCEPT/);
	});

	test('are shown by their names, and checked', async () => {
		const {failed, items} = await readChecklist(target);
		expect(Object.keys(failed).filter((id) => !/^survived|^boot/.test(id))).toEqual([]);
		expect(items['sources-cdn']).toMatchObject({
			state: 'ok',
			title: `@cdn has the networks of ${LIST}`,
		});
		expect(await wizardDoes(target, 'status')).toMatch(/^ +443\/tcp from @cdn /m);
		const {stdout} = await wizard(target, 'why', INSIDE.probe, '443/tcp');
		expect(stdout).toContain('You opened 443/tcp from @cdn');
	});

	test('come back with the boot, without the file', async () => {
		rmSync(inView(target, LIST));
		const before = await readSaves(target);
		const booted = await bootWith(target, BOOT);
		expect(booted.status).toBe(0);
		expect(rulesIn(booted.ipv4)).toEqual(rulesIn(before.ipv4));
		expect(rulesIn(booted.ipv6)).toEqual(rulesIn(before.ipv6));
		expect((await readChecklist(target)).failed['sources-cdn']).toContain('no such file');
		const {status, stderr} = await wizard(target, 'apply');
		expect([status, stderr]).toEqual([2, expect.stringContaining(`${LIST}: no such file`)]);
		write(OURS);
	});

	test('change with their file: check names it, apply takes it, undo brings the old one back', async () => {
		const before = await readSaves(target);
		write('198.51.100.0/24\n203.0.113.7\n');
		const {failed, items} = await readChecklist(target);
		expect(failed['sources-cdn']).toContain('2 added, 2 removed');
		expect(items['sources-cdn']?.fix).toMatch(/ apply$/);
		expect(await readSaves(target)).toEqual(before);
		await wizardDoes(target, 'apply');
		expect(await outcomes(443)).toEqual(['refused', 'succeeded', 'refused']);
		expect(await outcomes(8080)).toEqual(['refused', 'succeeded', 'refused']);
		expect((await readSaves(target)).ipv6).not.toContain('FROM-cdn');
		expect((await readChecklist(target)).items['sources-cdn']?.state).toBe('ok');
		const changes = JSON.parse((await wizard(target, 'diff', '1', '--json')).stdout);
		expect(changes.settings).toEqual([
			...['- @cdn has 10.9.8.0/24', '- @cdn has 2001:db8::2'],
			...['+ @cdn has 198.51.100.0/24', '+ @cdn has 203.0.113.7'],
		]);
		await wizardDoes(target, 'undo');
		expect(await readSaves(target)).toEqual(before);
		expect(await outcomes(443)).toEqual(['succeeded', 'refused', 'succeeded']);
		write(OURS);
	});

	test('are opened to, changed and closed by open and close', async () => {
		const before = await readSaves(target);
		const said = await wizardDoes(target, 'open', '8080/tcp from @cdn');
		expect(said).toContain('only what the policy opens passes');
		expect(await outcomes(8080)).toEqual(['succeeded', 'succeeded', 'succeeded']);
		await wizardDoes(target, 'close', '8080/tcp from @cdn');
		expect(await readSaves(target)).toEqual(before);
		const narrowed = ['open', '443/tcp from @cdn', '--source', `cdn=${IPV6.probe}`] as const;
		expect(await wizardDoes(target, ...narrowed)).toContain('443/tcp from @cdn is open');
		expect(await outcomes(443)).toEqual(['refused', 'refused', 'succeeded']);
		expect(await wizardDoes(target, ...narrowed)).toContain('Nothing changes');
		await wizardDoes(target, 'undo');
		expect(await readSaves(target)).toEqual(before);
		const unknown = await wizard(target, 'open', '443/tcp from @ofice');
		expect(unknown.status).toBe(2);
		expect(unknown.stderr).toMatch(/no group of sources @ofice\nIts groups: @cdn, @office\./);
		const inside = await wizard(target, 'close', '443/tcp from 10.9.8.7');
		expect([inside.status, inside.stderr]).toEqual([
			2,
			expect.stringContaining('not only to 10.9.8.7'),
		]);
	});

	test('are proven, and exported', async () => {
		expect(await wizardDoes(target, 'prove')).toContain('Proven');
		const nft = await wizardDoes(target, 'export', 'nft');
		const other = await lab.host({backend});
		await other.must('nft', ['-f', '-'], {input: nft});
		const table = await other.must('nft', ['list', 'table', 'ip', 'fw_wizard']);
		expect(table).toMatch(
			/set from_cdn \{\s+type ipv4_addr\s+flags interval\s+elements = \{ 10\.9\.8\.0\/24/,
		);
		expect(table).toContain('ip saddr @from_cdn jump from_cdn');
		await other.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
		const script = await wizardDoes(target, 'export', 'shell');
		writeFileSync(inView(other, '/etc/export.sh'), script);
		await other.must('sh', ['/etc/export.sh']);
		await other.must('sh', ['/etc/export.sh', 'keep']);
		await other.must('sh', ['/etc/export.sh', 'status']);
		expect(rulesIn((await readSaves(other)).ipv4)).toEqual(rulesIn((await readSaves(target)).ipv4));
	});

	test('of a thousand networks are loaded, printed whole, compared and opened to', async () => {
		const before = await readSaves(target);
		const many = Array.from({length: 1000}, (_, index) => `20.${index >> 8}.${index & 255}.0/25`);
		writeFileSync(inView(target, '/etc/many.txt'), [...many, '10.9.8.0/24', '::1'].join('\n'));
		await wizardDoes(target, 'apply', '--source', 'cdn=/etc/many.txt');
		expect(await outcomes(443)).toEqual(['succeeded', 'refused', 'refused']);
		// Through a pipe, which takes 64 KiB at once.
		const {policy} = JSON.parse(await wizardDoes(target, 'rules', '--format', 'json'));
		expect(policy.sources.cdn.networks).toHaveLength(1002);
		const compared = await wizardDoes(target, 'diff');
		expect(compared).toContain('No difference.\n');
		expect(compared).toMatch(/^\d+ networks are not named: /m);
		const said = await wizardDoes(target, 'open', '8080/tcp from @cdn');
		expect(said).toMatch(
			/only what the policy opens passes\.\nLeft out of the proof: 93\d of 100\d /,
		);
		expect(await outcomes(8080)).toEqual(['succeeded', 'succeeded', 'refused']);
		await wizardDoes(target, 'undo');
		await wizardDoes(target, 'undo');
		expect(await readSaves(target)).toEqual(before);
	});

	test('are refused from a file that others could write; apply adds one to the applied policy', async () => {
		chmodSync(inView(target, LIST), 0o666);
		const {status, stderr} = await wizard(target, 'apply');
		expect([status, stderr]).toEqual([
			2,
			expect.stringContaining(`${LIST} can be written by others than root`),
		]);
		chmodSync(inView(target, LIST), 0o644);
		await wizardDoes(target, 'apply', '--source', `lab=${INSIDE.probe}`);
		expect(await wizardDoes(target, 'rules', '--format', 'json')).toContain('"lab": [');
	});
});

/** The rules of a save, in the order of their chains' names. */
function rulesIn(save: string): readonly string[] {
	const chainOf = (line: string) => line.split(' ')[1] ?? '';
	return save
		.split('\n')
		.filter((line) => line.startsWith('-A '))
		.sort((a, b) => (chainOf(a) < chainOf(b) ? -1 : chainOf(a) > chainOf(b) ? 1 : 0));
}
