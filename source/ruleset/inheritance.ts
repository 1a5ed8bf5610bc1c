import type {Family} from '../policy/network.ts';
import {joinWords} from '../policy/words.ts';
import {
	chainOf,
	KNOWN_PROGRAMS,
	type KnownProgram,
	programOfChain,
	targetOf,
} from './known-programs.ts';
import {NOTHING_PRESENT, type Presence, printRestore} from './print.ts';
import {type Backend, type Chain, type FamilyRules, OWN_CHAINS, OWN_PREFIX} from './ruleset.ts';

/** What happens to rules of others that are there already. */
export const INHERITANCES = ['keep', 'flush-input', 'flush-filter'] as const;
export type Inheritance = (typeof INHERITANCES)[number];

/** Programs that own the whole firewall: beside them no other can be applied. */
export const MANAGERS = ['ufw', 'firewalld'] as const;
export type Manager = (typeof MANAGERS)[number];

/** What a change does to others' rules. It travels beside the policy, and is not part of it. */
export type Existing = {
	readonly inheritance: Inheritance;
	/** Whoever owns the firewall and is to be switched off. */
	readonly switchOff: readonly Manager[];
};

export const KEEP_EXISTING: Existing = {inheritance: 'keep', switchOff: []};

/** The flags that say it; none where all is kept. */
export function existingFlags({inheritance, switchOff}: Existing): readonly string[] {
	return [
		...(inheritance === 'keep' ? [] : ['--existing', inheritance]),
		...switchOff.flatMap((name) => ['--switch-off', name]),
	];
}

/** The rules of one family in one backend, as its iptables-save prints them. */
export type Holding = {
	readonly family: Family;
	readonly backend: Backend;
	/** Whether `iptables` means this backend: there our own rules go. */
	readonly inUse: boolean;
	readonly text: string;
	readonly rules: FamilyRules;
};

/** What goes of the filter table of one family in one backend. All of it comes back by undo. */
export type Taking = {
	readonly family: Family;
	readonly backend: Backend;
	readonly inUse: boolean;
	/** Each rule that goes, as iptables-save has it: `-A INPUT -p tcp …`. */
	readonly rules: readonly string[];
	/** Chains that all rules of others go from; our own stay. */
	readonly emptied: readonly string[];
	/** Chains that go themselves. */
	readonly removed: readonly string[];
	/** Policies of built-in chains that change. */
	readonly policies: ReadonlyArray<{
		readonly chain: string;
		readonly from: string;
		readonly to: string;
	}>;
};

/** What a choice would do here. */
export type InheritancePlan = {
	readonly inheritance: Inheritance;
	/** Where something goes; empty: nothing does. */
	readonly takings: readonly Taking[];
	/** What stops to work, one sentence each. */
	readonly breaks: readonly string[];
	/** Why it cannot be done here, in one sentence. */
	readonly refusal: string | undefined;
};

/**
 * What exactly a choice would take away, and what that breaks. Our own rules are not counted where
 * they are in use.
 *
 * Policies: as with `iptables -F` they stay, where that shuts nobody out. INPUT's does in the backend
 * in use, since our chain decides on everything before it; in the other backend a DROP without
 * rules would shut out everybody, and OUTPUT's would do so in both: those become ACCEPT.
 * @param switchOff also takes the chains of these; firewalld has none in iptables
 */
export function planInheritance(
	holdings: readonly Holding[],
	inheritance: Inheritance,
	switchOff: readonly Manager[] = [],
): InheritancePlan {
	const withoutUfw = switchOff.includes('ufw');
	const takings = holdings.flatMap((holding) => {
		const ufwHere =
			withoutUfw &&
			holdings.some(
				(other) => other.backend === holding.backend && chainsIn(other).some(isUfwChain),
			);
		return take(holding, inheritance, ufwHere) ?? [];
	});
	const needing = inheritance === 'flush-filter' ? programsNeedingFilter(holdings) : [];
	return {
		inheritance,
		takings,
		breaks: describeBreaks(takings, withoutUfw),
		refusal:
			needing.length === 0
				? undefined
				: `The filter table is not flushed while ${joinWords(needing.map(({name}) => name))} ${needing.length === 1 ? 'needs' : 'need'} its rules`,
	};
}

