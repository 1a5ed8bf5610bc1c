import {firstLine} from '../host/exec/run.ts';
import {programOf} from '../host/netfilter/iptables.ts';
import type {Namespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import type {Family} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';

/**
 * A rule of iptables that counts and decides nothing. Before all rules: raw, PREROUTING; after those
 * of the filter table: security, INPUT.
 */
export type IptablesCounts = {
	readonly table: 'raw' | 'filter' | 'security';
	readonly chain: 'PREROUTING' | 'INPUT';
	/** As iptables writes it: `-p tcp --dport 22`. */
	readonly match: string;
};

export type IptablesCountOptions = {
	/** What has been counted in the security table goes no further. */
	readonly swallow?: boolean;
	/** How many packets the first rule is to count: a busy kernel takes its time. */
	readonly expected?: number;
};

/** So often is looked whether the last packet has arrived. */
const LOOKS = 200;

const CHAIN = 'FWW-TALLY';

/**
 * Counts packets in a throw-away namespace while something is done, by the counters of rules.
 * @returns how many packets each rule has counted, in the order of the rules
 * @throws {HostError} where they cannot be counted
 */
export async function countWithIptables(
	namespace: Namespace,
	family: Family,
	rules: readonly IptablesCounts[],
	act: () => Promise<unknown>,
	{swallow = false, expected = 0}: IptablesCountOptions = {},
): Promise<readonly number[]> {
	const places = [...new Map(rules.map((rule) => [rule.table, rule])).values()];
	const load = async (lines: (place: IptablesCounts) => readonly string[]) =>
		restore(
			namespace,
			family,
			places.flatMap((place) => [`*${place.table}`, ...lines(place), 'COMMIT']),
		);
	await load(({table, chain}) => [
		`:${CHAIN} -`,
		...rules.filter((rule) => rule.table === table).map(({match}) => `-A ${CHAIN} ${match}`),
		...(swallow && table === 'security'
			? ['tcp', 'udp'].map((protocol) => `-A ${CHAIN} -p ${protocol} -j DROP`)
			: []),
		`-I ${chain} 1 -j ${CHAIN}`,
	]);
	try {
		await act();
		let counts = await readCounts(namespace, family, rules);
		for (let looks = 0; looks < LOOKS && (counts[0] ?? 0) < expected; looks += 1) {
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
	rules: readonly IptablesCounts[],
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

	// In their own table they stand in this order.
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
