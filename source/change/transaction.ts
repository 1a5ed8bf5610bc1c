import {uptime} from 'node:os';
import {loadModules} from '../host/machine/modules.ts';
import type {Saved} from '../host/netfilter/iptables.ts';
import {explainError, HostError} from '../lib/errors.ts';
import type {FamilyRules} from '../ruleset/model.ts';
import {assertUnchanged, cleanOtherBackend, rehearseRestore} from './cleanup.ts';
import {printLoaded} from './drift.ts';
import {dryRun, load, readRules} from './load.ts';
import {lock} from './lock.ts';
import {type ChangeRequest, planExisting, recordChange} from './prepare.ts';
import {keepConnections} from './preserve-connections.ts';
import {
	type ChangeState,
	dropChange,
	folderOf,
	markLoaded,
	markPending,
	nextId,
	pruneChanges,
	readMeta,
	stateOf,
} from './record.ts';
import {recover, rollBackOverdue} from './recover.ts';
import {whilePending} from './run-while-pending.ts';
import {confirmLoaded, keepChange, rollBack, rolledBack} from './settle.ts';
import {sendFirewalldToSleep} from './switch-off.ts';
import {watchPending} from './watch-pending.ts';
import {armWatchdog} from './watchdog.ts';

/** A change whose rules are loaded, and which is rolled back unless it is kept in time. */
export type PendingChange = {
	readonly id: number;
	/** The rules of each family as they were read back after loading, those of others included. */
	readonly loaded: readonly FamilyRules[];
	/** What it took away of others, a line each. */
	readonly removedRules: readonly string[];
	/** Seconds until the watchdog rolls back. */
	readonly secondsLeft: () => number;
	readonly state: () => ChangeState | undefined;
	/** Keeps it. @throws {HostError} when it was rolled back meanwhile */
	readonly keep: () => Promise<void>;
	/** The same at once, while what was read back after loading still holds. */
	readonly keepAtOnce: () => Promise<void>;
	/** Puts the old rules back now. @throws {HostError} when that fails */
	readonly rollBack: () => Promise<void>;
	/** Lets others change the firewall again. To be called when all is decided. */
	readonly release: () => Promise<void>;
};

/**
 * Begins a change: clears up after one that was cut off, saves what is there, arms the watchdog,
 * loads, compares with what was meant. Nothing is written for the next boot: a power cycle rescues too.
 * @throws {HostError} with exit code 3 when nothing was touched, 4 when it was rolled back
 */
export async function beginChange(request: ChangeRequest): Promise<PendingChange> {
	const {policy, ruleSet, seconds, backend} = request;
	// Touches nothing, and may take its time beside what comes before its answer is needed.
	const trial = dryRun(ruleSet);
	trial.catch(() => {});
	await rollBackOverdue();
	const release = await lock();
	try {
		await recover();
		const others = await planExisting(request);
		const before = others?.before ?? (await readRules(ruleSet));
		const id = nextId();
		let until: number;
		try {
			recordChange(id, request, before, others);
			await Promise.all([trial, others && rehearseRestore(others.cleanups)]);
			until = uptime() + seconds;
			markPending(id, until);
		} catch (error) {
			dropChange(id);
			throw explainError(error, folderOf(id));
		}

		pruneChanges();
		const watch = watchPending(id, until);
		let loaded: readonly Saved[];
		try {
			await Promise.all([armWatchdog(id, seconds), keepConnections(), loadModules(policy.helpers)]);
			await assertUnchanged(others?.cleanups ?? [], backend);
			const runner = whilePending(id);
			loaded = await load(
				ruleSet,
				before,
				others?.cleanups.map(({cleanup}) => cleanup),
				runner,
			);
			if (others) {
				// Only now, that ours are live: at no moment is there no firewall.
				await cleanOtherBackend(others.cleanups, runner);
				await (others.switchOff.firewalld ? sendFirewalldToSleep(runner) : undefined);
			}

			if (stateOf(id) !== 'pending') {
				throw tooLate();
			}

			markLoaded(id, printLoaded(loaded));
		} catch (error) {
			watch.stop();
			const late = stateOf(id) !== 'pending';
			await rollBack(id, 'apply', error instanceof Error ? error.message : 'failed');
			throw late ? tooLate() : error instanceof HostError ? error : rolledBack(error);
		}

		return {
			id,
			loaded: loaded.map(({rules}) => rules),
			removedRules: readMeta(id)?.taken ?? [],
			async release() {
				watch.stop();
				await release();
			},
			secondsLeft: watch.secondsLeft,
			state: watch.state,
			keep: async () => keepChange(id),
			keepAtOnce: async () => confirmLoaded(id),
			rollBack: async () => rollBack(id, 'roll back', 'given up'),
		};
	} catch (error) {
		await release();
		throw error;
	}
}

function tooLate(): HostError {
	return new HostError(
		'Loading took longer than the time to confirm',
		'Rolled back. The rules are as they were before. Allow more time: --confirm-within 120',
		4,
	);
}
