import {writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {RunResult} from '../../source/host/exec/run.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';
import type {Host, Lab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {type SshServer, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';

/** Debian's ansible-core and ansible-lint, with what they need. Never installed. */
const ANSIBLE = [
	...['ansible-core', 'ansible-lint', 'black', 'yamllint', 'python3-ansible-compat'],
	...['python3-attr', 'python3-bracex', 'python3-cffi-backend', 'python3-click'],
	...['python3-cryptography', 'python3-enrich', 'python3-filelock', 'python3-jinja2'],
	...['python3-jsonschema', 'python3-markdown-it', 'python3-markupsafe', 'python3-mdurl'],
	...['python3-more-itertools', 'python3-mypy-extensions', 'python3-packaging'],
	...['python3-pathspec', 'python3-pkg-resources', 'python3-platformdirs', 'python3-pygments'],
	...['python3-pyrsistent', 'python3-resolvelib', 'python3-rich', 'python3-ruamel.yaml'],
	...['python3-ruamel.yaml.clib', 'python3-subprocess-tee', 'python3-tenacity'],
	...['python3-tomli', 'python3-typing-extensions', 'python3-wcmatch', 'python3-yaml'],
];

/** How a play has ended for a host, as its recap says. */
type Recap = {
	readonly ok: number;
	readonly changed: number;
	readonly unreachable: number;
	readonly failed: number;
};

export type Played = {
	readonly status: number | undefined;
	readonly text: string;
	/** By the name of the host: those that the play has come to. */
	readonly hosts: Readonly<Record<string, Recap>>;
};

export type Fleet = {
	readonly controller: Host;
	/** Namespaces with an sshd of their own first, then booted machines. */
	readonly servers: readonly SshServer[];
	/** What is in the inventory for all hosts, and the folder for files of a play. */
	readonly inventory: string;
	/** The folder of the controller with the role, and of the states of the hosts. */
	readonly role: string;
	readonly states: string;
	/** Runs a program of Ansible on the controller, as in `['playbook', …]`. */
	readonly ansible: (module: string, args: readonly string[]) => Promise<RunResult>;
	/** Plays the role, with variables that are stronger than all others; `play` replaces the lines of the play. */
	readonly play: (
		variables?: Readonly<Record<string, unknown>>,
		args?: readonly string[],
		play?: string,
	) => Promise<Played>;
};

/** Runs a module as -m does, and tells the most memory that the process had, in KiB (getrusage(2)). */
const RUN = `import resource, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)
finally:
    print('fww-peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)`;

const SSH = [
	'-F none -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR',
	'-o ConnectTimeout=2 -o KexAlgorithms=curve25519-sha256',
].join(' ');

/** The hosts are h0, h1, …; h0 has 8080/tcp open besides, and those of the group "web" (all but h0) 80/tcp. */
const PLAY = `  serial: [1, 100%]
  max_fail_percentage: 0
  roles: [fw_wizard]
`;

/** A controller with real ansible-core and a role of `export ansible`, and hosts with a real sshd each. */
export async function openFleet(
	lab: Lab,
	count: number,
	flags: readonly string[],
	booted: readonly SshServer[] = [],
): Promise<Fleet> {
	const folder = await unpackPackages(...ANSIBLE, ...(rounds(0, 1) === 1 ? ['ansible'] : []));
	const controller = await sshClient(lab);
	const role = path.join(controller.folder, 'roles/fw_wizard');
	const states = path.join(controller.folder, 'states');
	await controller.must('mkdir', [states]);
	await wizardDoes(controller, 'export', 'ansible', '--role-dir', role, ...flags);
	const servers: SshServer[] = [];
	for (let number = 0; number < count; number++) {
		const server = await sshServer(lab, controller, {backend: 'nft', number});
		await server.host.must('mount', ['-t', 'tmpfs', 'fww-test', '/usr/local/sbin']);
		servers.push(server);
	}

	const inventory = path.join(controller.folder, 'hosts');
	servers.push(...booted);
	const lines = servers.map((server, number) => {
		const key = `ansible_ssh_private_key_file=${path.join(server.client.folder, 'key')}`;
		return server.client === controller
			? `h${number} ansible_host=${server.addresses[0]} ${key}`
			: `h${number} ${key} ${through(server)}`;
	});
	writeFileSync(
		inventory,
		`[all:vars]
ansible_user=root
ansible_python_interpreter=/usr/bin/python3
ansible_ssh_common_args=${SSH}
fw_wizard_status_dir=${states}
[canary]
${lines[0]} fw_wizard_open_host='["8080/tcp"]'
[web]
${lines.slice(1).join('\n')}
[web:vars]
fw_wizard_open_group=["80/tcp"]
`,
	);
	const ansible: Fleet['ansible'] = async (module, args) =>
		controller.run(
			'env',
			[
				`PYTHONPATH=${path.join(folder, 'usr/lib/python3/dist-packages')}`,
				`HOME=${controller.folder}`,
				`PATH=${path.dirname(process.execPath)}:${path.join(folder, 'usr/bin')}:/usr/bin:/bin:/usr/sbin`,
				...['LC_ALL=C.UTF-8', 'ANSIBLE_NOCOLOR=1', 'ANSIBLE_PIPELINING=1', 'ANSIBLE_FORKS=20'],
				...['/usr/bin/python3', '-c', RUN, module, ...args],
			],
			{timeout: 3_600_000},
		);
	return {
		...{controller, servers, inventory, role, states, ansible},
		async play(variables = {}, args = [], play = PLAY) {
			const file = path.join(controller.folder, 'play.yml');
			writeFileSync(file, `- hosts: all\n  become: true\n  gather_facts: false\n${play}`);
			const extra = ['-e', JSON.stringify(variables)];
			const {status, stdout, stderr} = await ansible('ansible', [
				...['playbook', '-i', inventory, ...extra, ...args, file],
			]);
			const text = `${stdout}${stderr}`;
			return {status, text, hosts: readRecap(text)};
		},
	};
}

/**
 * A booted machine is reached from its own client alone: each connection begins there. All have the same address, by
 * which Ansible would take the connection to one of them for that to another.
 */
function through({client, addresses: [address], port}: SshServer): string {
	const proxy = `nsenter --net=/run/netns/${client.name} nc.openbsd ${address} ${port}`;
	return `ansible_ssh_common_args='${SSH} -o ProxyCommand="${proxy}"'`;
}

function readRecap(text: string): Played['hosts'] {
	const line = /^(\S+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+)/gm;
	return Object.fromEntries(
		[...text.matchAll(line)].map(([, host = '', ...numbers]) => {
			const [ok = 0, changed = 0, unreachable = 0, failed = 0] = numbers.map(Number);
			return [host, {ok, changed, unreachable, failed}];
		}),
	);
}
