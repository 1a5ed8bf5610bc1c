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
 * Tables of nftables, less those that iptables-nft keeps its rules in.
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
	const names = (await listTables(runner)).filter((name) => !kept.has(name));
	return Promise.all(
		names.map(async (name) => ({
			name,
			text: await ask('nft', ['list', 'table', ...name.split(' ')], {}, runner),
		})),
	);
}

/**
 * The tables of nftables, named as `inet filter`, also those without chains. nft 1.0.6 reads every
 * rule there is before it answers `list tables`; asked for the chains it does not.
 * @throws {HostError} where nft gives no answer
 */
export async function listTables(runner?: Runner): Promise<readonly string[]> {
	const stdout = await ask('nft', ['list', 'chains'], {}, runner);
	return [...stdout.matchAll(/^table (\S+ \S+) \{/gm)].map(([, name = '']) => name);
}
