import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {KEPT_POLICY, keptRules, runKept} from '../_helpers/samples/kept-rules.ts';

/** As Docker publishes a container's ports. */
const PUBLISHED = [
	'sysctl -qw net.ipv4.ip_forward=1',
	'ip link add docker0 type bridge',
	'ip address add 172.17.0.1/16 dev docker0',
	'ip link set docker0 up',
	'iptables -t nat -N DOCKER',
	'iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER',
	...[8081, 8082].map(
		(port) =>
			`iptables -t nat -A DOCKER ! -i docker0 -p tcp --dport ${port} -j DNAT --to-destination 172.17.0.2:80`,
	),
];

describe.each(mainly('nft'))('the proof of a policy beside what stays, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host({backend});
		await lab.join(
			{host, device: 'eth0', addresses: ['10.9.1.1/24', 'fd09:1::1/64']},
			{host: await lab.host(), device: 'out', addresses: ['10.9.1.2/24', 'fd09:1::2/64']},
		);
	});

	const prove = async (...more: readonly string[]) =>
		host.run(process.execPath, [CLI, 'prove', ...KEPT_POLICY, '--published', 'leave', ...more], {
			timeout: 200_000,
		});

	test('names what passes beyond it and what is blocked, and says exactly without either', async () => {
		const before = await prove();
		expect(before).toMatchObject({status: 0});
		expect(before.stdout).toContain('Proven: exactly what the policy says.');

		const kept = keptRules(backend);
		for (const command of [...kept.map((one) => one.command), ...PUBLISHED]) {
			await runKept(host, command);
		}

		const {status, stdout} = await prove('--open', '8082/tcp');
		expect(status).toBe(1);
		for (const {proven} of kept) {
			expect(stdout).toContain(proven);
		}

		expect(stdout).toMatch(
			/^Left out: 8081\/tcp \(Docker\) is open as published; to let the policy decide: --published policy$/m,
		);
		// Published, and opened by the policy.
		expect(stdout).not.toMatch(/(?:Difference|Left out).*8082/);
		expect(stdout).not.toContain('exactly');
	}, 240_000);
});
