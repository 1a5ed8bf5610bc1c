import {describe, expect, test} from 'vitest';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {openDock} from '../system/containers.ts';

const POLICY = ['--role', 'server', '--open', '22/tcp', '--published', 'policy'];
/** As the routing mesh of Docker Swarm opens a port on every node (libnetwork, service_linux.go). */
const MESH = `\
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER-INGRESS - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER-INGRESS
-A DOCKER-INGRESS -p tcp -m tcp --dport 9000 -j DNAT --to-destination 172.18.0.2:9000
-A DOCKER-INGRESS -j RETURN
COMMIT
`;

describe("Swarm's routing mesh", () => {
	const lab = useLab();

	test('is left, and named by its own rule', async () => {
		const {target} = await openDock(lab, 'nft');
		await target.ip([
			'link add docker_gwbridge type bridge',
			'address add 172.18.0.1/16 dev docker_gwbridge',
			'link set docker_gwbridge up',
		]);
		await target.must('iptables-restore', [], {input: MESH});
		const applied = await wizard(target, 'apply', ...POLICY, '--yes', '--boot', 'none');
		const rule =
			'9000/tcp is forwarded from anywhere over IPv4: -A DOCKER-INGRESS -p tcp -m tcp --dport 9000 -j DNAT --to-destination 172.18.0.2:9000, in nat (Docker)';
		expect(applied.stderr).toContain(`Beside the policy: ${rule}\n`);
		const checked = await wizard(target, 'check');
		expect(checked.status).toBe(0);
		expect(checked.stdout).toContain(rule);
		const exposure = await wizardDoes(target, 'exposure');
		expect(exposure).toMatch(/^open {2}open +9000\/tcp, IPv4 +anywhere/m);
	});
});
