import {existsSync} from 'node:fs';
import {uptime} from 'node:os';
import {setTimeout as delay} from 'node:timers/promises';
import {explainError, HostError} from '../host/errors.ts';
import {assertPrivate} from '../host/files.ts';
import {loadModules} from '../host/modules.ts';
import {firstLine, run} from '../host/run.ts';
import {printable} from '../policy/printable.ts';
import {writeJournal} from './journal.ts';
import {carryOut} from './kept-files.ts';
import {keepConnections} from './live-connections.ts';
import {dryRun, load, readRules} from './load.ts';
import {lock, withLock} from './lock.ts';
import {type ChangeOrder, planOthers, writeDown} from './order.ts';
import {STATE_DIR} from './paths.ts';
import {
	type ChangeMeta,
	type ChangeState,
	dropChange,
	folderOf,
	isLoaded,
	listChanges,
	listIds,
	markLoaded,
	markPending,
	moveState,
	nextId,
	pruneChanges,
	readBootId,
	readMeta,
	scriptOf,
	standingOf,
	stateOf,
} from './record.ts';
import {sendFirewalldToSleep} from './switch-off.ts';
import {assertUnchanged, rehearseReturn, takeFromOther} from './taking.ts';
import {armWatchdog, disarmWatchdog} from './watchdog.ts';

/** Seconds that a watchdog may be late. */
const OVERDUE = 10;

