import {beforeAll, describe, expect, test} from 'vitest';
import {BACKENDS, mainly} from '../_helpers/lab/backends.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {FOREIGN_CHANGES} from './foreign-changes.ts';

const POLICY = ['22/tcp', '8000-8010/tcp', '53/udp'].flatMap((opening) => ['--open', opening]);

describe.each(mainly('nft'))('check beside changes by others, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host({backend});
		await lab.join(
			{host, device: 'eth0', addresses: ['10.9.1.1/24', 'fd09:1::1/64']},
			{host: await lab.host(), device: 'out', addresses: ['10.9.1.2/24', 'fd09:1::2/64']},
		);
		await wizardDoes(host, 'apply', '--yes', '--role', 'server', ...POLICY);
	});

	const run = async (commands: readonly string[]) => {
		for (const command of commands) {
			await host.must('sh', ['-c', command.replaceAll(/[;{}"]/g, '\\$&')]);
		}
	};
	const here = FOREIGN_CHANGES.filter(({only = backend}) => only === backend);
	// In the usual run each backend takes another eighth of them.
	const step = rounds(8, 1);
	const chosen = here.filter((_, index) => index % step === BACKENDS.indexOf(backend) % step);

	test.each(chosen)('$change', async ({does, undoes, found, trusts = false, leftOut}) => {
		await run(does);
		try {
			const {status, failed, items} = await readChecklist(host);
			expect({status, failed: Object.keys(failed)}).toEqual(
				found && !trusts ? {status: 1, failed: ['reached']} : {status: 0, failed: []},
			);
			expect(items.trusted?.state).toBe(trusts ? 'open' : undefined);
			expect(items['left-out']?.cause).toEqual(leftOut && expect.stringMatching(leftOut));
			for (const pattern of found ?? []) {
				expect((trusts ? items.trusted : items.reached)?.cause).toMatch(pattern);
			}
		} finally {
			await run(undoes);
		}
	});
});
