import {chmodSync, chownSync, existsSync} from 'node:fs';
import process from 'node:process';
import {readAppliedPolicy} from '../change/applied.ts';
import {applyFilePlan} from '../change/boot-files.ts';
import {CONFIG_DIR, makePrivate, POLICY_FILE, STATE_DIR, TICKS_FILE} from '../change/paths.ts';
import {findPending} from '../change/record.ts';
import {clearUp} from '../change/recover.ts';
import {readTicks, runChecklist} from '../checklist/checklist.ts';
import {failed, type Item, TICKS, type Tick} from '../checklist/checklist-item.ts';
import {run} from '../host/exec/run.ts';
import {type Facts, gatherFacts} from '../host/machine/facts.ts';
import {printable} from '../lib/printable.ts';
import {planPersistence} from '../persistence/plan.ts';
import {parseWord, printPolicy} from '../policy/policy.ts';
import {buildRuleSet} from '../ruleset/build.ts';
import {findLockouts} from '../ruleset/lockout.ts';
import type {Checker} from '../ui/hooks/use-checklist.ts';
import {begin, noIptables} from './apply.ts';
import {DEFAULT_SECONDS} from './options/confirm-within.ts';
import {requireRoot} from './require-root.ts';

export type CheckFlags = {
	readonly fix?: boolean;
	readonly full?: boolean;
	readonly tick?: string;
	readonly json?: boolean;
};

/**
 * `fw-wizard check`: the reboot-survival checklist.
 * @returns what to print, and whether nothing has failed
 */
export async function check(flags: CheckFlags): Promise<{text: string; well: boolean}> {
	requireRoot('fw-wizard check');
	if (flags.tick !== undefined) {
		await tickOff(parseWord(flags.tick, TICKS, 'thing to tick off'));
	}

	const facts = await gatherFacts();
	// Where something was applied, the checklist says more.
	if (facts.iptables === undefined && !existsSync(POLICY_FILE)) {
		throw noIptables();
	}

	const checker = makeChecker(facts, flags.full);
	const first = await checker.check();
	const items = flags.fix && first.some(({mendable}) => mendable) ? await checker.mend() : first;
	const well = items.every(({state}) => state !== 'failed');
	return {
		well,
		text: flags.json
			? `${JSON.stringify({well, items}, undefined, '\t')}\n`
			: `${items.map(printItem).join('\n')}\n`,
	};
}

/** The checklist for this machine, as the wizard uses it too. */
export function makeChecker(facts: Facts, full = false): Checker {
	const check = async () => {
		await clearUp();
		const waiting = findPending();
		const items = await runChecklist(facts, full);
		return waiting === undefined ? items : [describeWaiting(waiting), ...items];
	};
	return {
		check,
		async mend() {
			await mend(facts, await check());
			return check();
		},
		async tick(tick) {
			await tickOff(tick);
			return check();
		},
		async reboot() {
			// reboot(8) is there with every init system.
			await run('reboot', []);
		},
	};
}

/** What follows is then not what was kept: the rules are those that wait. */
function describeWaiting(id: number): Item {
	const title = 'no change waits to be confirmed';
	const fix = 'fw-wizard confirm, or fw-wizard undo';
	return failed('waiting', title, `change ${id} does`, fix);
}

async function tickOff(tick: Tick): Promise<void> {
	makePrivate(STATE_DIR);
	const text = JSON.stringify([...new Set([...readTicks(), tick])]);
	await applyFilePlan({before: [], files: {[TICKS_FILE]: {text, mode: 0o600}}, after: []});
}

/** Writes our files again, and loads our rules again where they are not those of the policy. */
async function mend(facts: Facts, items: readonly Item[]): Promise<void> {
	const policy = readAppliedPolicy(facts.services);
	if (policy === undefined) {
		return;
	}

	chownSync(CONFIG_DIR, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
	chmodSync(CONFIG_DIR, 0o755);
	const ruleSet = buildRuleSet(policy, facts);
	const rulesAreWrong = items.some(
		({id, mendable}) => mendable && (id.startsWith('running') || id === 'reached'),
	);
	const shut = facts.session.kind === 'remote' ? findLockouts(ruleSet, facts.session) : [];
	if (rulesAreWrong && shut.length === 0) {
		const change = await begin(policy, ruleSet, facts, DEFAULT_SECONDS);
		try {
			await change.keepAtOnce();
		} finally {
			await change.release();
		}
	} else {
		const {keep} = planPersistence(policy, ruleSet, facts.iptables?.backend ?? 'nft');
		const files = {[POLICY_FILE]: {text: printPolicy(policy), mode: 0o600}, ...keep.files};
		await applyFilePlan({...keep, files});
	}
}

function printItem({title, state, cause, fix}: Item): string {
	const signs = {ok: 'ok  ', failed: 'FAIL', open: 'open'};
	return [
		`${signs[state]}  ${title}`,
		...(cause === undefined ? [] : [`      ${printable(cause, 300)}`]),
		...(fix === undefined ? [] : [`      -> ${printable(fix, 300)}`]),
	].join('\n');
}
