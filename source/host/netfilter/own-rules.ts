import type {Family} from '../../lib/network.ts';
import {groupChain, isGroup, OWN_CHAINS, type OwnChain} from '../../ruleset/model.ts';
import {ask, run, runToEnd} from '../exec/run.ts';
import {programOf, readSave, readWhole, type Saved} from './iptables.ts';

/**
 * Reads the rules as `save` does, for one who needs only our own chains and the jumps to them: those can be
 * read, and removed, beside rules of nftables that iptables cannot print.
 * @param program `iptables`, or one that bears another name
 * @returns also whether it is our own alone
 * @throws {HostError} where they cannot be read
 */
export async function saveOwn(
	family: Family,
	program = programOf(family),
): Promise<Saved & {readonly alone: boolean}> {
	const saved = await readWhole(family, program);
	if (saved !== undefined) {
		return {...saved, alone: false};
	}

	const tables = [...new Set(OWN_CHAINS.map(({table}) => table))];
	const lines = await Promise.all(
		tables.map(async (table) => {
			const own = OWN_CHAINS.filter((chain) => chain.table === table);
			const chains = await Promise.all(own.map(async (chain) => readChain(family, program, chain)));
			const groups = await Promise.all(
				groupsIn(chains.flat()).map(async (chain) => readChain(family, program, chain)),
			);
			return [`*${table}`, ...groups.flat(), ...chains.flat(), 'COMMIT'];
		}),
	);
	const text = `${lines.flat().join('\n')}\n`;
	return {text, rules: await readSave(text, family), alone: true};
}

/** Removes the jumps to our chains, where iptables cannot: those behind a rule that it cannot print. */
export async function removeJumps(family: Family): Promise<void> {
	for (const own of OWN_CHAINS) {
		for (const handle of await findJumps(family, own)) {
			await run('nft', ['delete', 'rule', ...handle]);
		}
	}
}

/** The chains of groups that rules jump to. */
function groupsIn(lines: readonly string[]): readonly OwnChain[] {
	const names = lines.flatMap((line) => / -j (\S+)$/.exec(line)?.[1] ?? []).filter(isGroup);
	return [...new Set(names)].map(groupChain);
}

/** The lines of a save for one of our chains, and for the jumps to it. @throws {HostError} */
async function readChain(
	family: Family,
	program: string,
	own: OwnChain,
): Promise<readonly string[]> {
	const {table, from, name} = own;
	const [{status, stdout}, jumps] = await Promise.all([
		runToEnd(program, ['-w', '10', '-t', table, '-S', name]),
		isGroup(name) ? [] : findJumps(family, own),
	]);
	return status === 0
		? [
				...(isGroup(name) ? [] : [`:${from} ACCEPT [0:0]`]),
				`:${name} - [0:0]`,
				...jumps.map(() => `-A ${from} -j ${name}`),
				...stdout.split('\n').filter((line) => line.startsWith('-A ')),
			]
		: [];
}

/** What nft(8) calls the jumps to one of our chains: iptables does not find those behind a rule that it cannot print. */
async function findJumps(
	family: Family,
	{table, from, name}: OwnChain,
): Promise<ReadonlyArray<readonly string[]>> {
	const chain = [family === 4 ? 'ip' : 'ip6', table, from];
	const text = await ask('nft', ['-a', 'list', 'chain', ...chain]);
	const jump = new RegExp(
		`^\\s*counter packets \\d+ bytes \\d+ jump ${name} # (handle) (\\d+)$`,
		'gm',
	);
	return [...text.matchAll(jump)].map(([, ...handle]) => [...chain, ...handle]);
}
