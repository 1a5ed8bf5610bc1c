import {printChoice} from '../../host/netfilter/choose-iptables.ts';
import type {Family} from '../../lib/network.ts';
import {OWN_CHAINS} from '../../ruleset/model.ts';

/** A family to watch: the tables that have chains of ours, and the iptables of the backend in use (absolute). */
export type WatchedFamily = {
	readonly family: Family;
	readonly program: string;
	readonly tables: readonly string[];
};

export function printView({family, program, tables}: WatchedFamily): string {
	return `${printChoice(program)}${tables.map((table) => `	table ${family} ${table}\n`).join('')}`;
}

export function printAlone({family, program, tables}: WatchedFamily): string {
	const chains = OWN_CHAINS.filter(({table}) => tables.includes(table));
	return `\t\t${printChoice(program)}${chains
		.map(({table, from, name}) => `\t\talone ${family} ${table} ${from} ${name}\n`)
		.join('')}\t\talone_groups ${family} ${OWN_CHAINS[0].name}\n`;
}

/** Our jump must be there, also where nothing tells what else should. */
export function printJump({family}: WatchedFamily): string {
	const [{table, from, name}] = OWN_CHAINS;
	const jump = `own ${family} ${table} -A ${from} -j ${name}`;
	return `	case $own in *'${jump}'*) ;; *) own="$own\n${jump}" ;; esac\n`;
}
