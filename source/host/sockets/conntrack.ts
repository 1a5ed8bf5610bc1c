import {run} from '../exec/run.ts';
import {readText} from '../files/read-text.ts';

/** A connection that conntrack knows, or packets of UDP that it takes for one. */
type Flow = {
	/** Who began it. */
	readonly source: string;
	/** Who answers, behind nat, and by which port. */
	readonly answers: {readonly address: string; readonly port: number};
};

const TIMEOUT_MS = 1000;

/** A gateway that forwards for many hosts has a million entries, and reading them takes seconds. */
const MOST_FLOWS = 50_000;
const COUNT = '/proc/sys/net/netfilter/nf_conntrack_count';

/**
 * The flows of UDP that conntrack knows, over both families: from the kernel's own list (nf_conntrack_procfs,
 * which most kernels are built without now), or else from the program conntrack. Needs root.
 * @returns none where neither is there, where there are too many, and where no rule has started conntrack
 */
export async function readUdpFlows(): Promise<readonly Flow[]> {
	if (Number(readText(COUNT) ?? 0) > MOST_FLOWS) {
		return [];
	}

	const list = readText('/proc/net/nf_conntrack');
	if (list !== undefined) {
		return parseFlows(list.split('\n').filter((line) => / udp +17 /.test(line)));
	}

	const answers = await Promise.all(
		['ipv4', 'ipv6'].map(async (family) =>
			run('conntrack', ['-L', '-f', family, '-p', 'udp'], {timeout: TIMEOUT_MS}),
		),
	);
	return answers.flatMap(({stdout}) => parseFlows(stdout.split('\n')));
}

/** Both directions of a flow, the one of its first packet first. */
const FLOW = /\bsrc=(\S+) dst=\S+ sport=\d+ dport=\d+ .*?\bsrc=(\S+) dst=\S+ sport=(\d+) dport=\d+/;

/** Reads lines of conntrack(8) or of /proc/net/nf_conntrack; others are passed over. */
export function parseFlows(lines: readonly string[]): readonly Flow[] {
	return lines.flatMap((line) => {
		const [, source, address, port] = FLOW.exec(line) ?? [];
		return source === undefined || address === undefined
			? []
			: [{source, answers: {address, port: Number(port)}}];
	});
}