/** Programs that do not work without their rules in the filter table of iptables. */
export function programsNeedingFilter(holdings: readonly Holding[]): readonly KnownProgram[] {
	const chains = holdings.flatMap((holding) => chainsIn(holding).map(({name}) => name));
	return KNOWN_PROGRAMS.filter(
		({needsFilter, chains: own}) => needsFilter && chains.some((name) => own.test(name)),
	);
}

/** The rules of a chain of the filter table that are not ours, as the save has them. */
export function foreignRules(holding: Holding, chain: string): readonly string[] {
	return othersIn(holding).filter((line) => chainOf(line) === chain);
}

function take(holding: Holding, inheritance: Inheritance, ufwHere: boolean): Taking | undefined {
	const {family, backend, inUse} = holding;
	const chains = chainsIn(holding);
	const lines = othersIn(holding);
	const removed = ufwHere ? chains.filter(isUfwChain).map(({name}) => name) : [];
	const filled = new Set(lines.map(chainOf));
	const emptied = chains
		.map(({name}) => name)
		.filter(
			(name) =>
				(inheritance === 'flush-filter' || (inheritance === 'flush-input' && name === 'INPUT')) &&
				!removed.includes(name) &&
				filled.has(name),
		);
	const gone = new Set([...emptied, ...removed]);
	const rules =
		gone.size === 0
			? []
			: lines.filter(
					(line) =>
						gone.has(chainOf(line)) ||
						(removed.length > 0 && removed.includes(targetOf(line) ?? '')),
				);
	const opened = policiesToOpen(holding, inheritance, ufwHere);
	const policies = chains.flatMap(({name, policy}) =>
		policy !== undefined && policy !== 'ACCEPT' && opened.has(name)
			? [{chain: name, from: policy, to: 'ACCEPT'}]
			: [],
	);
	return rules.length + removed.length + policies.length === 0
		? undefined
		: {family, backend, inUse, rules, emptied, removed, policies};
}

/** The built-in chains whose policy would shut out everybody once the rules are gone. */
function policiesToOpen(
	holding: Holding,
	inheritance: Inheritance,
	ufwHere: boolean,
): ReadonlySet<string> {
	return new Set([
		...(inheritance !== 'keep' && !holding.inUse ? ['INPUT'] : []),
		...(inheritance === 'flush-filter' ? ['OUTPUT'] : []),
		// As `ufw disable` does it; but Docker, too, wants FORWARD shut.
		...(ufwHere ? ['INPUT', 'OUTPUT'] : []),
		...(ufwHere && programsNeedingFilter([holding]).length === 0 ? ['FORWARD'] : []),
	]);
}

/** In the words of iptables-restore, the lines that take it away; our own jump is to be made anew. */
export function printTaking({emptied, removed, rules, policies}: Taking): readonly string[] {
	const gone = new Set([...emptied, ...removed]);
	return [
		...emptied.map((chain) => `-F ${chain}`),
		...rules.filter((line) => !gone.has(chainOf(line))).map((line) => line.replace(/^-A/, '-D')),
		...removed.map((chain) => `-F ${chain}`),
		...removed.map((chain) => `-X ${chain}`),
		...policies.map(({chain, to}) => `-P ${chain} ${to}`),
	];
}

/** What loads our rules and takes away others' in the same transaction, for iptables-restore --noflush. */
export function printLoad(
	rules: FamilyRules,
	present: Presence = NOTHING_PRESENT,
	taking?: Taking,
): string {
	if (taking === undefined) {
		return printRestore(rules, present);
	}

	// Our jump goes with the rest of a chain that is emptied, and is made anew behind it.
	const jumps = new Map(present.jumps);
	for (const {name, table, from} of OWN_CHAINS) {
		if (table === 'filter' && taking.emptied.includes(from)) {
			jumps.set(name, 0);
		}
	}

	const text = printRestore(rules, {...present, jumps});
	const lines = printTaking(taking).map((line) => `${line}\n`);
	return text.replace(/^\*filter\n/m, (head) => head + lines.join(''));
}

