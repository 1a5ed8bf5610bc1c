import {beforeEach, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {startApply, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {filterLines, HAND_MADE, loadRules, readAll} from '../_helpers/samples/existing-rules.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';

const POLICY = ['--role', 'server', '--open', '22/tcp', '--open', '8080/tcp'];
const OWN_JUMP = '-A INPUT -j FW-WIZARD-INPUT';

describe.each(mainly('nft'))('rules that are there already, %s', (backend) => {
	const lab = useLab();
	const other = backend === 'nft' ? 'legacy' : 'nft';
	let host: Host;

	beforeEach(async () => {
		host = await lab.host({backend});
	});

	const apply = async (existing: string, ...flags: readonly string[]) =>
		wizardDoes(host, 'apply', ...POLICY, '--published', 'leave', '--existing', existing, ...flags);
	/** All but the filter tables, and all but INPUT. */
	const without = (all: Readonly<Record<string, string>>, lines: RegExp) =>
		Object.fromEntries(
			Object.entries(all).map(([place, save]) => [
				place,
				save.split('\n').filter((line) => !lines.test(line) && !/FW-WIZARD|^[*C]/.test(line)),
			]),
		);

	test('are kept, gone from INPUT, or gone from the table, as promised, and come back by undo', async () => {
		await loadRules(host, HAND_MADE);
		await host.must('iptables', ['-t', 'raw', '-A', 'PREROUTING', '-p', '99', '-j', 'DROP']);
		const before = await readAll(host);
		const v4 = `${backend} 4`;

		expect(await apply('keep')).toMatch(
			/^IPv4: ours is not reached: rule \d+ of INPUT comes first and decides on everything: -j REJECT --reject-with \S+\nTo remove such rules: --existing flush-input$/m,
		);
		// Policy and rules that were applied last, where no flag says another.
		expect(await wizardDoes(host, 'rules')).toContain('-p tcp -m multiport --dports 22,8080');
		const kept = await readAll(host);
		expect(filterLines(kept[v4] ?? '', '-A INPUT')).toEqual([
			...filterLines(before[v4] ?? '', '-A INPUT'),
			OWN_JUMP,
		]);
		expect(without(kept, /^$/)).toEqual(without(before, /^$/));

		// From there, with ours among them.
		const said = await apply('flush-input');
		expect(said).toContain('Gone, until undone: IPv4: 7 rules of INPUT\n');
		expect(said).toContain('Gone, until undone: IPv6: 4 rules of INPUT\n');
		const flushed = await readAll(host);
		for (const family of [4, 6]) {
			const save = flushed[`${backend} ${family}`] ?? '';
			expect(filterLines(save, '-A INPUT')).toEqual([OWN_JUMP]);
			// Our chain decides on everything: the policy shuts nobody out.
			expect(filterLines(save, ':INPUT')).toEqual([':INPUT DROP [0:0]']);
		}

		expect(without(flushed, /^-A INPUT /)).toEqual(without(before, /^-A INPUT /));
		await wizardDoes(host, 'undo');
		expect(await readAll(host)).toEqual(kept);

		await apply('flush-filter');
		const emptied = await readAll(host);
		expect(
			filterLines(emptied[v4] ?? '', '-A').filter((line) => !/-A FW-WIZARD/.test(line)),
		).toEqual([OWN_JUMP]);
		expect(filterLines(emptied[v4] ?? '', ':').filter((line) => !/FW-WIZARD/.test(line))).toEqual([
			...[':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]'],
			...[':bad.hosts - [0:0]', ':in-tcp - [0:0]'],
		]);
		expect(emptied[v4]).toContain('-A POSTROUTING -o eth9 -j MASQUERADE');
		expect(emptied[v4]).toContain('-A PREROUTING -p 99 -j DROP');
		await wizardDoes(host, 'undo');
		expect(await readAll(host)).toEqual(kept);
		await wizardDoes(host, 'undo');
		expect(await readAll(host)).toEqual(before);
	});

	test('of the other backend, too, which would shut what ours opens', async () => {
		await loadRules(host, HAND_MADE, other);
		await loadRules(host, NEIGHBOURS);
		const {neighbours} = JSON.parse(await wizardDoes(host, 'facts', '--json'));
		expect(neighbours).toEqual(
			expect.arrayContaining([
				expect.objectContaining({
					name: 'rules in INPUT',
					does: `7 rules of INPUT belong to no program that is known (IPv4, ${other} backend)`,
					means: expect.stringContaining('both backends'),
				}),
				...['Docker', 'libvirt', 'fail2ban', 'Tailscale'].map((name) =>
					expect.objectContaining({name, kind: 'service'}),
				),
			]),
		);
		const before = await readAll(host);
		await apply('flush-input');
		const flushed = await readAll(host);
		for (const family of [4, 6]) {
			expect(filterLines(flushed[`${backend} ${family}`] ?? '', '-A INPUT')).toEqual([OWN_JUMP]);
			const save = flushed[`${other} ${family}`] ?? '';
			expect(filterLines(save, '-A INPUT')).toEqual([]);
			// Nothing of ours decides there: its DROP would shut out everybody.
			expect(filterLines(save, ':INPUT')).toEqual([':INPUT ACCEPT [0:0]']);
		}

		const input = /^(-A|:)INPUT /;
		expect(without(flushed, /^(-A |:)INPUT /)).toEqual(without(before, /^(-A |:)INPUT /));
		expect(input.test('')).toBe(false);
		await wizardDoes(host, 'undo');
		expect(await readAll(host)).toEqual(before);
	});

	test('come back by the watchdog, by undo --all, and after kill -9', async () => {
		await loadRules(host, HAND_MADE);
		await loadRules(host, HAND_MADE, other);
		const before = await readAll(host);
		const waiting = await startApply(
			host,
			...POLICY,
			'--published',
			'policy',
			'--existing',
			'flush-filter',
			'--confirm-within',
			'10',
		);
		const during = await readAll(host);
		expect(filterLines(during[`${backend} 4`] ?? '', '-A INPUT')).toEqual([OWN_JUMP]);
		expect(filterLines(during[`${other} 4`] ?? '', '-A')).toEqual([]);
		waiting.kill();
		expect(await whatStays(host, undefined, 20_000)).toEqual([]);
		expect(await readAll(host)).toEqual(before);

		await apply('flush-filter');
		await wizardDoes(host, 'apply', '--role', 'workstation');
		await wizardDoes(host, 'undo', '--all');
		expect(await readAll(host)).toEqual(before);
	});

	test('come back among those that others have made since', async () => {
		await loadRules(host, HAND_MADE);
		const before = await readAll(host);
		await apply('flush-input');
		await host.must('iptables', ['-I', 'INPUT', '-s', '192.0.2.9', '-j', 'DROP']);
		await host.must('iptables', ['-I', 'INPUT', '-j', 'bad.hosts']);
		await host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.10', '-j', 'DROP']);
		await host.must('iptables', ['-F', 'in-tcp']);
		await host.must('iptables', ['-X', 'in-tcp']);
		await wizardDoes(host, 'undo');
		const after = await readAll(host);
		const place = `${backend} 4`;
		expect(filterLines(after[place] ?? '', '-A INPUT')).toEqual([
			'-A INPUT -s 192.0.2.9/32 -j DROP',
			...filterLines(before[place] ?? '', '-A INPUT'),
			'-A INPUT -s 192.0.2.10/32 -j DROP',
		]);
		// Removed since, and needed: it is back with what was in it.
		const line = '-A in-tcp -p tcp -m tcp --dport 22 -j ACCEPT';
		expect(filterLines(after[place] ?? '', '-A in-tcp')).toEqual([line]);
	});

	test('are not flushed from the table under Docker and libvirt; nothing is touched', async () => {
		await loadRules(host, NEIGHBOURS);
		const before = await readAll(host);
		const {status, stderr} = await wizard(
			host,
			...['apply', ...POLICY, '--existing', 'flush-filter'],
		);
		expect({status, stderr}).toEqual({
			status: 3,
			stderr:
				'fw-wizard: The filter table is not flushed while Docker and libvirt need its rules\nKeep the rules that are there, or flush INPUT alone\n',
		});
		expect(await readAll(host)).toEqual(before);
		await apply('flush-input');
		await wizardDoes(host, 'undo');
		expect(await readAll(host)).toEqual(before);
	});

	test('say in --help, the list and the journal what becomes of them', async () => {
		await loadRules(host, HAND_MADE);
		expect(await wizardDoes(host, 'apply', '--help')).toMatch(
			/--existing <what>\s+existing rules[\s\S]*flush-input[\s\S]*--switch-off <name>/,
		);
		const wrong = await wizard(host, 'apply', ...POLICY, '--existing', 'flush');
		expect(wrong).toMatchObject({status: 2, stderr: expect.stringMatching(/flush-input/)});
		await apply('flush-input');
		expect(await wizardDoes(host, 'undo', '--list')).toMatch(/ --existing flush-input$/m);
		expect(await host.must('cat', ['/var/lib/fw-wizard/journal'])).toContain(
			'"outcome":"kept; gone: IPv4: 7 rules of INPUT; IPv6: 4 rules of INPUT"',
		);
	});
});
