// Programs that load rules again while packets come in: ours, and those of the others that are installed.

import {findProgram} from '../../source/host/exec/find-program.ts';
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import type {Host} from '../_helpers/lab/lab.ts';
import {PORTS} from '../_helpers/traffic/traffic.ts';

export type Tool = {
	readonly name: string;
	/** The program, where it is not ours. */
	readonly program?: string;
	/** Those that it uses; some take the legacy one wherever it is installed. */
	readonly backends: readonly Backend[];
	/** Configures it and loads its rules, with the port of the session that lasts open. */
	readonly prepare: (host: Host) => Promise<unknown>;
	readonly reload: (host: Host) => Promise<unknown>;
};

const POLICY = ['--role', 'server', '--verdict', 'drop', '--open', `${PORTS.open}`];

export const WIZARD: Tool = {
	name: 'fw-wizard apply',
	backends: BACKENDS,
	prepare: async (host) => wizardDoes(host, 'apply', ...POLICY, '--open', `${PORTS.lasting}/tcp`),
	reload: async (host) => wizardDoes(host, 'apply', ...POLICY),
};

const UFW: Tool = {
	name: 'ufw reload',
	program: 'ufw',
	backends: BACKENDS,
	async prepare(host) {
		await host.must('mount', ['-t', 'tmpfs', 'fww-bench', '/run']);
		for (const port of [PORTS.open, PORTS.lasting]) {
			await host.must('ufw', ['allow', `${port}`]);
		}

		await host.must('ufw', ['--force', 'enable']);
	},
	reload: async (host) => host.must('ufw', ['reload']),
};

const FERM_RULES = `domain (ip ip6) table filter chain INPUT {
	policy DROP;
	mod conntrack ctstate (ESTABLISHED RELATED) ACCEPT;
	interface lo ACCEPT;
	@if @eq($DOMAIN, ip) proto icmp ACCEPT;
	@if @eq($DOMAIN, ip6) proto icmpv6 ACCEPT;
	proto (tcp udp) dport (${PORTS.open} ${PORTS.lasting}) ACCEPT;
}
`;

const FERM: Tool = {
	name: 'ferm',
	program: 'ferm',
	backends: ['legacy'],
	async prepare(host) {
		await host.must('tee', ['/etc/ferm/ferm.conf'], {input: FERM_RULES});
		await host.must('ferm', ['/etc/ferm/ferm.conf']);
	},
	reload: async (host) => host.must('ferm', ['/etc/ferm/ferm.conf']),
};

const FIREHOL_RULES = `version 6
interface any world
	policy drop
	server custom open tcp/${PORTS.open},udp/${PORTS.open} default accept
	server custom lasting tcp/${PORTS.lasting} default accept
	server "ICMP ICMPV6" accept
	server ipv6neigh accept
	client ipv6neigh accept
	client all accept
`;

const FIREHOL: Tool = {
	name: 'firehol restart',
	program: 'firehol',
	backends: ['legacy'],
	async prepare(host) {
		await host.must('sed', [
			'-i',
			's/^START_FIREHOL=NO/START_FIREHOL=YES/',
			'/etc/default/firehol',
		]);
		await host.must('tee', ['/etc/firehol/firehol.conf'], {input: FIREHOL_RULES});
		await host.must('mkdir', ['-p', '/var/spool/firehol']);
		await host.must('mount', ['-t', 'tmpfs', 'fww-bench', '/var/spool/firehol']);
		await host.must('firehol', ['start']);
	},
	reload: async (host) => host.must('firehol', ['restart']),
};

/** Ours first, then the others that are here. */
export function installedTools(): readonly Tool[] {
	return [WIZARD, UFW, FERM, FIREHOL].filter(({program}) => !program || findProgram(program));
}
