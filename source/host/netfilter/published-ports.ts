import os from 'node:os';
import {natOfIptables} from '../../existing/nat/parse-iptables.ts';
import {natOfNftables, natTablesIn} from '../../existing/nat/parse-nftables.ts';
import {
	addressOf,
	type NatTable,
	type Published,
	publishedIn,
} from '../../existing/nat/published-ports.ts';
import type {Family} from '../../lib/network.ts';
import {containerAt, findContainers} from '../containers/find.ts';
import {findProgram} from '../exec/find-program.ts';
import {ask} from '../exec/run.ts';
import {forEachYielding} from '../exec/yield.ts';
import {readText} from '../files/read-text.ts';
import {printSave, readSave} from './iptables.ts';

/** Each program has two seconds. */
const OPTIONS = {timeout: 2000};

/**
 * The ports of this machine that are forwarded to containers or other machines, by the nat tables of
 * both backends and of native nftables. Only these tables are read, however many rules there are
 * elsewhere. Needs root: without it nothing is found. Each has the name of its container, where that is known.
 * @throws {HostError} when a program does not answer in time
 */
export async function findPublished(): Promise<readonly Published[]> {
	const [chains, ...reads] = await Promise.all([
		ask('nft', ['-j', 'list', 'chains'], OPTIONS),
		fromIptables(4, 'nft'),
		fromIptables(6, 'nft'),
		fromIptables(4, 'legacy'),
		fromIptables(6, 'legacy'),
	]);
	const read = new Set(reads.flatMap(({whole}) => whole));
	// To ask nft for these again would take three times as long, and tell nothing new.
	const others = natTablesIn(chains).filter((name) => !read.has(name.join(' ')));
	const native = await Promise.all(
		others.map(async (name) =>
			natOfNftables(await ask('nft', ['-j', 'list', 'table', ...name], OPTIONS)),
		),
	);
	const own = ownAddresses();
	const published = new Map<string, Published>();
	await forEachYielding([...reads.flatMap(({tables}) => tables), ...native.flat()], (table) => {
		for (const port of publishedIn(table, own)) {
			published.set(JSON.stringify(port), port);
		}
	});
	return nameContainers([...published.values()]);
}

/** Adds the name and the image of the container that has the address to which each port is forwarded. */
async function nameContainers(published: readonly Published[]): Promise<readonly Published[]> {
	const containers = published.length === 0 ? [] : await findContainers();
	return published.map((port) => {
		const address = addressOf(port.to);
		const found = address === undefined ? undefined : containerAt(address, containers);
		return found === undefined
			? port
			: {...port, container: found.name, ...(found.image === '' ? {} : {image: found.image})};
	});
}

/** A nat table as iptables-save has it, and its name in nftables where it has all of that. */
type Read = {readonly tables: readonly NatTable[]; readonly whole: readonly string[]};

async function fromIptables(family: Family, backend: 'nft' | 'legacy'): Promise<Read> {
	const name = family === 4 ? 'ip' : 'ip6';
	// The legacy programs would make the table that they are asked for.
	if (backend === 'legacy' && !hasLegacyNat(`/proc/net/${name}_tables_names`)) {
		return {tables: [], whole: []};
	}

	const program = `${name}tables-${backend}-save`;
	const {status, stdout} = findProgram(program)
		? await printSave(program, ['-t', 'nat'], OPTIONS)
		: {status: undefined, stdout: ''};
	const text = status === 0 ? stdout : '';
	const rules = await readSave(text, family, (line) => LEADS_NOWHERE.test(line));
	const table = natOfIptables(rules);
	return {
		tables: table ? [table] : [],
		whole: backend === 'nft' && table && !NOT_WHOLE.test(text) ? [`${name} nat`] : [],
	};
}

/**
 * Rules that end the way of some packets only: they forward nothing, and there may be thousands. One
 * with a comment may ask nothing else, and so end the way of all.
 */
const LEADS_NOWHERE = /^-A \S+ (?!.*-m comment)-[^j].* -j (?:ACCEPT|RETURN)$/;

/** What iptables-nft-save says, by version, of a table or rule that it cannot show. */
const NOT_WHOLE = /incompatible|unsupported|unknown/i;

function hasLegacyNat(file: string): boolean {
	return readText(file)?.split('\n').includes('nat') ?? false;
}

function ownAddresses(): readonly string[] {
	return Object.values(os.networkInterfaces()).flatMap((list = []) =>
		list.filter(({internal}) => !internal).map(({address}) => address),
	);
}
