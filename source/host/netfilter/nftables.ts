import type {FamilyRules} from '../../ruleset/model.ts';
import {findProgram} from '../exec/find-program.ts';
import {ask, type Runner} from '../exec/run.ts';

/** Whether nft(8) is installed, without which no table of nftables can be read. */
export function hasNft(): boolean {
	return findProgram('nft') !== undefined;
}

/** A table of nftables: its name, as `inet filter`, and its text, as `nft list table` prints it. */
export type NativeTable = {readonly name: string; readonly text: string};

/**
 * Reads the tables of nftables without those that belong to iptables-nft.
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
 * The names of all tables of nftables, as `inet filter`, also of tables without chains. They are taken
 * from `list chains`: for `list tables`, nft 1.0.6 first reads all rules of the machine.
 * @throws {HostError} where nft gives no answer
 */
export async function listTables(runner?: Runner): Promise<readonly string[]> {
	const stdout = await ask('nft', ['list', 'chains'], {}, runner);
	return [...stdout.matchAll(/^table (\S+ \S+) \{/gm)].map(([, name = '']) => name);
}
