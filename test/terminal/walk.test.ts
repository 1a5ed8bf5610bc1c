import {beforeAll, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {ask, INSIDE, IPV6, joinedPair, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {scan} from '../_helpers/traffic/scan.ts';
import {
	applyAndKeep,
	chooseInHome,
	OPEN,
	OPEN_INSIDE,
	scrollThrough,
	walkToReview,
} from '../_helpers/ui/journey.ts';

const LISTENING = [22, 53, 81, 8000, 8010, 8011, 9100];

describe.each(BACKENDS)('a walk through the wizard by keys alone, %s', (backend) => {
	const lab = useLab();
	const terminals = useTerminals();
	let target: Host;
	let probe: Host;

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, backend));
		await serve(target, ...LISTENING.map((port) => `tcp:${port}`), 'udp:53', 'udp:54');
		await serve(probe, 'tcp:7000', 'udp:7000');
	});

	test('loads what Review showed, and says so after it', async () => {
		const terminal = terminals.wizard([], {...target, columns: 120, rows: 24});
		await walkToReview(terminal);
		terminal.press('tab', 'tab');
		await terminal.waitFor('[Restore file]');
		const shown = restoreFiles(await scrollThrough(terminal));
		expect(await applyAndKeep(terminal)).toContain('IPv4 rules');
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
		expect(terminal.screen()).toContain('Loaded and read back');

		// The same iptables prints both, so that only what they do is compared.
		const other = await lab.host({backend});
		await other.must('iptables-restore', ['--noflush'], {input: shown.ipv4});
		await other.must('ip6tables-restore', ['--noflush'], {input: shown.ipv6});
		const saves = await readSaves(target);
		expect(saves).toEqual(await readSaves(other));
		expect(saves.ipv4).toContain(
			'-A FW-WIZARD-INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 9100 -j ACCEPT',
		);
		expect(saves.ipv6).not.toContain('9100');
	});

	test('another machine finds exactly the chosen ports', async () => {
		const [inside, outside, ipv6] = await Promise.all(
			[INSIDE, OUTSIDE, IPV6].map(async ({target}) =>
				scan(probe, target, ['-sS', '-p', '0-65535'], 'tcp'),
			),
		);
		for (const [seen, letIn] of [
			[inside, OPEN_INSIDE],
			[outside, OPEN],
			[ipv6, OPEN],
		] as const) {
			expect(seen).toEqual({
				ports: {
					open: letIn.filter((port) => LISTENING.includes(port)),
					closed: letIn.filter((port) => !LISTENING.includes(port)),
				},
				rest: {filtered: 65_536 - letIn.length},
			});
		}

		for (const {target} of [INSIDE, IPV6]) {
			const {ports} = await scan(probe, target, ['-sU', '-p', '53,54'], 'udp');
			expect(ports).toEqual({open: [53], closed: [54]});
		}
	});

	test('its own connections, ping and neighbour discovery go on', async () => {
		await target.must('ip', ['neighbour', 'flush', 'dev', 'eth0']);
		await probe.must('ip', ['neighbour', 'flush', 'dev', 'eth0']);
		for (const {target: own, probe: other} of [INSIDE, IPV6]) {
			expect(await ask(target, 'tcp', other, 7000)).toBe('hello');
			expect(await ask(target, 'udp', other, 7000)).toBe('hello');
			await target.must('ping', ['-c', '1', '-W', '2', other]);
			await probe.must('ping', ['-c', '1', '-W', '2', own]);
		}

		expect(await target.must('ip', ['-6', 'neighbour', 'show', IPV6.probe])).toContain('lladdr');
		expect(await probe.must('ip', ['-6', 'neighbour', 'show', IPV6.target])).toContain('lladdr');
	});

	test('a second walk begins with what is in force', async () => {
		const terminal = terminals.wizard([], {...target, columns: 120, rows: 40});
		const home = await terminal.waitFor('Start over');
		expect(home).toMatch(/^Active since .* UTC \(change 1, by root\)$/m);
		expect(home).toMatch(/^Open: .*8000-8010\/tcp/m);
		await chooseInHome(terminal, 'Change what is open');
		expect(await terminal.waitFor('Which ports should be open?')).toContain(
			'--dports 22,53,8000:8010',
		);
		terminal.press('ctrlC');
		expect(await terminal.ended).toBe(130);
	});

	test('Home undoes it, once it was asked', async () => {
		const terminal = terminals.wizard([], {...target, columns: 120, rows: 40});
		await chooseInHome(terminal, 'Undo the last change');
		await terminal.waitFor('Undo change 1, made ');
		terminal.press('up', 'enter');
		expect(await terminal.ended).toBe(0);
		expect(terminal.history()).toContain('Undone: change 1.');
		expect((await readSaves(target)).ipv4).not.toContain('FW-WIZARD');
	});
});

/** The two files of the view, each after its heading. */
function restoreFiles(lines: readonly string[]): {ipv4: string; ipv6: string} {
	const second = lines.findIndex((line) => line.startsWith('IPv6, loaded with ip6tables-restore'));
	expect(lines[0]).toMatch(/^IPv4, loaded with iptables-restore/);
	return {
		ipv4: `${lines.slice(1, second).join('\n')}\n`,
		ipv6: `${lines.slice(second + 1).join('\n')}\n`,
	};
}
