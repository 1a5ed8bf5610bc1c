import {uptime} from 'node:os';
import {setTimeout as delay} from 'node:timers/promises';
import {loadModules} from '../host/machine/modules.ts';
import type {Saved} from '../host/netfilter/iptables.ts';
import {NamespaceError} from '../host/netns.ts';
import {connectionKeys} from '../host/sockets/proc-net.ts';
import {describeError, explainError, HostError} from '../lib/errors.ts';
import {settled} from '../lib/settled.ts';
import type {FamilyRules} from '../ruleset/model.ts';
import {type ChangeState, markLoaded, markPending, pruneChanges, stateOf} from './change-state.ts';
import {assertUnchanged, cleanOtherBackend} from './cleanup.ts';
import {confirmLoaded, keepChange} from './confirm.ts';
import {printLoaded} from './drift.ts';
import {load, readRules} from './load.ts';
import {lock} from './lock.ts';
import {
	assertBasedOn,
	type ChangeRequest,
	planExisting,
	planRollback,
	recordChange,
} from './prepare.ts';
import {keepConnections} from './preserve-connections.ts';
import {dropChange, folderOf, nextId, readMeta, recordConnections} from './record.ts';
import {recover, rollBackOverdue} from './recover.ts';
import {rehearseChange} from './rehearse.ts';
import {rollBack, rolledBack} from './roll-back.ts';
import {whilePending} from './run-while-pending.ts';
import {sendFirewalldToSleep} from './switch-off.ts';
import {watchPending} from './watch-pending.ts';
import {armWatchdog, type Watchdog} from './watchdog.ts';

/** A change whose rules are loaded, and which is rolled back unless it is kept in time. */
export type PendingChange = {
	readonly id: number;
	/** The rules of each family as they were read back after loading, all programs' rules included. */
	readonly loaded: readonly FamilyRules[];
	/** The rules of other programs that it removed, a line each. */
	readonly removedRules: readonly string[];
	/** Seconds until the watchdog rolls back. */
	readonly secondsLeft: () => number;
	readonly state: () => ChangeState | undefined;
	/** Confirms it. @throws {HostError} when it was rolled back meanwhile */
	readonly keep: () => Promise<void>;
	/** The same at once, while the rules that were read back after loading are certain to run. */
	readonly keepAtOnce: () => Promise<void>;
	/** Restores the old rules now. @throws {HostError} when that fails */
	readonly rollBack: () => Promise<void>;
	/** Releases the lock on changes. To be called when the change is settled. */
	readonly release: () => Promise<void>;
};

/**
 * Begins a change: clears up after an interrupted one, saves the loaded rules, arms the watchdog, loads,
 * and compares with the rule set. Nothing is written for the next boot: a power cycle restores the old
 * rules too.
 * @throws {HostError} with exit code 3 when nothing was touched, 4 when it was rolled back
 */
export async function beginChange(request: ChangeRequest): Promise<PendingChange> {
	const {policy, ruleSet, seconds, backend, rehearsal = true} = request;
	await rollBackOverdue();
	const release = await lock();
	try {
		await recover();
		assertBasedOn(request);
		const others = await planExisting(request);
		const before = others?.before ?? (await readRules(ruleSet));
		const id = nextId();
		let until: number;
		try {
			const planned = planRollback(id, request, before, others);
			await settled([
				rehearsal ? rehearseChange(planned) : undefined,
				// While the programs of the rehearsal run.
				delay(1).then(() => recordChange(id, request, planned, others)),
			]);

			until = uptime() + seconds;
			markPending(id, until);
		} catch (error) {
			dropChange(id);
			throw error instanceof NamespaceError ? notTried(error) : explainError(error, folderOf(id));
		}

		let watchdog: Watchdog | undefined;
		const watch = watchPending(id, until, async (rest) => watchdog?.revive(rest));
		let loaded: readonly Saved[];
		let connections: readonly string[] = [];
		const noteConnections = () => {
			connections = connectionKeys();
		};
		try {
			[watchdog] = await Promise.all([
				armWatchdog(id, seconds),
				keepConnections(),
				loadModules(policy.helpers),
				delay(1).then(pruneChanges),
			]);
			await assertUnchanged(others?.cleanups ?? [], backend);
			const runner = whilePending(id);
			loaded = await load(
				ruleSet,
				before,
				others?.cleanups.map(({cleanup}) => cleanup),
				runner,
				noteConnections,
			);
			if (others) {
				// Only now that the new rules are active: the machine is never without a firewall.
				await cleanOtherBackend(others.cleanups, runner);
				await (others.switchOff.firewalld ? sendFirewalldToSleep(runner) : undefined);
				noteConnections();
			}

			if (stateOf(id) !== 'pending') {
				throw tooLate();
			}

			recordConnections(id, connections);
			markLoaded(id, printLoaded(loaded));
		} catch (error) {
			watch.stop();
			const late = stateOf(id) !== 'pending';
			await rollBack(id, 'apply', describeError(error));
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

function notTried({message}: NamespaceError): HostError {
	return new HostError(
		message,
		'Nothing was changed. To load the rules without a trial in an isolated copy: add --no-rehearsal',
	);
}

function tooLate(): HostError {
	return new HostError(
		'Loading took longer than the time to confirm',
		'Rolled back. The rules are as they were before. Allow more time: --confirm-within 120',
		4,
	);
}
