import {vi} from 'vitest';
import type {Prover} from '../../source/app/prove.ts';
import type {Item} from '../../source/checklist/checklist-item.ts';
import {planChoices} from '../../source/existing/cleanup-options.ts';
import {describeNeighbourChoice} from '../../source/existing/describe-choice.ts';
import type {RulesSnapshot} from '../../source/existing/snapshot.ts';
import type {Exposed} from '../../source/exposure/model.ts';
import {formatNumber} from '../../source/lib/format-number.ts';
import type {PortRange} from '../../source/lib/port-ranges.ts';
import type {Proof, View} from '../../source/proof/report.ts';
import type {RemoteClient} from '../../source/ruleset/lockout.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import type {Listener} from '../../source/services/listener.ts';
import type {HostView} from '../../source/ui/steps/step-props.ts';
import {CONTAINER, socketOn} from '../_helpers/lab/sockets.ts';
import {PLAIN_FIREWALL} from '../_helpers/samples/existing-rules.ts';
import type {OpenApp} from '../_helpers/ui/app.tsx';
import {plannerFor} from '../_helpers/ui/app-props.ts';
import {factsKnown} from '../_helpers/ui/facts-known.ts';

/** A web server whose administrator comes through SSH: the same on each run. */

export function socket(port: number, process: string, more: Partial<Listener> = {}): Listener {
	const user = process === 'sshd' ? 'root' : process;
	return socketOn(port, {process, unit: `${process}.service`, user, ...more});
}

function exposed(port: number, more: Partial<Exposed>): Exposed {
	return {
		protocol: 'tcp',
		ports: [{first: port, last: port}],
		families: [4, 6],
		from: 'anywhere',
		through: 'INPUT',
		listens: true,
		before: 'open',
		after: 'shut',
		...more,
	};
}

const SNAPSHOT: RulesSnapshot = {
	family: 4,
	backend: 'nft',
	inUse: true,
	text: PLAIN_FIREWALL.iptables,
	rules: parseSave(PLAIN_FIREWALL.iptables, 4),
};

const CLIENT: RemoteClient = {
	client: '203.0.113.9',
	inInterface: 'eth0',
	accessPorts: [{protocol: 'tcp', first: 22, last: 22}],
};

export const SERVER: Partial<HostView> = {
	head: 'web1, Debian 12, root from 203.0.113.9 (22/tcp)',
	headline: 'Other firewall rules are active: rules in INPUT.',
	findings: [
		{text: 'iptables: 1.8.9 (nft), for IPv4 and IPv6', tone: 'muted'},
		{text: 'Network: eth0 192.0.2.10 2001:db8::10', tone: 'muted'},
	],
	known: factsKnown({
		listeners: [
			socket(22, 'sshd', {unit: 'ssh.service'}),
			socket(80, 'nginx'),
			socket(3306, 'mariadbd', {unit: 'mariadb.service', user: 'mysql'}),
			socket(6379, 'redis-server', {address: '127.0.0.1', reach: 'loopback'}),
		],
		published: [CONTAINER],
		recommendation: {
			role: 'server',
			reason: 'nginx and mariadb listen on all addresses',
		},
		choices: planChoices([SNAPSHOT], []).map((choice) =>
			describeNeighbourChoice(choice, undefined),
		),
	}),
	findExposure: async () => ({
		rows: [
			exposed(22, {process: 'sshd', after: 'open'}),
			exposed(80, {process: 'nginx'}),
			exposed(3306, {process: 'mariadbd'}),
			exposed(8080, {
				families: [4],
				through: 'a container',
				to: '172.17.0.2:80',
				by: 'Docker',
				after: 'open',
			}),
		],
		tried: true,
		unread: [],
	}),
	addresses: ['192.0.2.10', '2001:db8::10'],
	remoteClient: CLIENT,
	sshCommand: 'ssh root@192.0.2.10',
	planApply: plannerFor(CLIENT, {snapshots: [SNAPSHOT]}),
};

