import {withoutRemoved} from '../existing/cleanup-format.ts';
import {type Cleanup, type Existing, planCleanup} from '../existing/cleanup-plan.ts';
import type {RulesSnapshot} from '../existing/snapshot.ts';
import type {Family} from '../lib/network.ts';
import {tableLines} from '../ruleset/format-iptables.ts';
import {
	type Backend,
	type FamilyRules,
	findChain,
	OWN_CHAINS,
	OWN_PREFIX,
	type RuleSet,
} from '../ruleset/model.ts';
import {parseSave} from '../ruleset/parse-save.ts';
import {programOfTable} from '../services/known-programs/find.ts';
import {isIptables, type Load, plannedSource, type RulesUnderTest} from './load-rules.ts';

/** A change to the running rules. */
export type PlannedChange = {
	readonly ruleSet: RuleSet;
	readonly existing: Existing;
	/** The backend of the program named `iptables`. Undefined where it is not installed, and has no rules. */
	readonly backend: Backend | undefined;
};

/**
 * The rules of the whole machine after a change: what stays of the running rules of both backends, native
 * tables and sets, with our own rules in their place. Our jump keeps its position, or comes behind the
 * rules that stay.
 */
export function sourceAfter(
	running: RulesUnderTest,
	{ruleSet, existing, backend}: PlannedChange,
): RulesUnderTest {
	const snapshots = snapshotsOf(running, backend);
	const plan = planCleanup([...snapshots.values()], existing.mode, existing.switchOff);
	const cleanups = plan.refusal === undefined ? plan.cleanups : [];
	const native = running.nativeTables.filter(
		(name) => !existing.switchOff.includes('firewalld') || !isFirewalld(name),
	);
	const stays = (load: Load) => {
		const [, table] = load.program === 'nft' ? (TABLE.exec(load.text) ?? []) : [];
		return table === undefined || native.includes(table);
	};
	const changed = running.loads.filter(stays).map((load) => {
		const snapshot = snapshots.get(load);
		if (snapshot === undefined) {
			return {load, rules: []};
		}

		const {family, inUse} = snapshot;
		const own = inUse ? ruleSet.families.find((one) => one.family === family) : undefined;
		const cleanup = cleanups.find(
			(one) => one.family === family && one.backend === snapshot.backend,
		);
		const text = textAfter(load.text, cleanup, own);
		return {
			load: {...load, text},
			rules: [text === load.text ? snapshot.rules : withReasons(parseSave(text, family), own)],
		};
	});
	const added = plannedSource({
		families: ruleSet.families.filter(
			({family}) => ![...snapshots.values()].some((one) => one.inUse && one.family === family),
		),
	});
	return {
		...running,
		loads: [...changed.map(({load}) => load), ...added.loads],
		rules: [...changed.flatMap(({rules}) => rules), ...added.rules],
		nativeTables: native,
	};
}

const TABLE = /^table (\S+ \S+) \{/m;

function snapshotsOf(
	{loads, rules}: RulesUnderTest,
	backend: Backend | undefined,
): ReadonlyMap<Load, RulesSnapshot> {
	const found = new Map<Load, RulesSnapshot>();
	for (const [index, load] of loads.filter(isIptables).entries()) {
		const family: Family = load.program.startsWith('ip6') ? 6 : 4;
		const other = /-(nft|legacy)-restore$/.exec(load.program)?.[1] as Backend | undefined;
		const named = other ?? backend;
		if (named !== undefined) {
			found.set(load, {
				...{family, backend: named, inUse: other === undefined, text: load.text},
				rules: rules[index] ?? parseSave(load.text, family),
			});
		}
	}

	return found;
}

/** The table of firewalld is removed with it. */
function isFirewalld(name: string): boolean {
	return programOfTable(name)?.name === 'firewalld';
}

/** Saved rules without what a cleanup removes, and with our own rules where there are any. */
function textAfter(
	text: string,
	cleanup: Cleanup | undefined,
	own: FamilyRules | undefined,
): string {
	if (cleanup === undefined && own === undefined) {
		return text;
	}

	const tables = new Map(
		[...text.matchAll(/^\*(\S+)\n([\s\S]*?)^COMMIT$/gm)].map(([, name = '', body = '']) => {
			const lines = body.split('\n').filter(Boolean);
			const kept = name === 'filter' && cleanup ? withoutRemoved(lines, cleanup) : lines;
			return [name, own ? kept.filter((line) => !isOwnChain(line)) : kept];
		}),
	);
	const ours = own ? tableLines(own) : [];
	for (const name of own ? new Set([...tables.keys(), ...ours.map(({table}) => table)]) : []) {
		const {lines = []} = ours.find(({table}) => table === name) ?? {};
		const wanted = OWN_CHAINS.filter((chain) => lines.includes(`:${chain.name} - [0:0]`)).map(
			({from, name}) => `-A ${from} -j ${name}`,
		);
		const kept = (tables.get(name) ?? []).filter(
			(line) => !OWN_JUMP.test(line) || wanted.includes(line),
		);
		tables.set(name, [
			...lines.filter((line) => line.startsWith(':')),
			...kept,
			...lines.filter((line) => !line.startsWith(':')),
			...wanted.filter((line) => !kept.includes(line)),
		]);
	}

	return [...tables].map(([name, lines]) => `*${name}\n${lines.join('\n')}\nCOMMIT\n`).join('');
}

const OWN_JUMP = new RegExp(`^-A \\S+ -j ${OWN_PREFIX}\\S+$`);

function isOwnChain(line: string): boolean {
	return line.startsWith(`:${OWN_PREFIX}`) || line.startsWith(`-A ${OWN_PREFIX}`);
}

/** The same with our own rules as they were built, which say their reasons. */
function withReasons(rules: FamilyRules, own: FamilyRules | undefined): FamilyRules {
	return {
		...rules,
		tables: rules.tables.map(({name, chains}) => ({
			name,
			chains: chains.map(
				(chain) =>
					(own && chain.name.startsWith(OWN_PREFIX) && findChain(own, name, chain.name)) || chain,
			),
		})),
	};
}