/** The chains that a taking changes, which undoing it makes again what they were. */
export function touchedChains({emptied, removed, rules}: Taking): readonly string[] {
	return [...new Set([...emptied, ...removed, ...rules.map(chainOf)])];
}

/** User-defined chains that the touched ones lead to, near and far, and that stay. */
export function chainsBehind(holding: Holding, touched: readonly string[]): readonly string[] {
	const lines = linesIn(holding);
	const names = new Set(chainsIn(holding).map(({name}) => name));
	const found = new Set(touched);
	for (const chain of found) {
		for (const line of lines) {
			const target = chainOf(line) === chain ? targetOf(line) : undefined;
			if (target !== undefined && names.has(target)) {
				found.add(target);
			}
		}
	}

	return [...found].filter((name) => !touched.includes(name) && !isOwnChain(name, holding));
}

/** One line for each place that something goes from: for a summary. */
export function describeTaking({rules, removed, policies, ...place}: Taking): string {
	const counts = countBy(rules, chainOf);
	const parts = [
		...[...counts]
			.filter(([chain]) => !removed.includes(chain))
			.map(([chain, count]) => `${count} ${count === 1 ? 'rule' : 'rules'} of ${chain}`),
		...(removed.length === 0
			? []
			: [`${removed.length} ${removed.length === 1 ? 'chain' : 'chains'} of ufw`]),
		...policies.map(({chain, from}) => `the policy ${from} of ${chain}`),
	];
	return `${nameOfPlace(place)}: ${parts.join(', ')}`;
}

/** `IPv4`, or `IPv6, legacy backend` where that is not the one in use. */
export function nameOfPlace({family, backend, inUse}: Omit<Holding, 'text' | 'rules'>): string {
	return `IPv${family}${inUse ? '' : `, ${backend} backend`}`;
}

function describeBreaks(takings: readonly Taking[], withoutUfw: boolean): readonly string[] {
	const touched = new Set(
		takings.flatMap(({rules, emptied}) => [...emptied, ...rules.map((rule) => targetOf(rule))]),
	);
	const programs = new Set([...touched].flatMap((chain = '') => programOfChain(chain) ?? []));
	const forwards = takings.some(({emptied}) => emptied.includes('FORWARD'));
	return [
		...[...programs].filter(({name}) => withoutUfw || name !== 'ufw').map(({breaks}) => breaks),
		...(forwards
			? [
					'What this machine forwards to others is no longer filtered by FORWARD, but for its policy',
				]
			: []),
	];
}

function chainsIn({rules}: Holding): readonly Chain[] {
	return rules.tables.find(({name}) => name === 'filter')?.chains ?? [];
}

/** The rules of the filter table as the save has them. */
function linesIn({text}: Holding): readonly string[] {
	const [, part = ''] = /^\*filter\n([\s\S]*?)^COMMIT$/m.exec(text) ?? [];
	return part.split('\n').filter((line) => line.startsWith('-A '));
}

/** The same without ours. */
function othersIn(holding: Holding): readonly string[] {
	const known = OTHERS.get(holding);
	if (known !== undefined) {
		return known;
	}

	const lines = linesIn(holding).filter((line) => !(holding.inUse && isOurs(line)));
	OTHERS.set(holding, lines);
	return lines;
}

/** Found out once for each holding: every choice is planned from them, and there may be thousands. */
const OTHERS = new WeakMap<Holding, readonly string[]>();

/** A rule in a chain of ours, or our one jump from a built-in chain. */
function isOurs(line: string): boolean {
	return line.startsWith(OWN_RULE) || line === OWN_JUMP;
}

const OWN_RULE = `-A ${OWN_PREFIX}`;
const OWN_JUMP = `-A INPUT -j ${OWN_PREFIX}INPUT`;

function isOwnChain(name: string, {inUse}: Holding): boolean {
	return inUse && name.startsWith(OWN_PREFIX);
}

function isUfwChain({name}: Chain): boolean {
	return programOfChain(name)?.name === 'ufw';
}

function countBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, number> {
	const counts = new Map<string, number>();
	for (const item of items) {
		const key = keyOf(item);
		counts.set(key, (counts.get(key) ?? 0) + 1);
	}

	return counts;
}
