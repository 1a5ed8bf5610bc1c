import {beforeEach, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {otherOf} from '../_helpers/samples/proofs.ts';

const SERVER = ['--role', 'server', '--open', '22/tcp', '--helper', 'ftp'];

describe.each(BACKENDS)('iptables switched to the other backend, from %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeEach(async () => {
		host = await lab.host({backend});
	});

	/** As update-alternatives does it. */
	const switchBackend = async () => {
		const names = ['iptables', 'ip6tables'].flatMap((name) =>
			['', '-save', '-restore'].map((ending) => [name, ending] as const),
		);
		for (const [name, ending] of names) {
			const target = `/usr/sbin/${name}-${otherOf(backend)}${ending}`;
			await host.must('ln', ['-sfn', target, `/etc/alternatives/${name}${ending}`]);
		}
	};

	const rulesOf = async (which: string) =>
		host.must('sh', ['-c', `iptables-${which}-save; ip6tables-${which}-save`]);

	test('while a change waits: it is rolled back where it was loaded', async () => {
		const flags = [...SERVER, '--confirm-within', '10'];
		const applying = wizard(host, 'apply', ...flags);
		await expect.poll(async () => rulesOf(backend), {timeout: 8000}).toContain('FW-WIZARD-INPUT');
		await switchBackend();
		expect((await applying).status).toBe(4);
		expect(await whatStays(host)).toEqual([]);
		expect(await rulesOf(backend)).not.toContain('FW-WIZARD');
	});

	test.each([[['undo']], [['undo', '--all']]])(
		'after a change was kept: %j takes it away where it was loaded',
		async (undo) => {
			await wizardDoes(host, 'apply', ...SERVER);
			await switchBackend();
			await wizardDoes(host, ...undo);
			expect(await rulesOf(backend)).not.toContain('FW-WIZARD');
			expect(await rulesOf(otherOf(backend))).not.toContain('FW-WIZARD');
		},
	);
});
