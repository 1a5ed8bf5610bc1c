import {rmSync} from 'node:fs';
import {removeInstalled} from '../host/exec/installed.ts';
import {run} from '../host/exec/run.ts';
import {readText} from '../host/files/read-text.ts';
import {detectIptables, requireIptables} from '../host/netfilter/backend.ts';
import {describeFailure, restore, type Saved} from '../host/netfilter/iptables.ts';
import {removeJumps, saveOwn} from '../host/netfilter/own-rules.ts';
import {readOwnEverywhere} from '../host/netfilter/snapshot.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError} from '../lib/errors.ts';
import {FAMILIES, type Family} from '../lib/network.ts';
import {findChain, OWN_CHAINS, OWN_PREFIX, ownChains} from '../ruleset/model.ts';
import {tableRules} from '../ruleset/save-lines.ts';
import {applyFilePlan, type FilePlan} from './boot-files.ts';
import {
	type ChangeState,
	effectiveState,
	findPending,
	isConfirmed,
	stateOf,
} from './change-state.ts';
import {lock} from './lock.ts';
import {CLOSED_NOTE, CONFIG_DIR, POLICY_FILE, STATE_DIR} from './paths.ts';
import {type ChangeMeta, listChanges, readMeta} from './record.ts';
import {recover, rollBackOverdue} from './recover.ts';
import {rollBack, undoKept} from './roll-back.ts';
import {assertWritable} from './write-back.ts';

/** A change with its state. */
type ChangeReport = Pick<ChangeMeta, 'id' | 'time' | 'who' | 'summary'> & {
	readonly state: ChangeState | undefined;
};

/** Looks at the policy file that an undo brings back, null where there was none; and may throw. */
type Guard = (policy: string | null) => Promise<void>;

/** All recorded changes, oldest first. */
export function reportChanges(): readonly ChangeReport[] {
	return listChanges().map((change) => {
		const {id, time, who, summary} = change;
		return {id, time, who, summary, state: effectiveState(change)};
	});
}

/**
 * Restores what a change has replaced, and all changes after it. Without `id`: the change that waits
 * for its confirmation or was being rolled back, else the last one that was kept; never more than
 * that one, also where two commands undo at the same time.
 * @param guard called before a kept change is undone; one that waits is undone without it
 * @returns the changes that were undone, newest first
 * @throws {HostError} with exit code 1 when there is no such change
 */
export async function undoChanges(id?: number, guard?: Guard): Promise<readonly number[]> {
	const last = findLast();
	await rollBackOverdue();
	const pending = await rollBackPending();

	if (id !== undefined && id === pending) {
		return [id];
	}

	if (id === undefined && last !== undefined && stateOf(last) === 'rolled-back') {
		return [last];
	}

	const release = await lock();
	try {
		await recover();
		if (id === undefined && last !== undefined && stateOf(last) === 'rolled-back') {
			return [last];
		}

		const kept = listChanges()
			.map((change) => change.id)
			.filter((change) => stateOf(change) === 'done');
		const first = id ?? last;
		if (first === undefined || !kept.includes(first)) {
			throw new HostError(
				id === undefined ? 'There is no change to undo' : `There is no change ${id} to undo`,
				`See the changes with: ${commandLine('undo --list')}`,
				1,
			);
		}

		if (id === undefined && kept.at(-1) !== last) {
			throw new HostError(
				`Change ${kept.at(-1)} was made meanwhile`,
				`Nothing was undone. See the changes with: ${commandLine('undo --list')}`,
				1,
			);
		}

		await guard?.(readMeta(first)?.undo.files[POLICY_FILE]?.text ?? null);
		const undone = kept.filter((change) => change >= first).reverse();
		for (const change of undone) {
			await undoKept(change, 'undo', 'undone');
		}

		return undone;
	} finally {
		await release();
	}
}

