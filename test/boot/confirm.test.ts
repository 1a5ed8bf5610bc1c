import {beforeAll, describe, expect, test} from 'vitest';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {loginWords, runThere} from '../_helpers/ssh/ssh.ts';

/** systemd gives sshd its listening socket, or with Accept=yes starts one sshd a connection. */
const SOCKETS = [{accept: 'no'}, {accept: 'yes'}] as const;
/** inetd style, as Debian had it until bookworm. */
const SSHD_OF_SOCKET = `[Service]
ExecStart=-/usr/sbin/sshd -i
StandardInput=socket
RuntimeDirectory=sshd
RuntimeDirectoryPreserve=yes
`;
describe.each(suitesHere())('a machine with systemd, %s, is confirmed', (suite) => {
	const lab = useLab();
	const debians = useDebians(lab);
	let debian: Debian;

	beforeAll(async () => {
		debian = await debians.boot(suite, {'/etc/systemd/system/ssh@.service': SSHD_OF_SOCKET});
		await debian.install();
	});

	const apply = async () => {
		const command = `node ${PROGRAM} apply --role server --open 22/tcp --confirm-within 600`;
		const [program = '', ...args] = loginWords(debian, command);
		return debian.client.start(program, args, /The old rules are restored/);
	};

	test.each(SOCKETS)('over ssh.socket with Accept=$accept', async ({accept}) => {
		const {host} = debian;
		// One socket for both families: a client over IPv4 has an address of IPv6 there.
		const lines = ['[Socket]', 'ListenStream=', 'ListenStream=[::]:22', `Accept=${accept}`];
		const override = '/etc/systemd/system/ssh.socket.d/fww.conf';
		await host.must('sh', ['-c', `mkdir -p "\${0%/*}"; cat >"$0"`, override], {
			input: `${lines.join('\n')}\n`,
		});
		const steps = [
			'disable --now ssh.service',
			'stop ssh.socket',
			'daemon-reload',
			'start ssh.socket',
		];
		await host.must('sh', ['-ec', steps.map((step) => `systemctl ${step}`).join('\n')]);
		const applying = await apply();
		expect(await runThere(debian, `node ${PROGRAM} confirm`)).toMatchObject({
			status: 0,
			stdout: expect.stringMatching(/^Confirmed change \d+/),
		});
		expect(await applying.ended).toBe(0);
	});
});
