import {chmodSync, chownSync} from 'node:fs';
import process from 'node:process';
import {readAppliedPolicy} from '../change/applied.ts';
import {applyFilePlan} from '../change/boot-files.ts';
import {findPending, readKnown} from '../change/change-state.ts';
import {CONFIRM_SECONDS} from '../change/confirm-time.ts';
import {recordCheck} from '../change/last-check.ts';
import {CONFIG_DIR, makePrivate, POLICY_FILE, STATE_DIR, TICKS_FILE} from '../change/paths.ts';
import {clearUp} from '../change/recover.ts';
import {itemOfPending, readTicks, runChecklist} from '../checklist/checklist.ts';
import type {Item, Tick} from '../checklist/checklist-item.ts';
import {KEEP_EXISTING} from '../existing/cleanup-plan.ts';
import {run} from '../host/exec/run.ts';
import type {Facts} from '../host/machine/facts.ts';
import {withoutRecord} from '../persistence/watch/plan-watch.ts';
import {printPolicy} from '../policy/print-policy.ts';
import {knownFacts} from './apply-facts.ts';
import {NOTHING_BESIDE} from './beside-policy.ts';
import {explainObstacle} from './obstacle.ts';
import {planApply} from './plan-apply.ts';
import {startChange} from './start-change.ts';

/** The reboot-survival checklist of this machine, and what a user can do about its items. */
export type Checker = {
	readonly check: () => Promise<readonly Item[]>;
	/** Repairs what is fw-wizard's own, and checks again. */
	readonly mend: () => Promise<readonly Item[]>;
	/** Ticks off what only the user can see, and checks again. */
	readonly tick: (tick: Tick) => Promise<readonly Item[]>;
	/** Reboots the machine. */
	readonly reboot: () => Promise<void>;
};

/**
 * The checklist for this machine.
 * @param full whether packets are sent to every port of the next boot's rules
 */
export function makeChecker(facts: Facts, full = false): Checker {
	const check = async () => {
		await clearUp();
		const pending = findPending();
		const found = await runChecklist(facts, full);
		const items = pending === undefined ? found : [itemOfPending(pending), ...found];
		recordCheck(items.filter(({state}) => state === 'failed').map(({title}) => title));
		return items;
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
			// Every init system has reboot(8).
			await run('reboot', []);
		},
	};
}

/** Records that the user has seen to an item of the checklist that no program can see. */
export async function tickOff(tick: Tick): Promise<void> {
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
	// Other programs' rules stay, so that nothing of them need be known.
	const planned = planApply({policy, existing: KEEP_EXISTING}, knownFacts(facts));
	if (planned.obstacle !== undefined) {
		throw explainObstacle(planned.obstacle, planned);
	}

	// What others have put before our rules since then is not confirmed by mending ours.
	const persistence = {...planned.persistence, keep: withoutRecord(planned.persistence.keep)};
	const plan = {...planned, persistence};

	const rulesAreWrong = items.some(
		({id, mendable}) => mendable && (id.startsWith('running') || id === 'reached'),
	);
	if (rulesAreWrong && plan.lockouts.length === 0) {
		const beside = {...NOTHING_BESIDE, known: readKnown()};
		await startChange({...plan, atOnce: true}, CONFIRM_SECONDS.usual, beside);
	} else {
		const {keep} = persistence;
		const files = {[POLICY_FILE]: {text: printPolicy(policy), mode: 0o600}, ...keep.files};
		await applyFilePlan({...keep, files});
	}
}