/** Rolls back the change that waits. @returns it, unless it was confirmed at this moment @throws {HostError} */
async function rollBackPending(): Promise<number | undefined> {
	const pending = findPending();
	try {
		await (pending !== undefined && rollBack(pending, 'undo', 'undone before it was confirmed'));
		return pending;
	} catch (error) {
		if (pending !== undefined && isConfirmed(pending)) {
			return undefined;
		}

		throw error;
	}
}

/** The newest change that is not rolled back: the one that an undo is about. */
function findLast(): number | undefined {
	return listChanges().findLast((change) => {
		const state = effectiveState(change);
		return state !== undefined && state !== 'rolled-back';
	})?.id;
}

/**
 * Removes every trace: the chains, jumps and files of fw-wizard. Rules of other programs stay, and the
 * removed ones are restored.
 * @param persisted the plan that removes the files outside the folders of fw-wizard
 * @throws {HostError}
 */
export async function undoEverything(
	families: readonly Family[],
	persisted: FilePlan,
): Promise<void> {
	await rollBackOverdue();
	await rollBackPending();

	const release = await lock();
	try {
		await recover();
		// The rules of fw-wizard that replaced removed rules go next: the removed rules must be restored.
		for (const {id, taken} of [...listChanges()].reverse()) {
			if (taken !== undefined && stateOf(id) === 'done') {
				await undoKept(id, 'undo', 'undone with everything');
			}
		}

		const {iptables} = requireIptables({iptables: await detectIptables()});
		for (const own of await readOwnEverywhere(families, iptables.backend)) {
			const {family} = own.rules;
			if (own.alone) {
				await removeJumps(family);
			}

			const text = printRemoval(own.alone ? await saveOwn(family, own.program) : own);
			const failure =
				text === '' ? undefined : await restore(family, text, run, `${own.program}-restore`);
			if (failure) {
				throw new HostError(describeFailure(failure), 'No file was removed. Try it again', 1);
			}
		}

		await applyFilePlan(persisted);
		rmSync(CONFIG_DIR, {recursive: true, force: true});
		rmSync(STATE_DIR, {recursive: true, force: true});
		removeInstalled();
	} finally {
		await release();
	}
}

/**
 * The restore file that removes the chains of fw-wizard and every rule that leads to one of them, also a
 * rule with a condition or a comment that somebody else has added: the chain could not be removed
 * otherwise.
 * @throws {HostError} where one of these rules cannot be named in a restore file
 */
export function printRemoval({text, rules}: Saved): string {
	return [...new Set(OWN_CHAINS.map(({table}) => table))]
		.map((table) => {
			const chains = ownChains(rules).filter(
				(own) => own.table === table && findChain(rules, table, own.name),
			);
			// Our own jumps to groups go with the rules of the chain that has them.
			const leading = tableRules(text, table).filter(
				(line) =>
					!line.startsWith(`-A ${OWN_PREFIX}`) && chains.some(({name}) => leadsTo(line, name)),
			);
			assertWritable(leading);
			const lines = [
				...leading.map((line) => line.replace(/^-A/, '-D')),
				...chains.map(({name}) => `-F ${name}`),
				...chains.map(({name}) => `-X ${name}`),
			];
			return chains.length === 0 ? '' : `*${table}\n${lines.join('\n')}\nCOMMIT\n`;
		})
		.join('');
}

function leadsTo(line: string, chain: string): boolean {
	return line.endsWith(` -j ${chain}`) || line.endsWith(` -g ${chain}`);
}

/** Takes back that the boot drops everything where it can make no chain: the policy of INPUT. */
export async function reopenInput(): Promise<void> {
	for (const family of FAMILIES) {
		const note = `${CLOSED_NOTE}${family}`;
		const program = readText(note)?.trim() ?? '';
		if (/^\/[\w/.-]*\/ip6?tables[\w-]*$/.test(program)) {
			const {status} = await run(program, ['-w', '10', '-P', 'INPUT', 'ACCEPT']);
			if (status === 0) {
				rmSync(note, {force: true});
			}
		}
	}
}
