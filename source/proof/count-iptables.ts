import {firstLine} from '../host/exec/run.ts';
import {programOf} from '../host/netfilter/iptables.ts';
import type {Namespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import {groupBy} from '../lib/group-by.ts';
import type {Family} from '../lib/network.ts';
import type {PortRange} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import type {Protocol} from '../policy/services.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';

/**
 * A rule of iptables that only counts. In raw, PREROUTING it comes before all other rules, and in
 * security, INPUT and FORWARD after those of the filter table.
 */
export type CountingRule = {
	readonly table: 'raw' | 'filter' | 'security';
	readonly chain: 'PREROUTING' | 'INPUT' | 'FORWARD';
	/** In the words of iptables: `-p tcp --dport 22`. */
	readonly match: string;
};

/** Matches the ports that packets were sent to, before nat changed them. */
export function originalMatch(
	{protocol, first, last}: PortRange & {readonly protocol: Protocol},
	{inInterface}: Pick<VantagePoint, 'inInterface'>,
): string {
	return `-i ${inInterface} -p ${protocol} -m conntrack --ctorigdstport ${first}:${last}`;
}

type IptablesCountOptions = {
	/** Drop packets once they are counted in the security table. */
	readonly drop?: boolean;
	/** How many packets the first rule should count. A busy kernel may need a while for them. */
	readonly expected?: number;
};

/** The counters are read this often, at most, until the last packet has arrived. */
const MOST_READS = 200;

const PREFIX = 'FWW-COUNT-';

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
	const hooks = groupBy(rules, ({table, chain}) => `${table} ${chain}`);
	const load = async (
		lines: (hook: CountingRule, all: readonly CountingRule[]) => readonly string[],
	) =>
		restore(
			namespace,
			family,
			hooks.flatMap((all) => [`*${all[0].table}`, ...lines(all[0], all), 'COMMIT']),
		);
	await load(({table, chain}, all) => [
		`:${PREFIX}${chain} -`,
		...all.map(({match}) => `-A ${PREFIX}${chain} ${match}`),
		...(drop && table === 'security'
			? ['tcp', 'udp'].map((protocol) => `-A ${PREFIX}${chain} -p ${protocol} -j DROP`)
			: []),
		`-I ${chain} 1 -j ${PREFIX}${chain}`,
	]);
	try {
		await act();
		let counts = await readCounts(namespace, family, rules);
		for (let reads = 0; reads < MOST_READS && (counts[0] ?? 0) < expected; reads += 1) {
			counts = await readCounts(namespace, family, rules);
		}

		return counts;
	} finally {
		await load(({chain}) =>
			[`-D ${chain} -j`, '-F', '-X'].map((command) => `${command} ${PREFIX}${chain}`),
		);
	}
}

const LINE = new RegExp(`^\\[(\\d+):\\d+\\] -A ${PREFIX}(\\S+) `, 'gm');

async function readCounts(
	namespace: Namespace,
	family: Family,
	rules: readonly CountingRule[],
): Promise<readonly number[]> {
	const counts = new Map<string, number[]>();
	for (const table of new Set(rules.map((rule) => rule.table))) {
		const {stdout} = await namespace.run(programOf(family, '-save'), ['-c', '-t', table], {
			timeout: 30_000,
		});
		for (const [, packets, chain] of stdout.matchAll(LINE)) {
			const key = `${table} ${chain}`;
			const found = counts.get(key) ?? [];
			found.push(Number(packets));
			counts.set(key, found);
		}
	}

	// Within its chain, each rule has kept its position.
	return rules.map(({table, chain}) => counts.get(`${table} ${chain}`)?.shift() ?? 0);
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
