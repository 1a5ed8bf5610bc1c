import {beforeAll, describe, expect, test} from 'vitest';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';

const ALERT = '/etc/fww-alert';
const CALLS = '/run/fww-calls';
const FOUND = '/var/lib/fw-wizard/watch/found';

describe('the program that the watch tells', () => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host();
		await host.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
		await host.must('tee', [ALERT], {input: `#!/bin/sh\ncat >>${CALLS}\n`});
		await host.must('chmod', ['755', ALERT]);
		await wizardDoes(host, 'apply', '--role', 'server', '--open', '22/tcp');
		await wizardDoes(host, 'watch', 'on', '--notify', ALERT);
		await host.must('ip6tables', ['-D', 'INPUT', '-j', 'FW-WIZARD-INPUT']);
	});

	/** How many calls a look makes. */
	async function look(): Promise<number> {
		await host.must('rm', ['-f', CALLS]);
		expect((await host.run('sh', ['/etc/fw-wizard/watch', 'look'])).status).toBe(1);
		const {stdout} = await host.run('cat', [CALLS]);
		return stdout.split('\n').filter((line) => line !== '').length;
	}

	/** Writes down that it was told so many seconds ago, of what it was told last or of another finding. */
	async function told(...times: ReadonlyArray<readonly [ago: number, key?: number]>) {
		const found = await host.must('cat', [FOUND]);
		const last = /^notified (?:\S+ )*\d+:(\d+) *$/m.exec(found)?.[1];
		const [uptime = 0] = (await host.must('cat', ['/proc/uptime'])).split('.').map(Number);
		const entries = times.map(([ago, key]) => `${uptime - ago}:${key ?? last}`);
		const text = found.replace(/^notified .*$/m, `notified ${entries.join(' ')} `);
		await host.must('tee', [FOUND], {input: text});
	}

	test('is told of the same again after an hour', async () => {
		expect(await look()).toBe(1);
		await told([3000]);
		expect(await look()).toBe(0);
		await told([3601]);
		expect(await look()).toBe(1);
		expect(await look()).toBe(0);
	});

	test('is called ten times in an hour at most, whatever is found', async () => {
		const others = (count: number) => Array.from({length: count}, (_, key) => [60, key] as const);
		await told(...others(10));
		expect(await look()).toBe(0);
		await told(...others(9), [3601, 9]);
		expect(await look()).toBe(1);
		await host.must('iptables', ['-I', 'INPUT', '-p', 'tcp', '--dport', '99', '-j', 'ACCEPT']);
		expect(await look()).toBe(0);
		await told([3601, 9], ...others(9));
		expect(await look()).toBe(1);
	});
});
