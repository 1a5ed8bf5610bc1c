import {writeFileSync} from 'node:fs';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves} from '../_helpers/samples/saves.ts';

/** Openings with as many groups, of three sources and three rules each, in both families. */
function groups(count: number, first = 1): readonly string[] {
	return Array.from({length: count}, (_, index) => index + first).flatMap((number) => {
		const networks = [0, 1, 2].flatMap((part) => [
			`10.${number}.${part}.0/24`,
			`fd00:${number}:${part}::/48`,
		]);
		const from = networks.join(', ');
		return [
			'--open',
			`${1000 + number} from ${from}`,
			'--open',
			`${2000 + number}/tcp from ${from} limit`,
		];
	});
}

const SERVER = ['--role', 'server', '--open', '22/tcp'];
const FIVE = [...SERVER, ...groups(5)];
const TWO = [...SERVER, ...groups(2, 3)];

describe.each(mainly('legacy'))('chains of groups, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host({backend});
	});

	const see = async () => {
		const {ipv4, ipv6} = await readSaves(host);
		return {ipv4: sorted(ipv4), ipv6: sorted(ipv6)};
	};
	const apply = async (...words: readonly string[]) => {
		await wizardDoes(host, 'apply', ...words);
		return see();
	};

	test('come and go with the policy, and every undo brings back what was', async () => {
		const five = await apply(...FIVE);
		const two = await apply(...TWO);
		const none = await apply(...SERVER);
		expect([five, two, none].map(countGroups)).toEqual([
			[5, 5],
			[2, 2],
			[0, 0],
		]);
		expect(await apply(...FIVE)).toEqual(five);
		for (const before of [none, two, five]) {
			await wizardDoes(host, 'undo');
			expect(await see()).toEqual(before);
		}

		await wizardDoes(host, 'undo');
		expect(JSON.stringify(await see())).not.toContain('FW-WIZARD');
	}, 120_000);

	test.each([
		['five become two', FIVE, TWO],
		['two become five', TWO, FIVE],
		['none become five', SERVER, FIVE],
	])('are what they were when a change is not confirmed: %s', async (_, from, to) => {
		const before = await apply(...from);
		await wizard(host, 'apply', ...to, '--confirm-within', '3');
		await vi.waitFor(async () => expect(await see()).toEqual(before), {
			timeout: 20_000,
			interval: 200,
		});
	});

	test('go also where another program jumps to one of them', async () => {
		const before = await apply(...SERVER);
		await apply(...FIVE);
		await host.must('iptables', ['-A', 'INPUT', '-s', '9.9.9.9', '-j', 'FW-WIZARD-FROM-4']);
		await wizardDoes(host, 'undo');
		expect(await see()).toEqual(before);
	});

	test('come and go where rules of other programs are removed as well', async () => {
		const before = await apply(...TWO);
		await host.must('iptables', ['-I', 'INPUT', '-p', 'tcp', '--dport', '99', '-j', 'ACCEPT']);
		await host.must('ip6tables', ['-A', 'INPUT', '-j', 'DROP']);
		const beside = await see();
		const five = await apply(...FIVE, '--existing', 'flush-input');
		expect(countGroups(five)).toEqual([5, 5]);
		await wizardDoes(host, 'undo');
		expect(await see()).toEqual(beside);
		await apply(...SERVER, '--existing', 'flush-filter');
		expect(JSON.stringify(await see())).not.toMatch(/FROM|dport 99/);
		await wizardDoes(host, 'undo');
		expect(await see()).toEqual(beside);
		await apply(...TWO, '--existing', 'flush-filter');
		expect(await see()).toEqual(before);
	});

	test('of earlier rules are removed by the boot', async () => {
		await apply(...FIVE);
		const boot = await host.must('cat', ['/etc/fw-wizard/restore']);
		const two = await apply(...TWO);
		writeFileSync(inView(host, '/etc/five'), boot);
		await host.must('sh', ['/etc/five']);
		expect(countGroups(await see())).toEqual([5, 5]);
		await host.must('sh', ['/etc/fw-wizard/restore']);
		expect(await see()).toEqual(two);
		await host.must('sh', ['/etc/five']);
		await host.must('sh', ['/etc/fw-wizard/floor']);
		expect(countGroups(await see())).toEqual([2, 2]);
	});

	test('are checked rule by rule', async () => {
		await apply(...TWO);
		expect(await wizardDoes(host, 'check')).not.toMatch(/^failed/m);
		await host.must('ip6tables', ['-D', 'FW-WIZARD-FROM-2', '2']);
		const {status, stdout} = await wizard(host, 'check');
		expect(status).toBe(1);
		expect(stdout).toContain('rule 2 of FW-WIZARD-FROM-2');
	});

	test('are gone after undo --all', async () => {
		await apply(...FIVE);
		await wizardDoes(host, 'undo', '--all', '--yes');
		expect(JSON.stringify(await see())).not.toContain('FW-WIZARD');
	});

	test('are loaded, restored and removed by exported scripts', async () => {
		await host.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
		for (const [name, words] of [
			['five', FIVE],
			['two', TWO],
		] as const) {
			writeFileSync(
				inView(host, `/etc/${name}.sh`),
				await wizardDoes(host, 'export', 'shell', ...words),
			);
		}

		const run = async (name: string, ...words: readonly string[]) => {
			await host.must('sh', [`/etc/${name}.sh`, ...words]);
			return see();
		};
		const five = await run('five');
		expect(countGroups(five)).toEqual([5, 5]);
		expect(await run('five', 'keep')).toEqual(five);
		expect(countGroups(await run('two'))).toEqual([2, 2]);
		expect(await run('two', 'undo')).toEqual(five);
		const two = await run('two');
		await run('two', 'keep');
		await run('five');
		expect(await run('five', 'undo')).toEqual(two);
		expect(await run('two', 'status')).toEqual(two);
		expect(JSON.stringify(await run('two', 'remove'))).not.toContain('FW-WIZARD');
	});
});

/** The lines of a save. The order of chains is none of the rules. */
function sorted(save: string): readonly string[] {
	const lines = save.split('\n');
	return [
		...lines.filter((line) => line.startsWith(':FW')).sort(),
		...lines.filter((line) => line.startsWith('-A ') && line.includes('-FROM-')).sort(),
		...lines.filter((line) => line.startsWith('-A ') && !line.startsWith('-A FW-WIZARD-FROM-')),
	];
}

function countGroups({ipv4, ipv6}: Readonly<Record<'ipv4' | 'ipv6', readonly string[]>>) {
	return [ipv4, ipv6].map(
		(lines) => lines.filter((line) => line.startsWith(':FW-WIZARD-FROM-')).length,
	);
}
