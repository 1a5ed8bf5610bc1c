import {describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {ownLines, readSaves, type Saves, withoutEmptyTables} from '../_helpers/samples/saves.ts';
import {canLogIn, loginWords} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';

const SHUT_OUT = `node ${PROGRAM} apply --role workstation --no-open --verdict reject --confirm-within 600`;
const SERVER = [
	'apply',
	'--yes',
	'--role',
	'server',
	'--open',
	'22/tcp',
	'--open',
	'53/udp limit',
	'--published',
	'policy',
];

/** Both ways with each backend; one of them each in the usual run. */
const CASES = suitesHere().flatMap((suite) =>
	BACKENDS.flatMap((backend) =>
		(backend === 'nft' ? (['cutPower', 'reboot'] as const) : (['reboot', 'cutPower'] as const))
			.slice(0, rounds(1, 2))
			.map((how) => ({suite, backend, how})),
	),
);

describe('a machine that boots between apply and confirm', () => {
	const lab = useLab();
	const debians = useDebians(lab);
	const terminals = useTerminals();

	/** Shuts SSH out over SSH, boots, and gives the rules of both families during and after. */
	const shutOutAndBoot = async (debian: Debian, how: 'reboot' | 'cutPower') => {
		const {host} = debian;
		const terminal = terminals.start(loginWords(debian, SHUT_OUT, {terminal: true}), {
			enter: debian.client.enter,
		});
		await terminal.waitFor(/old rules are restored in 600 s/);
		const during = await rulesOf(debian);
		const shut = await tryBoth(debian);
		await debian[how]();
		return {
			during,
			shut,
			after: await rulesOf(debian),
			open: await tryBoth(debian),
			timers: await host.must('systemctl', [
				'list-timers',
				'--all',
				'--no-legend',
				'fw-wizard-rollback*',
			]),
			confirm: await host.run('node', [PROGRAM, 'confirm']),
			list: await host.must('node', [PROGRAM, 'undo', '--list']),
		};
	};

	test.each(CASES)(
		'has the old rules, $suite, $backend, $how',
		async ({suite, backend, how}) => {
			const debian = await debians.boot(suite);
			const {host} = debian;
			await debian.install();
			await debian.chooseBackend(backend);
			const bare = await rulesOf(debian);
			expect(bare).toEqual({ipv4: '', ipv6: ''});
			const first = await shutOutAndBoot(debian, how);
			expect(ownLines(first.during.ipv4)).not.toEqual([]);
			expect(ownLines(first.during.ipv6)).not.toEqual([]);
			expect(first).toMatchObject({shut: [false, false], open: [true, true], timers: ''});
			expect(first.after).toEqual(bare);
			expect(first.confirm).toMatchObject({
				status: 1,
				stderr: expect.stringMatching(/^fw-wizard: No change waits/),
			});

			expect(first.list).toMatch(/^ +1 .* rolled back .*\n$/);

			// The next one clears it up, and works.
			expect(await host.must('node', [PROGRAM, ...SERVER])).toContain('Confirmed as change 2');
			expect(await host.must('cat', ['/var/lib/fw-wizard/journal'])).toContain(
				'"change":1,"who":"root","what":"roll back","outcome":"rolled back: the machine was booted before it was confirmed"',
			);
			expect(await host.must('node', [PROGRAM, 'undo', '--list'])).toMatch(
				/^ +1 .* rolled back .*\n +2 .* confirmed .*\n$/,
			);
			expect(await tryBoth(debian)).toEqual([true, true]);

			// What the boot makes of a change that was kept is what it makes of it with another one pending.
			await debian.reboot();
			const kept = await rulesOf(debian);
			const second = await shutOutAndBoot(debian, how);
			expect(second).toMatchObject({shut: [false, false], open: [true, true], timers: ''});
			expect(second.during).not.toEqual(kept);
			expect(second.after).toEqual(kept);
			expect(await host.must('node', [PROGRAM, ...SERVER, '--open', '80/tcp'])).toContain(
				'Confirmed as change 4',
			);
		},
		600_000,
	);
});

async function tryBoth(debian: Debian): Promise<readonly boolean[]> {
	return Promise.all([canLogIn(debian, 4), canLogIn(debian, 6)]);
}

async function rulesOf({host}: Debian): Promise<Saves> {
	return withoutEmptyTables(await readSaves(host));
}
