import {existsSync} from 'node:fs';
import {uptime} from 'node:os';
import {deadlineOf, findPending, lastConfirmed, readKnown} from '../../change/change-state.ts';
import {findDrift} from '../../change/drift.ts';
import {type LastCheck, readLastCheck} from '../../change/last-check.ts';
import {POLICY_FILE, RESTORE_FILE} from '../../change/paths.ts';
import {type ChangeMeta, readMeta} from '../../change/record.ts';
import {programOfRule} from '../../existing/rule-owner.ts';
import {describeKnown} from '../../exposure/describe-known.ts';
import {yieldToEventLoop} from '../../host/exec/yield.ts';
import {readText} from '../../host/files/read-text.ts';
import {familiesHere, isRoot, servicesHere} from '../../host/machine/host-facts.ts';
import {missingProgram} from '../../host/machine/packages.ts';
import {hasIptables} from '../../host/netfilter/backend.ts';
import {saveOwn} from '../../host/netfilter/own-rules.ts';
import {findListeners} from '../../host/sockets/listeners.ts';
import {rootCommandLine} from '../../lib/command-line.ts';
import type {Family} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {findInitSystem} from '../../persistence/plan.ts';
import {readWatchChoice, USUAL_WATCH} from '../../persistence/watch/choice.ts';
import {readFindings} from '../../persistence/watch/findings.ts';
import {isWatching} from '../../persistence/watch/plan-watch.ts';
import {parsePolicy} from '../../policy/parse-policy.ts';
import type {Policy} from '../../policy/policy.ts';
import {buildRuleSet} from '../../ruleset/build.ts';
import {ownDifferences, presenceOf} from '../../ruleset/diff.ts';
import {OWN_CHAINS, OWN_PREFIX} from '../../ruleset/model.ts';
import {type OpenPorts, openRows, type PublishedRow, publishedRows} from './open-ports.ts';

/** The first of our chains: that of INPUT. */
const [{name: INPUT_CHAIN}] = OWN_CHAINS;

/** Other programs' rules of INPUT that come before ours. */
type EarlierRules = {
	readonly family: Family;
	/** `fail2ban`; absent where no known program makes such rules. */
	readonly by?: string;
	readonly count: number;
};

/** What is known of the firewall at once, without a packet. Null: it cannot be known here. */
export type Status = {
	/** The rules are loaded, and INPUT leads to them, over each family. */
	readonly active: boolean | null;
	/** The loaded rules are those of the policy, or of the change that waits. */
	readonly matches: boolean | null;
	/** Where they differ, a line each; safe to print. */
	readonly differences: readonly string[];
	readonly earlier: readonly EarlierRules[];
	/** What other programs' rules opened or blocked against the policy when it was applied, a line each; safe to print. */
	readonly beside: readonly string[];
	readonly policy: Policy | null;
	/** The openings, and the programs that listen and are blocked. */
	readonly ports: OpenPorts;
	readonly published: readonly PublishedRow[];
	/** The change whose policy it is: its number, UTC in ISO 8601, and who made it. */
	readonly applied: Pick<ChangeMeta, 'id' | 'time' | 'who'> | null;
	/** The change that waits to be confirmed. */
	readonly pending: {readonly id: number; readonly secondsLeft: number} | null;
	readonly lastCheck: LastCheck | null;
	readonly watch: {
		readonly on: boolean;
		readonly repair: boolean;
		/** Seconds between two looks. */
		readonly every: number;
		/** UTC, ISO 8601. */
		readonly looked: string | null;
		/** What is wrong, a line each; safe to print. */
		readonly open: readonly string[];
	};
	readonly boot: {
		/** Null where it is not known how this machine boots; `none` where the user sees to it. */
		readonly by: string | null;
		readonly ready: boolean;
		readonly fault: string | null;
	};
	/** What was not read, a sentence each. */
	readonly unread: readonly string[];
};

