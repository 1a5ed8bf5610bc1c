import {touchedChains} from '../existing/cleanup-format.ts';
import {printChoice} from '../host/netfilter/choose-iptables.ts';
import type {Saved} from '../host/netfilter/iptables.ts';
import {quote} from '../lib/shell-quote.ts';
import {
	type FamilyRules,
	findChain,
	hasOwnChain,
	isGroup,
	OWN_CHAINS,
	OWN_PREFIX,
	type OwnChain,
} from '../ruleset/model.ts';
import {tableRules} from '../ruleset/save-lines.ts';
import type {SnapshotCleanup} from './cleanup.ts';
import {
	type ForeignChange,
	patternOf,
	printMending,
	printTable,
	printWas,
} from './rollback-existing.ts';
import {restoredChains} from './rollback-wait.ts';

/** The rules of a family before and after a change, and the program that loads them (absolute). */
export type FamilyChange = {
	readonly before: Saved;
	readonly after: FamilyRules;
	readonly program: string;
	/** The rules of other programs that the change removes. */
	readonly cleanup?: SnapshotCleanup | undefined;
};

/** The lines of the rollback script that restore a family. */
export function printFamily({before, after, program, cleanup}: FamilyChange): string {
	const tables = [...new Set(OWN_CHAINS.map(({table}) => table))].filter((table) =>
		[before.rules, after].some((rules) => hasOwnChain(rules, table)),
	);
	// Of a chain that is made anew, all rules are.
	const mended = cleanup ? touchedChains(cleanup.cleanup) : [];
	const blocks = tables.map((table) => {
		const chains = restoredChains(before.rules, after).filter((own) => own.table === table);
		return table === 'filter' && cleanup
			? printMending(
					cleanup,
					chains.map((own) => printOwn(own, before)),
					chains.map((own) => printWay(own, before, after, mended)),
				)
			: printTable(
					table,
					chains.flatMap((own) => [printOwn(own, before), printWay(own, before, after)]),
				);
	});
	const counted = OWN_CHAINS.filter(
		({table, from}) => tables.includes(table) && !(table === 'filter' && mended.includes(from)),
	).map((own) => `	${printJumps(own, before, after)}`);
	return `${printChoice(program)}${cleanup ? printWas(cleanup) : ''}lines() {\n${blocks.join('\n')}\n}
left_over() {\n${[...counted, '	:'].join('\n')}\n}\nload\n`;
}

/** The same for rules of others in the backend that is not in use. */
export function printForeign({program, cleanup}: ForeignChange): string {
	return `${printChoice(program)}${printWas(cleanup)}lines() {\n${printMending(cleanup)}\n}
left_over() { :; }\nload\n\n`;
}

/** Makes or empties a chain of fw-wizard first, and gives it its earlier rules. */
function printOwn(own: OwnChain, before: Saved): string {
	const lines = ownRulesOf(own, before);
	// Not as a here-document: for that bash(1) writes a file, and the disk may take no more.
	return `	put ${quote([`:${own.name} - [0:0]`, ...lines].join('\n'))}`;
}

/** Restores the earlier jumps to it and removes new ones. @param mended chains that are made anew */
function printWay(
	own: OwnChain,
	before: Saved,
	after: FamilyRules,
	mended: readonly string[] = [],
): string {
	const {name, from, table} = own;
	const isGone = mended.includes(from) || isGroup(name);
	if (findChain(before.rules, table, name)) {
		return isGone ? '	:' : `	${printJumps(own, before, after)}`;
	}

	// What jumped to it from there is gone.
	const gone = mended.map((chain) => ` -e '/^-A ${patternOf(chain)} /d'`).join('');
	const jumps = isGroup(name) ? ` -e '/^-A ${OWN_PREFIX}/d'` : '';
	return `	unlink_chain ${table} ${name} ${isGone ? "''" : from}${jumps}${gone}`;
}

/** The lines that bring the jumps to it to their earlier number; the last word is the number after the change. */
function printJumps({name, from, table}: OwnChain, before: Saved, after: FamilyRules): string {
	// A jump with a comment is another rule, and stays as it is.
	const jump = `-A ${from} -j ${name}`;
	const count = tableRules(before.text, table).filter((line) => line === jump).length;
	return `jumps ${table} ${from} ${name} ${count} ${findChain(after, table, name) ? 1 : 0}`;
}

/** The rules of a chain of fw-wizard before a change. */
export function ownRulesOf({name, table}: OwnChain, {text}: Saved): readonly string[] {
	return tableRules(text, table).filter((line) => line.startsWith(`-A ${name} `));
}
