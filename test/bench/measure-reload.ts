// Measures how many packets leak and are lost while the same rules are loaded again and again, by
// this program and by those of the others that are installed. Runs as root in namespaces of its own;
// prints the figures as JSON.
import type {Backend} from '../../source/host/iptables.ts';
import {findProgram} from '../../source/host/run.ts';
import {BACKENDS} from '../_helpers/backends.ts';
import {wizardDoes} from '../_helpers/cli.ts';
import {type Host, openLab} from '../_helpers/lab.ts';
import {joinedPair} from '../_helpers/pair.ts';
import {PORTS, startTraffic} from '../_helpers/traffic.ts';
import type {Figure} from './statistics.ts';

const TIMES = 20;

type Tool = {
	readonly name: string;
	/** The program, where it is not ours. */
	readonly program?: string;
	/** Those that it uses; some take the legacy one wherever it is installed. */
	readonly backends: readonly Backend[];
	readonly prepare: (host: Host) => Promise<unknown>;
	readonly reload: (host: Host) => Promise<unknown>;
};

const POLICY = ['--role', 'server', '--verdict', 'drop', '--open', `${PORTS.open}`];

const WIZARD: Tool = {
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
	prepare: async (host) => host.must('tee', ['/etc/ferm/ferm.conf'], {input: FERM_RULES}),
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
		await host.must('mount', ['-t', 'tmpfs', 'fww-bench', '/var/spool/firehol']);
	},
	reload: async (host) => host.must('firehol', ['restart']),
};

async function measure(
	{name, prepare, reload}: Tool,
	backend: Backend,
): Promise<readonly Figure[]> {
	const lab = openLab();
	try {
		const {target, probe} = await joinedPair(lab, backend);
		await prepare(target);
		await reload(target);
		const traffic = await startTraffic(target, probe);
		for (let round = 0; round < TIMES; round++) {
			await reload(target);
		}

		const {counts} = await traffic.stop();
		const [shut, open] = [true, false].map((wanted) =>
			counts.filter((count) => count.name.includes(' shut ') === wanted),
		);
		const sum = (part: typeof counts = [], key: 'arrived' | 'passed') =>
			part.reduce((total, count) => total + count[key], 0);
		const leaked = sum(shut, 'passed');
		const lost = sum(open, 'arrived') - sum(open, 'passed');
		const own = name === WIZARD.name;
		const promise = (kept: boolean) => (own ? {limit: '0', kept} : {});
		return [
			{
				name: `${TIMES} times ${name} (${backend}): forbidden packets that passed`,
				value: `${leaked} of ${sum(shut, 'arrived')}`,
				...promise(leaked === 0),
			},
			{
				name: `${TIMES} times ${name} (${backend}): allowed packets that were lost`,
				value: `${lost} of ${sum(open, 'arrived')}`,
				...promise(lost === 0),
			},
		];
	} finally {
		await lab.close();
	}
}

const figures: Figure[] = [];
const tools = [WIZARD, UFW, FERM, FIREHOL];
for (const tool of tools.filter(({program}) => !program || findProgram(program))) {
	for (const backend of tool.backends) {
		figures.push(...(await measure(tool, backend)));
	}
}

console.log(JSON.stringify(figures));