export const CHECKLIST: readonly Item[] = [
	{id: 'policy', title: 'the policy is stored and readable', state: 'ok'},
	{id: 'running', title: 'the rules that run are those of the policy', state: 'ok'},
	{
		id: 'boot',
		title: 'the rules are loaded at boot, before the network',
		state: 'failed',
		cause: 'fw-wizard.service is not enabled',
	},
	{
		id: 'scanned',
		title: 'scanned from another machine',
		state: 'open',
		cause:
			'nmap -sS -p- -T4 -oX scan.xml 192.0.2.10 (all TCP ports, about 2 minutes; with UDP it takes hours: nmap -sS -sU -p 0-65535 -oX scan.xml 192.0.2.10); then fw-wizard prove --nmap scan.xml',
	},
	{id: 'survived', title: 'the rules have survived a boot', state: 'open', cause: 'not yet'},
];

export function view(
	family: 4 | 6,
	name: string,
	passed: readonly PortRange[],
	differences: View['differences'] = [],
): View {
	const ports = {tcp: passed, udp: []};
	return {
		vantagePoint: {
			family,
			kind: name.includes('/') ? 'network' : 'anywhere',
			name,
			source: family === 4 ? '203.0.113.77' : '2001:db8:77::77',
			inInterface: 'eth0',
			destination: family === 4 ? '192.0.2.10' : '2001:db8::10',
		},
		passed: ports,
		expected: ports,
		forwarded: {tcp: [], udp: []},
		published: [],
		differences,
	};
}

const ALL = [{first: 1, last: 65_535}];
const OPEN = [
	{first: 22, last: 22},
	{first: 443, last: 443},
];

export const PROVEN: Proof = {
	views: [view(4, 'anywhere', OPEN), view(6, 'anywhere', OPEN), view(4, 'you', OPEN)],
	checks: ['answers', 'ping', 'path MTU'].map((name) => ({name, result: 'ok', detail: ''})),
	untried: [],
	leftOut: [],
	probes: 393_210,
	seconds: 14.2,
};

export const REFUTED: Proof = {
	...PROVEN,
	views: [
		view(
			4,
			'anywhere',
			[...OPEN, {first: 8000, last: 8010}],
			[
				{
					protocol: 'tcp',
					ports: [{first: 8000, last: 8010}],
					fact: 'passes',
					cause: 'rule 1 of INPUT, not part of this firewall',
				},
			],
		),
		...PROVEN.views.slice(1),
	],
};

/** Packets of which a third is sent, after three seconds, until they are let go on. */
export class SlowProver implements Prover {
	#finish = () => {};
	readonly #proof: Proof;

	constructor(proof: Proof) {
		this.#proof = proof;
	}

	/** Enters Proof by the given keys, at a time that stands still. */
	async enter(go: () => Promise<void>): Promise<void> {
		const clock = vi.spyOn(performance, 'now').mockReturnValue(20_000);
		await go();
		clock.mockRestore();
	}

	async finish(app: OpenApp): Promise<void> {
		this.#finish();
		await vi.waitFor(() => {
			if (!app.screen().includes(`${formatNumber(this.#proof.probes)} packets`)) {
				throw new Error(app.screen());
			}
		});
		await app.settle();
	}

	prove: Prover['prove'] = async (_, onProgress) => {
		vi.mocked(performance.now).mockReturnValue(23_000);
		onProgress({sent: 131_070, total: 393_210});
		await new Promise<void>((resolve) => {
			this.#finish = resolve;
		});
		return this.#proof;
	};

	proveBefore: Prover['proveBefore'] = async () =>
		PROVEN.views
			.slice(0, 2)
			.map(({vantagePoint}) => ({vantagePoint, passed: {tcp: ALL, udp: ALL}}));

	demonstrate: Prover['demonstrate'] = async () => ({
		reject: {outcome: 'ECONNREFUSED', milliseconds: 2},
		reset: {outcome: 'ECONNREFUSED', milliseconds: 1},
		drop: {outcome: 'timeout', milliseconds: 1000},
	});
}
