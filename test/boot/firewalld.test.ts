import {beforeAll, describe, expect, test, vi} from 'vitest';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {SUITES} from '../_helpers/lab/debian-root.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {readAll} from '../_helpers/samples/existing-rules.ts';

const POLICY = ['--role', 'server', '--open', '22/tcp', '--switch-off', 'firewalld'];

/** firewalld 1.3 of bookworm; and 2.3 of trixie, which owns its table: nobody else may change it. */
describe.each(SUITES)('firewalld of %s', (suite) => {
	const lab = useLab();
	const debians = useDebians(lab);
	let debian: Debian;
	let host: Host;

	const table = async (): Promise<string> =>
		(await host.run('nft', ['list', 'table', 'inet', 'firewalld'])).stdout;
	const unit = async (): Promise<string> => {
		const states = await Promise.all(
			['is-enabled', 'is-active'].map(async (word) => host.run('systemctl', [word, 'firewalld'])),
		);
		return states.map(({stdout}) => stdout.trim()).join(' ');
	};
	const state = async () => ({
		unit: await unit(),
		// Where the daemon has started anew, the numbers of its helpers and sets are others.
		table: (await table()).replace(/ # handle \d+/g, ''),
		rules: await readAll(host),
		ports: await host.must('firewall-cmd', ['--list-all']),
	});

	beforeAll(async () => {
		debian = await debians.boot(suite);
		host = debian.host;
		await debian.install();
		await host.must('systemctl', ['enable', '--now', 'firewalld']);
		for (const words of ['--add-service=https', '--add-port=8000-8010/tcp']) {
			await host.must('firewall-cmd', ['--permanent', ...words.split(' ')]);
			await host.must('firewall-cmd', words.split(' '));
		}
	}, 600_000);

	test('is switched off, and back as it was, every time', async () => {
		const before = await state();
		expect(before.unit).toBe('enabled active');
		expect(/owner,persist/.test(before.table)).toBe(suite === 'trixie');
		for (let round = 1; round <= rounds(1, 20); round += 1) {
			const applied = await host.run('node', [PROGRAM, 'apply', ...POLICY, '--yes']);
			expect(applied, `round ${round}`).toMatchObject({status: 0});
			expect(await table()).toBe('');
			expect(await unit()).toBe('disabled inactive');
			expect(await host.must('iptables', ['-S', 'INPUT'])).toContain('FW-WIZARD-INPUT');
			const undone = await host.run('node', [PROGRAM, 'undo']);
			expect(undone, `round ${round}`).toMatchObject({status: 0});
			expect(await state(), `round ${round}`).toEqual(before);
		}
	}, 600_000);

	test('is back as it was where the change is not confirmed', async () => {
		const before = await state();
		const limit = ['--confirm-within', '10'];
		expect(await host.run('node', [PROGRAM, 'apply', ...POLICY, ...limit])).toMatchObject({
			status: 4,
		});
		await vi.waitFor(async () => expect(await state()).toEqual(before), {
			timeout: 20_000,
			interval: 500,
		});
	}, 120_000);
});
