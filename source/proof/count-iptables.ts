import {firstLine} from '../host/exec/run.ts';
import {programOf} from '../host/netfilter/iptables.ts';
import type {Namespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import type {Family} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';

/**
 * A rule of iptables that only counts. In raw, PREROUTING it comes before all other rules, and in
 * security, INPUT after those of the filter table.
 */
export type CountingRule = {
	readonly table: 'raw' | 'filter' | 'security';
	readonly chain: 'PREROUTING' | 'INPUT';
	/** In the words of iptables: `-p tcp --dport 22`. */
	readonly match: string;
};

export type IptablesCountOptions = {
	/** Drop packets once they are counted in the security table. */
	readonly drop?: boolean;
	/** How many packets the first rule should count. A busy kernel may need a while for them. */
	readonly expected?: number;
};

/** The counters are read this often, at most, until the last packet has arrived. */
const MOST_READS = 200;

const CHAIN = 'FWW-COUNT';

/**
 * Counts packets in a namespace of our own by the counters of rules, while an action runs.
 * @returns how many packets each rule has counted, in the order of the rules
 * @throws {HostError} where packets cannot be counted
 */
export async function countWithIptables(
	namespace: Namespace,
	family: Family,
	rules: readonly CountingRule[],
	act: () => Promise<unknown>,
	{drop = false, expected = 0}: IptablesCountOptions = {},
): Promise<readonly number[]> {
	const hooks = [...new Map(rules.map((rule) => [rule.table, rule])).values()];
	const load = async (lines: (hook: CountingRule) => readonly string[]) =>
		restore(
			namespace,
			family,
			hooks.flatMap((hook) => [`*${hook.table}`, ...lines(hook), 'COMMIT']),
		);
	await load(({table, chain}) => [
		`:${CHAIN} -`,
		...rules.filter((rule) => rule.table === table).map(({match}) => `-A ${CHAIN} ${match}`),
		...(drop && table === 'security'
			? ['tcp', 'udp'].map((protocol) => `-A ${CHAIN} -p ${protocol} -j DROP`)
			: []),
		`-I ${chain} 1 -j ${CHAIN}`,
	]);
	try {
		await act();
		let counts = await readCounts(namespace, family, rules);
		for (let reads = 0; reads < MOST_READS && (counts[0] ?? 0) < expected; reads += 1) {
			counts = await readCounts(namespace, family, rules);
		}

		return counts;
	} finally {
		await load(({chain}) => [`-D ${chain} -j ${CHAIN}`, `-F ${CHAIN}`, `-X ${CHAIN}`]);
	}
}

async function readCounts(
	namespace: Namespace,
	family: Family,
	rules: readonly CountingRule[],
): Promise<readonly number[]> {
	const counts = new Map<string, number[]>();
	for (const {table} of rules) {
		if (!counts.has(table)) {
			const {stdout} = await namespace.run(programOf(family, '-save'), ['-c', '-t', table], {
				timeout: 30_000,
			});
			const lines = stdout.matchAll(new RegExp(`^\\[(\\d+):\\d+\\] -A ${CHAIN} `, 'gm'));
			counts.set(
				table,
				[...lines].map(([, packets]) => Number(packets)),
			);
		}
	}

	// Within its table, each rule has kept its position.
	return rules.map(({table}) => counts.get(table)?.shift() ?? 0);
}

async function restore(
	namespace: Namespace,
	family: Family,
	lines: readonly string[],
): Promise<void> {
	const {status, stderr} = await namespace.run(
		programOf(family, '-restore'),
		['-w', '10', '--noflush'],
		{input: `${lines.join('\n')}\n`, timeout: 30_000},
	);
	if (status !== 0) {
		throw new HostError(
			`Packets cannot be counted here: ${printable(firstLine(stderr), 160)}`,
			'Install nftables: the rules stay those of iptables',
		);
	}
}
