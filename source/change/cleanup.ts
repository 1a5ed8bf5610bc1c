import {
	chainsBehind,
	printCleanup,
	restoredRules,
	touchedChains,
} from '../existing/cleanup-format.ts';
import {type Cleanup, type Existing, planCleanup} from '../existing/cleanup-plan.ts';
import {chainOf} from '../existing/rule-owner.ts';
import type {RulesSnapshot} from '../existing/snapshot.ts';
import type {Runner} from '../host/exec/run.ts';
import {describeFailure, restore} from '../host/netfilter/iptables.ts';
import {programFor, readSnapshots} from '../host/netfilter/snapshot.ts';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import type {Backend} from '../ruleset/model.ts';
import {tableLines} from '../ruleset/save-lines.ts';
import {programOfChain} from '../services/known-programs/find.ts';
import {ROLLED_BACK} from './load.ts';
import {findUnwritable} from './write-back.ts';

/** The rules of other programs that a change removes, and all rules of their family and backend. */
export type SnapshotCleanup = {readonly snapshot: RulesSnapshot; readonly cleanup: Cleanup};

/** Chain names that are safe in a script and in a pattern. No program is known to use others. */
const PLAIN_NAME = /^[\w.:@%+=,-]+$/;

/**
 * What a change removes of the rules that are loaded now, or why it must not: another program needs
 * them, or the rollback script could not restore them.
 */
export function planSnapshotCleanups(
	snapshots: readonly RulesSnapshot[],
	existing: Existing,
): readonly SnapshotCleanup[] | HostError {
	const {cleanups, refusal} = planCleanup(snapshots, existing.mode, existing.switchOff);
	if (refusal !== undefined) {
		return new HostError(refusal, 'Keep the rules that are there, or flush INPUT alone');
	}

	const parts = cleanups.map((cleanup) => ({cleanup, snapshot: snapshotOf(cleanup, snapshots)}));
	const odd = parts
		.flatMap(({snapshot, cleanup}) => {
			const touched = touchedChains(cleanup);
			return [...touched, ...chainsBehind(snapshot, touched)];
		})
		.find((name) => !PLAIN_NAME.test(name));
	if (odd !== undefined) {
		return new HostError(
			`A chain has a name that cannot be restored safely: ${printable(odd, 60)}`,
			'Rename it, or keep the rules that are there',
		);
	}

	return (
		findUnwritable(parts.flatMap(({snapshot, cleanup}) => restoredRules(snapshot, cleanup))) ??
		parts
	);
}

/** The rules that a cleanup was planned from. */
function snapshotOf(cleanup: Cleanup, snapshots: readonly RulesSnapshot[]): RulesSnapshot {
	return snapshots.find(
		({family, backend}) => family === cleanup.family && backend === cleanup.backend,
	) as RulesSnapshot;
}

/**
 * Checks that a change removes nothing that its plan did not show. Programs that are known change the
 * rules in their own chains all the time: of those chains only the names count.
 * @param planned what was shown
 * @param now what the change would remove of the rules that are loaded now
 * @throws {HostError} where it would remove more; nothing was touched
 */
export function assertAsPlanned(
	planned: readonly SnapshotCleanup[],
	now: readonly SnapshotCleanup[],
): void {
	const shown = new Set(planned.flatMap(itemsOf));
	if (now.flatMap(itemsOf).some((item) => !shown.has(item))) {
		throw new HostError(
			'The rules that are there have changed since this change was planned',
			'Nothing was changed. See what is there now, and try it again',
		);
	}
}

/** All that a cleanup removes or changes, each item with its place. */
function itemsOf({cleanup}: SnapshotCleanup): readonly string[] {
	const {family, backend, rules, emptied, removed, policies} = cleanup;
	const items = [
		...rules.filter((rule) => programOfChain(chainOf(rule)) === undefined),
		...[...emptied, ...removed].map((chain) => `-F ${chain}`),
		...policies.map(({chain, to}) => `-P ${chain} ${to}`),
	];
	return items.map((item) => `${family} ${backend} ${item}`);
}

/**
 * @param backend the backend of iptables that is in use
 * @throws {HostError} when another program has changed the rules since they were saved
 */
export async function assertUnchanged(
	cleanups: readonly SnapshotCleanup[],
	backend: Backend,
): Promise<void> {
	if (cleanups.length === 0) {
		return;
	}

	const families = [...new Set(cleanups.map(({snapshot}) => snapshot.family))];
	const now = await readSnapshots(families, backend);
	for (const {snapshot} of cleanups) {
		const same = now.find(
			(other) => other.family === snapshot.family && other.backend === snapshot.backend,
		);
		if (rulesOf(filterPart(same?.text ?? '')) !== rulesOf(filterPart(snapshot.text))) {
			throw new HostError('Another program is changing the rules just now', ROLLED_BACK, 4);
		}
	}
}

/**
 * Removes the rules in the backend that is not in use, once the new rules are active.
 * @throws {HostError}
 */
export async function cleanOtherBackend(
	cleanups: readonly SnapshotCleanup[],
	runner: Runner,
): Promise<void> {
	for (const {snapshot, cleanup} of cleanups.filter(({snapshot}) => !snapshot.inUse)) {
		const text = ['*filter', ...printCleanup(cleanup), 'COMMIT', ''].join('\n');
		const failure = await restoreTo(snapshot, text, runner);
		if (failure) {
			throw new HostError(describeFailure(failure), ROLLED_BACK, 4);
		}
	}
}

async function restoreTo(snapshot: RulesSnapshot, text: string, runner?: Runner) {
	return restore(snapshot.family, text, runner, programFor(snapshot, '-restore'));
}

/** The filter table of a save, as a restore file. */
function filterPart(text: string): string {
	const lines = tableLines(text, 'filter');
	return lines.length === 0 ? '' : ['*filter', ...lines, 'COMMIT', ''].join('\n');
}

/** The chains of a save, each with its rules in order, without counters and comments. */
function rulesOf(text: string): string {
	const chainOf = (line: string) => line.replace(/^(:|-A )/, '').split(' ', 1)[0] ?? '';
	return text
		.split('\n')
		.filter((line) => /^(:|-A )/.test(line))
		.map((line) => line.replace(/^(:.*) \[\d+:\d+\]$/, '$1'))
		.sort((a, b) => (chainOf(a) < chainOf(b) ? -1 : chainOf(a) > chainOf(b) ? 1 : 0))
		.join('\n');
}