/** A change whose rules are loaded, and which is rolled back unless it is kept in time. */
export type PendingChange = {
	readonly id: number;
	/** What it took away of others, a line each. */
	readonly taken: readonly string[];
	/** Seconds until the watchdog rolls back. */
	readonly secondsLeft: () => number;
	readonly state: () => ChangeState | undefined;
	/** Keeps it. @throws {HostError} when it was rolled back meanwhile */
	readonly keep: () => Promise<void>;
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
export async function beginChange(order: ChangeOrder): Promise<PendingChange> {
	const {policy, ruleSet, seconds, existing} = order;
	// Touches nothing, and may take its time beside what comes before its answer is needed.
	const trial = dryRun(ruleSet);
	trial.catch(() => {});
	const release = await lock();
	try {
		await recover();
		const others = await planOthers(ruleSet, existing);
		const before = others?.before ?? (await readRules(ruleSet));
		const id = nextId();
		try {
			writeDown(id, order, before, others);
			await Promise.all([trial, others && rehearseReturn(others.taken)]);
			markPending(id);
		} catch (error) {
			dropChange(id);
			throw explainError(error, folderOf(id));
		}

		pruneChanges();
		const end = performance.now() + seconds * 1000;
		try {
			await Promise.all([armWatchdog(id, seconds), keepConnections(), loadModules(policy.helpers)]);
			await assertUnchanged(others?.taken ?? []);
			await load(
				ruleSet,
				before,
				others?.taken.map(({taking}) => taking),
			);
			if (others) {
				// Only now, that ours are live: at no moment is there no firewall.
				await takeFromOther(others.taken);
				await (others.switchOff.firewalld ? sendFirewalldToSleep() : undefined);
			}

			if (stateOf(id) !== 'pending') {
				throw new HostError('Loading took longer than the time to confirm', 'Allow more time', 4);
			}

			markLoaded(id);
		} catch (error) {
			await rollBack(id, 'apply', error instanceof Error ? error.message : 'failed');
			throw error instanceof HostError ? error : rolledBack(error);
		}

		return {
			id,
			taken: readMeta(id)?.taken ?? [],
			release,
			secondsLeft: () => Math.max(0, Math.ceil((end - performance.now()) / 1000)),
			state: () => stateOf(id),
			keep: async () => keepChange(id),
			rollBack: async () => rollBack(id, 'roll back', 'given up'),
		};
	} catch (error) {
		await release();
		throw error;
	}
}

/** The change that waits for its confirmation, if there is one. */
export function findPending(): number | undefined {
	return listChanges().findLast((change) => standingOf(change) === 'pending' && isLoaded(change.id))
		?.id;
}

/**
 * Keeps a pending change: from here on it is what the next boot will load.
 * @throws {HostError} with exit code 4 when it was rolled back meanwhile, or now since it cannot be written
 */
export async function keepChange(id: number): Promise<void> {
	if (!moveState(id, 'pending', 'kept') && !['kept', 'done'].includes(stateOf(id) ?? '')) {
		throw new HostError(
			`Change ${id} was not confirmed in time and is rolled back`,
			'Apply it again, if you want it',
			4,
		);
	}

	try {
		await finishKeeping(id);
	} catch (error) {
		// What the next boot does not load must not run until then.
		await rollBack(id, 'roll back', 'it could not be written for the next boot');
		throw rolledBack(error);
	}
}

/** The same error, which also says that the old rules are back, and what is not. */
function rolledBack(error: unknown, rest?: string): unknown {
	const explained = explainError(error);
	return explained instanceof HostError
		? new HostError(
				explained.message,
				['Rolled back. The rules are as they were before.', rest, explained.hint]
					.filter((sentence) => sentence !== undefined)
					.join(' '),
				4,
			)
		: error;
}

/**
 * Puts back what was there before a change: its rules and, where it was kept, its files.
 * @throws {HostError} when that fails
 */
export async function rollBack(
	id: number,
	what: 'apply' | 'roll back' | 'undo',
	why: string,
): Promise<void> {
	if (stateOf(id) === 'rolled-back') {
		// The watchdog has done it already, and written it down.
		return;
	}

	// Of a state of its own: the watchdog, which knows nothing of files, must not take it over.
	moveState(id, 'kept', 'undoing');
	moveState(id, 'done', 'undoing');
	let unwritten: unknown;
	if (stateOf(id) === 'undoing') {
		try {
			await restoreFiles(id);
		} catch (error) {
			unwritten = error;
		}
	}

	const {stderr} = await run('sh', [scriptOf(id), 'now'], {timeout: 60_000});
	const state = await settle(id);
	if (state === 'rolled-back') {
		await disarmWatchdog(id);
	}

	writeJournal(
		id,
		what,
		`${state === 'rolled-back' ? 'rolled back' : 'rolling back failed'}: ${why}`,
	);
	if (unwritten !== undefined) {
		// The rules are back; the files are put back by whoever comes next.
		moveState(id, 'rolled-back', 'undoing');
		throw rolledBack(unwritten, 'What the next boot loads is not, yet.');
	}

	// Otherwise the watchdog tries it again when its time has come.
	if (state !== 'rolled-back') {
		throw new HostError(
			`The old rules could not be put back: ${printable(firstLine(stderr), 160)}`,
			`See them with iptables-save; try again with: sh ${scriptOf(id)} now`,
			4,
		);
	}
}

/**
 * Clears up as the next change would, unless somebody is changing the firewall at this moment. A
 * change that can still be confirmed is left to wait, also when the program that made it is gone.
 */
export async function clearUp(): Promise<void> {
	if (!existsSync(STATE_DIR)) {
		return;
	}

	assertPrivate(STATE_DIR);
	try {
		await withLock(async () => recover(canBeConfirmed));
	} catch (error) {
		// Whoever looks on sees what is wrong then.
		if (!(explainError(error) instanceof HostError)) {
			throw error;
		}
	}
}

/** Of a watchdog that was killed too, nobody would be told that the time is over. */
function canBeConfirmed({id, until}: ChangeMeta): boolean {
	return stateOf(id) === 'pending' && isLoaded(id) && uptime() < until + OVERDUE;
}

/** Clears up after a program that was killed: what was decided is finished, what was not is rolled back. */
export async function recover(
	isLeft: (change: ChangeMeta) => boolean = () => false,
): Promise<void> {
	pruneChanges();
	for (const id of listIds()) {
		const change = readMeta(id);
		const state = stateOf(id);
		if (change === undefined) {
			// Its record was damaged. The way back needs none; the way on does.
			await (isOpen(state) && rollBack(id, 'roll back', 'its record is damaged'));
		} else if (state === 'kept') {
			await finishKeeping(id);
		} else if (state === 'pending' && change.bootId !== readBootId()) {
			// The boot has put back what was there before.
			moveState(id, 'pending', 'rolling');
			moveState(id, 'rolling', 'rolled-back');
			writeJournal(id, 'roll back', 'rolled back: the machine was booted before it was confirmed');
		} else if (isLeft(change)) {
			// Its watchdog or its maker decides.
		} else if (isOpen(state)) {
			await rollBack(id, 'roll back', 'it was cut off');
		}
	}
}

function isOpen(state: ChangeState | undefined): boolean {
	return state !== undefined && state !== 'done' && state !== 'rolled-back';
}

/** Does what follows from keeping. Each part may be done twice: a killed one is finished by the next. */
async function finishKeeping(id: number): Promise<void> {
	const meta = readMeta(id);
	// The watchdog would find that it is kept, and do nothing.
	await Promise.all([meta && carryOut(meta.keep), disarmWatchdog(id)]);
	if (moveState(id, 'kept', 'done')) {
		const taken = meta?.taken ?? [];
		writeJournal(id, 'confirm', taken.length === 0 ? 'kept' : `kept; gone: ${taken.join('; ')}`);
	}
}

async function restoreFiles(id: number): Promise<void> {
	const meta = readMeta(id);
	if (meta) {
		await carryOut(meta.undo);
	}
}

/** Waits until nobody is rolling back any more: the watchdog may be at it at this moment. */
async function settle(id: number): Promise<ChangeState | undefined> {
	const busy = () => ['rolling', 'undoing'].includes(stateOf(id) ?? '');
	for (let tries = 0; tries < 100 && busy(); tries += 1) {
		await delay(100);
	}

	return stateOf(id);
}
