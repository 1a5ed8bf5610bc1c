import {afterEach, beforeAll, describe, expect, test, vi} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {ask, INSIDE, IPV6, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {readSaves, type Saves, withoutEmptyTables} from '../_helpers/samples/saves.ts';
import {CONTAINER, type Dock, dockerRules, openDock} from './containers.ts';

const TARGET = {4: OUTSIDE.target, 6: IPV6.target} as const;
const SERVER = ['--role', 'server', '--open', '22/tcp'];

const rulesOf = async (host: Host) => withoutEmptyTables(await readSaves(host));

describe.each(mainly('nft'))('published ports under the policy (%s)', (backend) => {
	const lab = useLab();
	let dock: Dock;
	let before: Saves;

	beforeAll(async () => {
		dock = await openDock(lab, backend, 'tcp:80', 'tcp:81', 'udp:53');
		const {target, probe} = dock;
		await serve(target, 'tcp:22');
		await target.must('iptables-restore', [], {input: dockerRules(4)});
		await target.must('ip6tables-restore', [], {input: dockerRules(6)});
		// Somebody outside who sends to the container itself.
		await probe.ip([
			`route add 172.17.0.0/16 via ${OUTSIDE.target}`,
			`route add fd00:d0c::/64 via ${IPV6.target}`,
		]);
		before = await rulesOf(target);
		// The first packets over IPv6 may find no way yet.
		await vi.waitFor(async () => expect(await answering(...PUBLISHED)).toHaveLength(6), {
			timeout: 20_000,
		});
	});

	afterEach(async () => {
		await wizard(dock.target, 'undo', '--all', '--yes');
	});

	/** Which of the services answer: `8080/tcp IPv4`. */
	const answering = async (...services: readonly string[]) => {
		const answers = await Promise.all(
			services.flatMap((service) =>
				([4, 6] as const).map(async (family) => {
					const [port = '', protocol] = service.split('/') as [string, 'tcp' | 'udp'];
					const answer = await ask(dock.probe, protocol, TARGET[family], Number(port));
					return answer.includes('hello') ? [`${service} IPv${family}`] : [];
				}),
			),
		);
		return answers.flat();
	};

	const PUBLISHED = ['8080/tcp', '8081/tcp', '8053/udp'];

	test('are not cut off without a word', async () => {
		const refused = await wizard(dock.target, 'apply', ...SERVER, '--open', '8080/tcp', '--yes');
		expect(refused.status).toBe(2);
		expect(refused.stderr).toContain('8081/tcp (Docker) and 8053/udp (Docker)');
		expect(refused.stderr).not.toContain('8080/tcp (Docker)');
		expect(refused.stderr).toContain('--published leave');
		expect(await rulesOf(dock.target)).toEqual(before);
	});

	test('stay as they are where that is said', async () => {
		const {stderr} = await wizard(
			...[dock.target, 'apply', ...SERVER, '--published', 'leave', '--yes'],
		);
		expect(stderr).toContain(
			'8080-8081/tcp (Docker), 8053/udp (Docker) are open as published; to let the policy decide: --published policy',
		);
		expect(await answering(...PUBLISHED)).toHaveLength(6);
		expect((await rulesOf(dock.target)).ipv4).not.toContain('FW-WIZARD-FORWARD');
		// As before, so that nothing has to be said again.
		await wizardDoes(dock.target, 'apply', ...SERVER, '--log', '--yes');
		expect(await answering(...PUBLISHED)).toHaveLength(6);
	});

	test('are open as the openings say, for both families, and blocked otherwise', async () => {
		const flags = [...SERVER, '--open', '8080/tcp', '--published', 'policy'];
		await wizardDoes(dock.target, 'apply', ...flags, '--yes');
		expect(await answering(...PUBLISHED, '22/tcp')).toEqual([
			...['8080/tcp IPv4', '8080/tcp IPv6', '22/tcp IPv4', '22/tcp IPv6'],
		]);
		expect(await ask(dock.probe, 'tcp', CONTAINER[4], 80)).toBe('');
		expect(await ask(dock.probe, 'tcp', CONTAINER[6], 80)).toBe('');

		const undone = await wizard(dock.target, 'undo', '--yes');
		expect(undone.status).toBe(0);
		expect(await rulesOf(dock.target)).toEqual(before);
		expect(await ask(dock.probe, 'tcp', CONTAINER[4], 80)).toContain('hello');
	});

	test('are open for a source, on an interface, a few times a minute, and for nobody who is blocked', async () => {
		await wizardDoes(
			...[dock.target, 'apply', ...SERVER, '--published', 'policy', '--yes'],
			...['--open', `8080/tcp from ${INSIDE.probe}`, '--open', '8081/tcp on wg0'],
			...['--open', '8053/udp limit'],
		);
		expect(await ask(dock.probe, 'tcp', INSIDE.target, 8080)).toContain('hello');
		expect(await answering('8080/tcp', '8081/tcp')).toEqual([]);
		const answers = await Promise.all(
			Array.from({length: 9}, async () => ask(dock.probe, 'udp', OUTSIDE.target, 8053)),
		);
		expect(answers.filter((answer) => answer.includes('hello'))).toHaveLength(6);

		await wizardDoes(
			...[dock.target, 'apply', ...SERVER, '--published', 'policy', '--yes'],
			...['--open', '8080/tcp', '--block', '10.0.0.0/8'],
		);
		expect(await ask(dock.probe, 'tcp', INSIDE.target, 8080)).toBe('');
		expect(await answering('8080/tcp')).toHaveLength(2);
	});

	test('are governed by exported rules of nftables as well', async () => {
		const rules = await wizardDoes(
			...[dock.target, 'export', 'nft', ...SERVER, '--published', 'policy'],
			...['--open', '8080/tcp', '--open', `8081/tcp from ${INSIDE.probe}`],
		);
		await dock.target.must('nft', ['-f', '-'], {input: rules});
		expect(await answering(...PUBLISHED)).toEqual(['8080/tcp IPv4', '8080/tcp IPv6']);
		expect(await ask(dock.probe, 'tcp', INSIDE.target, 8081)).toContain('hello');
		expect(await ask(dock.probe, 'tcp', CONTAINER[4], 80)).toBe('');
		for (const family of ['ip', 'ip6']) {
			await dock.target.must('nft', ['delete', 'table', family, 'fw_wizard']);
		}
	});

	test('are watched and checked with the rest', {timeout: 180_000}, async () => {
		await wizardDoes(
			...[dock.target, 'apply', ...SERVER, '--published', 'policy', '--yes'],
			...['--boot', 'none'],
		);
		const ok = await wizard(dock.target, 'check', '--json');
		expect(ok.stdout).not.toContain('"failed"');
		// The rules take each br-… for a network of containers: this one leads outside.
		await dock.target.ip([
			'link add br-lan type bridge',
			'address add 10.200.0.1/24 dev br-lan',
			'link set br-lan up',
			'route add default via 10.200.0.2',
		]);
		expect((await wizard(dock.target, 'check')).stdout).toMatch(
			/^failed {2}the rules tell .*\n\s+others reach this machine through br-lan, where every/m,
		);
		await dock.target.ip(['link delete br-lan']);
		await dock.target.must('iptables', ['-t', 'mangle', '-F', 'FORWARD']);
		const found = await wizard(dock.target, 'check');
		expect(found.status).toBe(1);
		expect(found.stdout).toContain('FW-WIZARD-FORWARD');
		expect(await answering('8080/tcp')).toEqual(['8080/tcp IPv4']);
		await wizard(dock.target, 'check', '--fix');
		expect(await answering('8080/tcp')).toEqual([]);

		// By hand, for a port that is open.
		for (const [to, fate] of [
			['172.17.0.2:80', 'sent on'],
			['172.17.0.9', 'closed'],
		] as const) {
			const moved = ['-p', 'tcp', '--dport', '22', '-j', 'DNAT', '--to-destination', to];
			await dock.target.must('iptables', ['-t', 'nat', '-I', 'PREROUTING', '1', ...moved]);
			const {stdout} = await wizard(dock.target, 'check');
			expect(stdout).toMatch(
				new RegExp(
					`22/tcp is ${fate} from anywhere over IPv4: -A PREROUTING .* -j DNAT --to-destination ${to}, in nat`,
				),
			);
			await dock.target.must('iptables', ['-t', 'nat', '-D', 'PREROUTING', ...moved]);
		}
	});
});
