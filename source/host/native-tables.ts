import type {FamilyRules} from '../ruleset/ruleset.ts';
import {findProgram} from './find-program.ts';
import {type Runner, run} from './run.ts';

/** A table of nftables, named as `inet filter`, with what `nft list table` prints of it. */
export type NativeTable = {readonly name: string; readonly text: string};

/** Tables of nftables, less those that iptables-nft keeps its rules in. */
export async function readNativeTables(
	rules: readonly FamilyRules[],
	runner: Runner = run,
): Promise<readonly NativeTable[]> {
	if (findProgram('nft') === undefined) {
		return [];
	}

	const families = {4: 'ip', 6: 'ip6'} as const;
	const kept = new Set(
		rules.flatMap(({family, tables}) => tables.map(({name}) => `${families[family]} ${name}`)),
	);
	const {stdout} = await runner('nft', ['list', 'tables']);
	const names = stdout
		.split('\n')
		.flatMap((line) => /^table (\S+ \S+)$/.exec(line.trim())?.[1] ?? [])
		.filter((name) => !kept.has(name));
	return Promise.all(
		names.map(async (name) => ({
			name,
			text: (await runner('nft', ['list', 'table', ...name.split(' ')])).stdout,
		})),
	);
}
