import type {Family} from '../lib/network.ts';
import {type Backend, type Chain, type FamilyRules, OWN_PREFIX} from '../ruleset/model.ts';
import {tableRules} from '../ruleset/save-lines.ts';
import {KNOWN_PROGRAMS, programOfChain} from '../services/known-programs/find.ts';
import type {KnownProgram} from '../services/known-programs/known-program.ts';
import {chainOf, programOfRule} from './rule-owner.ts';

/** The rules of one family in one backend, as its iptables-save prints them. */
export type RulesSnapshot = {
	readonly family: Family;
	readonly backend: Backend;
	/** Whether this is the backend of `iptables`, into which our own rules are loaded. */
	readonly inUse: boolean;
	readonly text: string;
	readonly rules: FamilyRules;
};

/** `IPv4`, or `IPv6, legacy backend` for the backend that is not in use. */
export function describeSnapshot({
	family,
	backend,
	inUse,
}: Omit<RulesSnapshot, 'text' | 'rules'>): string {
	return `IPv${family}${inUse ? '' : `, ${backend} backend`}`;
}

/** The rules of other programs in a chain of the filter table, as iptables-save prints them. */
export function foreignRules(snapshot: RulesSnapshot, chain: string): readonly string[] {
	return foreignLinesIn(snapshot).filter((line) => chainOf(line) === chain);
}

/** Programs that do not work without their rules in the filter table of iptables. */
export function programsNeedingFilter(
	snapshots: readonly RulesSnapshot[],
): readonly KnownProgram[] {
	const found = new Set(
		snapshots.flatMap((snapshot) => [
			...chainsIn(snapshot).flatMap(({name}) => programOfChain(name) ?? []),
			...linesIn(snapshot).flatMap((line) => programOfRule(line) ?? []),
		]),
	);
	return KNOWN_PROGRAMS.filter((program) => program.needsFilter && found.has(program));
}

/** The programs whose chains or rules are in any of the tables. */
export function programsIn({text, rules}: RulesSnapshot): ReadonlySet<KnownProgram> {
	return new Set([
		...rules.tables.flatMap(({chains}) => chains.flatMap(({name}) => programOfChain(name) ?? [])),
		...text
			.split('\n')
			.filter((line) => line.startsWith('-A '))
			.flatMap((line) => programOfRule(line) ?? []),
	]);
}

/** The chains of the filter table. */
export function chainsIn({rules}: RulesSnapshot): readonly Chain[] {
	return rules.tables.find(({name}) => name === 'filter')?.chains ?? [];
}

/** The rules of the filter table as iptables-save prints them. */
export function linesIn({text}: RulesSnapshot): readonly string[] {
	return tableRules(text, 'filter');
}

/** The rules of other programs in the filter table, as iptables-save prints them. */
export function foreignLinesIn(snapshot: RulesSnapshot): readonly string[] {
	const known = FOREIGN_LINES.get(snapshot);
	if (known !== undefined) {
		return known;
	}

	const lines = linesIn(snapshot).filter((line) => !(snapshot.inUse && isOwnRule(line)));
	FOREIGN_LINES.set(snapshot, lines);
	return lines;
}

/** They are filtered once for each snapshot, since every choice is planned from them and there may be thousands. */
const FOREIGN_LINES = new WeakMap<RulesSnapshot, readonly string[]>();

/** Whether a rule is in one of our chains, or is our jump from INPUT. */
export function isOwnRule(line: string): boolean {
	return line.startsWith(OWN_RULE) || line === OWN_JUMP;
}

const OWN_RULE = `-A ${OWN_PREFIX}`;
const OWN_JUMP = `-A INPUT -j ${OWN_PREFIX}INPUT`;

/** Whether a chain is ours. Only the backend in use has our chains. */
export function isOwnChain(name: string, {inUse}: RulesSnapshot): boolean {
	return inUse && name.startsWith(OWN_PREFIX);
}
