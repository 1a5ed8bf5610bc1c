import {beforeEach, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {readState} from '../_helpers/lab/machine-state.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';

const BEFORE = ['--role', 'server', '--open', '22/tcp'];
const AFTER = ['--role', 'server', '--open', '80/tcp', '--helper', 'ftp', '--published', 'policy'];
const RECENT = ['-m', 'recent', '--set', '--name'];
const FLUSH = ['--existing', 'flush-input'];

describe.each(mainly('nft'))('the way back is rehearsed, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeEach(async () => {
		host = await lab.host({backend});
		await wizardDoes(host, 'apply', ...BEFORE);
	});

	const saved = async () => withoutEmptyTables(await readSaves(host));

	const refused = async (says: RegExp, ...flags: readonly string[]) => {
		const before = await readState(host);
		const result = await wizard(host, 'apply', ...AFTER, ...flags);
		expect(result).toMatchObject({status: 3, stderr: expect.stringMatching(says)});
		expect(await readState(host)).toEqual(before);
	};

	// iptables prints these, and does not read them.
	test.each([
		{name: 'the name of an interface with a space', rule: ['-i', 'e x', '-j', 'ACCEPT']},
		{name: 'the name of an interface with a quote', rule: ['-i', 'e"x', '-j', 'ACCEPT']},
		// It is saved as if it accepted all from eth0.
		{name: 'the name of an interface with options', rule: ['-i', 'eth0 -j ACCEPT']},
		{name: 'the name of a list with options', rule: [...RECENT, 'a --mask 255.255.255.255']},
		{name: 'the name of a chain with a quote', rule: ['-j', 'x"y']},
	])('and refuses what cannot be put back: $name', async ({rule}) => {
		await host.must('iptables', ['-N', 'x"y']);
		await host.must('iptables', ['-I', 'FW-WIZARD-INPUT', ...rule]);
		await refused(/^fw-wizard: The existing rules could not be restored as they are: /);
		await host.must('iptables', ['-D', 'FW-WIZARD-INPUT', '1']);
		await host.must('iptables', ['-I', 'INPUT', ...rule]);
		await refused(/be restored/, ...FLUSH);
		// Where it stays, nobody needs to put it back.
		const before = await saved();
		await wizardDoes(host, 'apply', ...AFTER);
		await wizardDoes(host, 'undo');
		expect(await saved()).toEqual(before);
	});

	test('with all that the script needs of the machine', async () => {
		await host.must('rm', ['/etc/alternatives/awk']);
		await refused(/restored as they are: .*awk: not found/);
		await wizardDoes(host, 'apply', ...AFTER, '--no-rehearsal');
	});

	test('with the sets that the rules use, and leaves nothing behind', async () => {
		await host.must('ipset', ['create', 'fww-known', 'hash:ip']);
		const rule = ['-m', 'set', '--match-set', 'fww-known', 'src', '-j', 'ACCEPT'];
		await host.must('iptables', ['-A', 'INPUT', ...rule]);
		await host.must('iptables', ['-I', 'FW-WIZARD-INPUT', ...rule]);
		const before = await saved();
		await wizardDoes(host, 'apply', ...AFTER, ...FLUSH);
		expect((await readState(host)).names.filter((name) => name.includes('rehearsal'))).toEqual([]);
		await wizardDoes(host, 'undo');
		expect(await saved()).toEqual(before);
	});

	test('beside rules of others that no restore file can name, and thousands of them', async () => {
		await host.must('iptables', ['-A', 'OUTPUT', '-o', 'e x', '-j', 'ACCEPT']);
		const rules = Array.from(
			{length: 3000},
			(_, index) => `-A FORWARD -s 198.51.${index >> 8}.${index & 255}/32 -j DROP\n`,
		);
		await host.must('iptables-restore', ['--noflush'], {
			input: `*filter\n${rules.join('')}COMMIT\n`,
		});
		const before = await saved();
		await wizardDoes(host, 'apply', ...AFTER);
		await wizardDoes(host, 'undo');
		expect(await saved()).toEqual(before);
	});
});
