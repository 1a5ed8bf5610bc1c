import {writeFileSync} from 'node:fs';
import {BlockList} from 'node:net';
import path from 'node:path';
import process from 'node:process';
import type {RunResult} from '../../../source/host/exec/run.ts';
import type {Backend} from '../../../source/host/netfilter/iptables.ts';
import type {Family} from '../../../source/lib/network.ts';
import {LAST_PORT, type PortRange} from '../../../source/lib/port-ranges.ts';
import type {Policy} from '../../../source/policy/policy.ts';
import {printPolicy} from '../../../source/policy/print-policy.ts';
import type {Protocol} from '../../../source/policy/services.ts';
import {networksOf} from '../../../source/policy/sources.ts';
import type {Proof, View} from '../../../source/proof/report.ts';
import {CLI} from '../lab/cli.ts';
import type {Host} from '../lab/namespaces.ts';

/** The ports at which a server is of use to the helpers. */
export const HELPED = '21/tcp, 1719/udp, 1720/tcp, 1723/tcp, 5060, 6566/tcp, 10080/udp';

/** What `prove --json` prints: the vantage point of a view has the key `vantage` there. */
export type Report = Omit<Proof, 'views'> & {
	readonly subject: string;
	readonly proven: boolean;
	readonly views: ReadonlyArray<
		Omit<View, 'vantagePoint'> & {readonly vantage: Omit<View['vantagePoint'], 'kind'>}
	>;
};

/** Runs `fw-wizard prove` on a machine of the test. */
export async function prove(
	host: Host,
	policy: Policy,
	...flags: readonly string[]
): Promise<RunResult> {
	// Outside of /etc, which is to stay as it is.
	const file = path.join(host.folder, 'policy.json');
	writeFileSync(file, printPolicy(policy));
	return host.run(process.execPath, [CLI, 'prove', '--policy', file, ...flags], {
		timeout: 120_000,
	});
}

/** The same as data. @throws {Error} when it gives no report */
export async function proofOf(
	host: Host,
	policy: Policy,
	...flags: readonly string[]
): Promise<Report> {
	const {status, stdout, stderr} = await prove(host, policy, '--json', ...flags);
	if (status !== 0 && status !== 1) {
		throw new Error(`prove ended with ${status}: ${stderr}`);
	}

	const report = JSON.parse(stdout) as Report;
	if (report.proven !== (status === 0)) {
		throw new Error(`prove ended with ${status} and says proven: ${report.proven}`);
	}

	return report;
}

/** Somewhere that packets come from. */
type SourceInRules = {
	readonly family: Family;
	readonly source: string;
	readonly inInterface: string;
};

/**
 * The ports that a policy opens, straight from its openings: nothing of the program decides here.
 * @param among only these; default all
 */
export function openedPorts(
	policy: Policy,
	origin: SourceInRules,
	protocol: Protocol,
	among?: readonly number[],
): string {
	const open = new Uint8Array(LAST_PORT + 1);
	for (const opening of policy.openings) {
		if (
			opening.kind === 'port' &&
			(opening.protocol === 'both' || opening.protocol === protocol) &&
			(opening.on === undefined || opening.on === origin.inInterface) &&
			((opening.from && networksOf(opening.from))?.some(({cidr}) => isWithin(cidr, origin)) ?? true)
		) {
			open.fill(1, opening.first, opening.last + 1);
		}
	}

	const wanted = new Set(among);
	return spell(among ? open.map((value, port) => (wanted.has(port) ? value : 0)) : open);
}

/** Ranges as text, in the same form. */
export function spellPorts(ranges: readonly PortRange[]): string {
	const ports = new Uint8Array(LAST_PORT + 1);
	for (const {first, last} of ranges) {
		ports.fill(1, first, last + 1);
	}

	return spell(ports);
}

/** The ports at which something begins or ends, each with its neighbours. */
export function edgesOf(policy: Policy): readonly number[] {
	const edges = policy.openings.flatMap((opening) =>
		opening.kind === 'port'
			? [opening.first, opening.last].flatMap((port) => [port - 1, port, port + 1])
			: [],
	);
	return [...new Set(edges)].filter((port) => port >= 1 && port <= LAST_PORT);
}

function isWithin(cidr: string, {family, source}: SourceInRules): boolean {
	const [address = '', prefix] = cidr.split('/');
	const type = address.includes(':') ? 'ipv6' : 'ipv4';
	if (type !== `ipv${family}`) {
		return false;
	}

	const list = new BlockList();
	list.addSubnet(address, Number(prefix), type);
	return list.check(source, type);
}

/** `22 8000-8010` */
function spell(ports: Uint8Array): string {
	const words: string[] = [];
	for (let port = 1; port <= LAST_PORT; port++) {
		const first = port;
		while (ports[first] && ports[port + 1]) {
			port++;
		}

		if (ports[first]) {
			words.push(first === port ? `${first}` : `${first}-${port}`);
		}
	}

	return words.join(' ');
}

/** The backend that a machine's iptables is not. */
export function otherOf(backend: Backend): Backend {
	return backend === 'nft' ? 'legacy' : 'nft';
}

/** A machine with one network card, for ip(8). */
export const ONE_CARD = [
	'link add eth0 type veth peer name cable',
	'address add 192.0.2.1/24 dev eth0',
	'address add 2001:db8:5::1/64 dev eth0 nodad',
	'link set eth0 up',
	'link set cable up',
] as const;
