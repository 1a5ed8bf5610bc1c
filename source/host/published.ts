import {readFileSync} from 'node:fs';
import os from 'node:os';
import type {Family} from '../policy/network.ts';
import {natOfIptables} from '../ruleset/nat-iptables.ts';
import {natOfNftables, natTablesIn} from '../ruleset/nat-nft.ts';
import {parseSave} from '../ruleset/parse.ts';
import {type NatTable, type Published, publishedIn} from '../ruleset/published.ts';
import {run} from './run.ts';

/** Milliseconds that each program is waited for. */
const PATIENCE = 2000;

/**
 * The ports of this machine that are forwarded to containers or other machines, by the nat tables of
 * both backends and of native nftables. Only these tables are read, however many rules there are
 * elsewhere. Needs root: without it nothing is found.
 */
export async function findPublished(): Promise<readonly Published[]> {
	const tables = await Promise.all([
		fromIptables(4, 'nft'),
		fromIptables(6, 'nft'),
		fromIptables(4, 'legacy'),
		fromIptables(6, 'legacy'),
		fromNftables(),
	]);
	const own = ownAddresses();
	const published = tables.flat().flatMap((table) => publishedIn(table, own));
	return [...new Map(published.map((port) => [JSON.stringify(port), port])).values()];
}

async function fromIptables(
	family: Family,
	backend: 'nft' | 'legacy',
): Promise<readonly NatTable[]> {
	const name = family === 4 ? 'ip' : 'ip6';
	// The legacy programs would make the table that they are asked for.
	if (backend === 'legacy' && !hasLegacyNat(`/proc/net/${name}_tables_names`)) {
		return [];
	}

	const {status, stdout} = await run(`${name}tables-${backend}-save`, ['-t', 'nat'], {
		timeout: PATIENCE,
	});
	const table = status === 0 ? natOfIptables(parseSave(stdout, family)) : undefined;
	return table ? [table] : [];
}

/** The tables that nft alone knows: which ones there are, then these whole. */
async function fromNftables(): Promise<readonly NatTable[]> {
	const list = async (...words: readonly string[]) =>
		run('nft', ['-j', 'list', ...words], {timeout: PATIENCE});
	const chains = await list('chains');
	const names = natTablesIn(chains.stdout);
	const texts = await Promise.all(names.map(async (name) => list('table', ...name)));
	return texts.flatMap(({stdout}) => natOfNftables(stdout));
}

function hasLegacyNat(file: string): boolean {
	try {
		return readFileSync(file, 'utf8').split('\n').includes('nat');
	} catch {
		return false;
	}
}

function ownAddresses(): readonly string[] {
	return Object.values(os.networkInterfaces()).flatMap((list = []) =>
		list.filter(({internal}) => !internal).map(({address}) => address),
	);
}
