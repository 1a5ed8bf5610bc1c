import {beforeEach, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {startApply, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {HOSTILE, ODD} from '../_helpers/samples/hostile-rules.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';

const BEFORE = ['--role', 'server', '--open', '22/tcp'];
const AFTER = ['--role', 'server', '--open', '80/tcp'];
const FLUSH = ['--existing', 'flush-input'];
/** Each looks like something else. */
const TRIED = HOSTILE.slice(0, rounds(3, HOSTILE.length));
/** Or that the rule does not load in a copy, where it is a name that has line breaks. */
const SAYS = /^(?:$|22\/tcp is closed from 192\.0\.2\.9 |not tried: iptables-restore cannot load )/;
const REFUSED = {
	status: 3,
	stderr: expect.stringMatching(
		/^fw-wizard: A rule has a line break .* cannot be restored as it is: -A \S+ [^\n]*\\n[^\n]*\nNothing was changed\./,
	),
};

describe.each(mainly('legacy'))(
	'a rule of others whose text looks like more rules, %s',
	(backend) => {
		const lab = useLab();
		let host: Host;

		beforeEach(async () => {
			host = await lab.host({backend});
			await host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.7', '-j', 'ACCEPT']);
		});

		const add = async (chain: string, match: readonly string[], ...target: readonly string[]) =>
			host.must('iptables', [...chain.split(' '), ...match, ...target]);
		const rules = async () => withoutEmptyTables(await readSaves(host));
		/** What the kernel has in INPUT, by position. */
		const inputs = async () => (await host.must('iptables', ['-S', 'INPUT'])).trim().split('\n-A ');
		/** Whether the kernel has the rule that the texts tell of. */
		const isOpened = async () => {
			const rule = ['INPUT', '-p', 'tcp', '--dport', '3306', '-j', 'ACCEPT'];
			return (await host.run('iptables', ['-C', ...rule])).status === 0;
		};

		test.each(TRIED)('stays as it is where it is kept: $name', async ({match}) => {
			await add('-I INPUT -s 192.0.2.9', match, '-j', 'DROP');
			const before = await rules();
			await wizardDoes(host, 'apply', ...BEFORE);
			const {items} = await readChecklist(host);
			// What the rule does is said, and nothing of what its text looks like.
			expect(items.reached?.cause ?? '').toMatch(SAYS);
			expect(items['running-ipv4']).toMatchObject({state: 'ok'});
			await wizardDoes(host, 'undo');
			expect(await rules()).toEqual(before);
			expect(await isOpened()).toBe(false);
		});

		test.each(TRIED)('is refused where it would be written back: $name', async ({match}) => {
			await add('-A INPUT', match, '-j', 'DROP');
			const before = await rules();
			expect(await wizard(host, 'apply', ...BEFORE, ...FLUSH)).toMatchObject(REFUSED);
			expect(await rules()).toEqual(before);
			await host.must('iptables', ['-F', 'INPUT']);
			await wizardDoes(host, 'apply', ...BEFORE);
			await add('-I FW-WIZARD-INPUT', match, '-j', 'DROP');
			const own = await rules();
			expect(await wizard(host, 'apply', ...AFTER)).toMatchObject(REFUSED);
			expect(await rules()).toEqual(own);
			expect(await isOpened()).toBe(false);
		});

		test.each(TRIED)(
			'added in the wait, stops no roll back and adds nothing: $name',
			async ({match}) => {
				await wizardDoes(host, 'apply', ...BEFORE);
				await host.must('iptables', ['-N', 'other']);
				const before = await rules();
				const applying = await startApply(host, ...AFTER, ...FLUSH, '--confirm-within', '600');
				await add('-I INPUT', match, '-j', 'DROP');
				await add('-A INPUT', match, '-j', 'FW-WIZARD-INPUT');
				await add('-A FW-WIZARD-INPUT', match, '-j', 'ACCEPT');
				await add('-A other', match, '-g', 'FW-WIZARD-INPUT');
				await applying.interrupt();
				expect(await whatStays(host)).toEqual([]);
				expect(await isOpened()).toBe(false);
				const jumps = (await inputs()).filter((rule) => rule.trim() === 'INPUT -j FW-WIZARD-INPUT');
				expect(jumps).toHaveLength(1);
				const own = (text: string) =>
					text.split('\n').filter((line) => line.startsWith('-A FW-WIZARD'));
				expect(own((await rules()).ipv4)).toEqual(own(before.ipv4));
				expect(await wizardDoes(host, 'undo', '--list')).toMatch(/ 2 .* rolled back /);
			},
		);

		test('that leads to our chain, keeps it, but empty, where it goes', async () => {
			const [{match} = {match: []}] = HOSTILE;
			const applying = await startApply(host, ...BEFORE, '--confirm-within', '600');
			await add('-I INPUT', match, '-j', 'FW-WIZARD-INPUT');
			await applying.interrupt();
			expect(await host.must('iptables', ['-S', 'FW-WIZARD-INPUT'])).toBe('-N FW-WIZARD-INPUT\n');
			expect(await inputs()).not.toContain('INPUT -j FW-WIZARD-INPUT');
			await wizardDoes(host, 'apply', ...BEFORE);
			expect(await wizard(host, 'undo', '--all')).toMatchObject(REFUSED);
			await host.must('iptables', ['-D', 'INPUT', ...match, '-j', 'FW-WIZARD-INPUT']);
			await wizardDoes(host, 'undo', '--all');
			expect((await rules()).ipv4).not.toContain('FW-WIZARD');
		});

		test('is restored exactly, where it only looks dangerous', async () => {
			for (const {match} of ODD) {
				await add('-A INPUT', match, '-j', 'DROP');
			}

			const foreign = await rules();
			await wizardDoes(host, 'apply', ...BEFORE, ...FLUSH);
			expect((await rules()).ipv4).not.toContain('192.0.2.7');
			for (const {match} of ODD) {
				await add('-I FW-WIZARD-INPUT', match, '-j', 'DROP');
			}

			const own = await rules();
			await wizardDoes(host, 'apply', ...AFTER);
			await wizardDoes(host, 'undo');
			expect(await rules()).toEqual(own);
			await wizardDoes(host, 'undo');
			expect(await rules()).toEqual(foreign);
		});

		test('is refused where its bytes are no text', async () => {
			const bytes = 'iptables -A INPUT -m comment --comment "$(printf "a\\377b")" -j DROP';
			await host.must('sh', ['-c', bytes]);
			const before = await rules();
			expect(await wizard(host, 'apply', ...BEFORE, ...FLUSH)).toMatchObject({status: 3});
			expect(await rules()).toEqual(before);
		});
	},
);