/** Reads it. Starts iptables-save, and no other program. @throws {HostError} where iptables-save fails */
export async function readStatus(): Promise<Status> {
	const [root, families] = [isRoot(), familiesHere()];
	const readable = root && hasIptables();
	const [saves, listeners] = await Promise.all([
		readable ? Promise.all(families.map(async (family) => saveOwn(family))) : [],
		// While the programs run.
		yieldToEventLoop().then(async () => findListeners({brief: true})),
	]);
	const pending = root ? findPending() : undefined;
	const policy = root ? policyOf(pending) : undefined;
	const differences =
		pending !== undefined
			? [(await findDrift(pending)) ?? []].flat()
			: policy === undefined
				? []
				: buildRuleSet(policy, {families}).families.flatMap((rules, index) => {
						const saved = saves[index];
						return saved === undefined ? [] : ownDifferences(rules, saved.rules);
					});
	const applied = root ? lastConfirmed() : undefined;
	const presences = saves.map(({rules}) => presenceOf(rules));
	const published = publishedRows(saves, policy);
	return {
		active: readable
			? presences.every(
					({chains, jumps}) => chains.has(INPUT_CHAIN) && (jumps.get(INPUT_CHAIN) ?? 0) > 0,
				)
			: null,
		matches: readable && policy !== undefined ? differences.length === 0 : null,
		differences,
		earlier: saves.flatMap(({text, rules: {family}}) => earlierRules(text, family)),
		beside:
			policy === undefined || pending !== undefined ? [] : readKnown(applied).map(describeKnown),
		policy: policy ?? null,
		ports: openRows(policy, listeners),
		published,
		applied:
			policy === undefined || applied === undefined
				? null
				: {id: applied.id, time: printable(applied.time), who: printable(applied.who)},
		pending:
			pending === undefined ? null : {id: pending, secondsLeft: secondsLeft(readMeta(pending))},
		lastCheck: (root ? readLastCheck() : undefined) ?? null,
		watch: watchNow(root),
		boot: nextBoot(),
		unread: [
			...(root
				? []
				: [
						`Only root can read the rules, the policy, the changes and the programs of other users: ${rootCommandLine('status')}`,
					]),
			...(root && !readable ? [`${missingProgram()} is not installed.`] : []),
			...(saves.some(({alone}) => alone)
				? ['iptables-save cannot print all rules here: published ports were not read.']
				: []),
		],
	};
}

/** The policy that is in force: that of the change that waits, or else the one that was kept last. @throws {InputError} */
function policyOf(pending: number | undefined): Policy | undefined {
	const text =
		(pending === undefined ? undefined : readMeta(pending)?.keep.files[POLICY_FILE]?.text) ??
		readText(POLICY_FILE);
	if (text === undefined) {
		return undefined;
	}

	try {
		return parsePolicy(text, new Map());
	} catch {
		// The names of services are read only for a file that somebody has edited: they take longer than the rest.
		return parsePolicy(text, servicesHere());
	}
}

function secondsLeft(change: ChangeMeta | undefined): number {
	return change === undefined ? 0 : Math.max(0, Math.round(deadlineOf(change) - uptime()));
}

/** Counts the rules of INPUT before our jump, by the program that makes such rules. */
function earlierRules(text: string, family: Family): readonly EarlierRules[] {
	const filter = /^\*filter\n[\s\S]*?^COMMIT$/m.exec(text)?.[0] ?? '';
	const input = filter.split('\n').filter((line) => line.startsWith('-A INPUT '));
	const jump = input.findIndex((line) => line.includes(` -j ${OWN_PREFIX}`));
	const counts = new Map<string | undefined, number>();
	for (const line of input.slice(0, Math.max(jump, 0))) {
		const by = programOfRule(line)?.name;
		counts.set(by, (counts.get(by) ?? 0) + 1);
	}

	return [...counts].map(([by, count]) => ({family, ...(by === undefined ? {} : {by}), count}));
}

function watchNow(root: boolean): Status['watch'] {
	const {on, repair, every} = readWatchChoice() ?? USUAL_WATCH;
	const {looked, open} = root ? readFindings() : {looked: undefined, open: []};
	return {
		...{on: on && isWatching(), repair, every, open},
		looked: looked?.toISOString() ?? null,
	};
}

function nextBoot(): Status['boot'] {
	const initSystem = findInitSystem();
	const fault = existsSync(RESTORE_FILE)
		? initSystem?.findFault()
		: `${RESTORE_FILE} does not exist`;
	return {
		by: initSystem?.name ?? null,
		ready: initSystem !== undefined && initSystem.name !== 'none' && fault === undefined,
		fault: fault ?? null,
	};
}
