import type {FamilyRules} from '../../ruleset/model.ts';
import {findProgram} from '../exec/find-program.ts';
import {ask, type Runner} from '../exec/run.ts';

/** Whether nft(8) is installed. Without it nothing can be said of tables of nftables. */
export function hasNft(): boolean {
	return findProgram('nft') !== undefined;
}

/** A table of nftables, named as `inet filter`, with what `nft list table` prints of it. */
export type NativeTable = {readonly name: string; readonly text: string};

/**
 * Tables of nftables, less those that iptables-nft keeps its rules in. Of those: the base chains that
 * other programs have added, with the sets that they use; iptables prints neither.
 * @throws {HostError} where nft gives no answer
 */
export async function readNativeTables(
	rules: readonly FamilyRules[],
	runner?: Runner,
): Promise<readonly NativeTable[]> {
	if (!hasNft()) {
		return [];
	}

	const families = {4: 'ip', 6: 'ip6'} as const;
	const kept = new Set(
		rules.flatMap(({family, tables}) => tables.map(({name}) => `${families[family]} ${name}`)),
	);
	const tables = await listTables(runner);
	const found = await Promise.all(
		tables.map(async ({name, baseChains}) => {
			const list = async (what: string, ...words: readonly string[]) =>
				ask('nft', ['list', what, ...name.split(' '), ...words], {}, runner);
			if (!kept.has(name)) {
				return {name, text: await list('table')};
			}

			const added = baseChains.filter((chain) => !BUILT_IN.test(chain));
			const chains = (await Promise.all(added.map(async (chain) => list('chain', chain)))).join('');
			const sets = await Promise.all(
				[...new Set([...chains.matchAll(/ @([\w.-]+)/g)].map(([, set = '']) => set))].map(
					async (set) => (await list('set', set)) || list('map', set),
				),
			);
			return {name, text: `${sets.join('')}${chains}`};
		}),
	);
	return found.filter(({text}) => text !== '');
}

/** The base chains that iptables makes. */
const BUILT_IN = /^(?:INPUT|FORWARD|OUTPUT|PREROUTING|POSTROUTING)$/;

/**
 * The tables of nftables, named as `inet filter`, also those without chains. nft 1.0.6 reads every
 * rule there is before it answers `list tables`; asked for the chains it does not.
 * @throws {HostError} where nft gives no answer
 */
export async function listTables(
	runner?: Runner,
): Promise<ReadonlyArray<{readonly name: string; readonly baseChains: readonly string[]}>> {
	const stdout = await ask('nft', ['list', 'chains'], {}, runner);
	return [...stdout.matchAll(/^table (\S+ \S+) \{(.*?)^\}/gms)].map(
		([, name = '', chains = '']) => ({
			name,
			baseChains: [...chains.matchAll(/^\tchain (\S+) \{\n\t\ttype /gm)].map(
				([, chain = '']) => chain,
			),
		}),
	);
}
