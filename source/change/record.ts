import {existsSync, readdirSync, rmSync} from 'node:fs';
import path from 'node:path';
import {writeWhole} from '../host/files/atomic-write.ts';
import {readJson} from '../host/files/read-text.ts';
import {assertPrivate, assertPrivateInside} from '../host/files/trust.ts';
import type {PortRange} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import type {FilePlan} from './boot-files.ts';
import {CHANGES_DIR, makePrivate, STATE_DIR} from './paths.ts';

/** What other programs' rules open or block against a policy, as the user was told before it was applied. */
export type KnownDeviation = {
	/** `open from anywhere over IPv4: -A INPUT …, in filter`, safe to print */
	readonly what: string;
	/** The ports, where it is about ports. */
	readonly ports?: Readonly<Record<Protocol, readonly PortRange[]>>;
};

/** The record of a change, written before anything is touched. */
export type ChangeMeta = {
	readonly id: number;
	/** UTC, ISO 8601. */
	readonly time: string;
	readonly who: string;
	/** The connections that were open when its rules were loaded: none shows that one can log in. */
	readonly connections: readonly string[];
	/**
	 * How the rules were applied, and from which addresses, as far as that is known. Absent where
	 * version 0.1.0 made the change: `connections` are then those from before the loading.
	 */
	readonly appliedFrom?: {
		readonly kind: 'remote' | 'console' | 'unknown';
		readonly addresses: readonly string[];
	};
	/** What confirming does, and what an undo of that does. */
	readonly keep: FilePlan;
	readonly undo: FilePlan;
	/** What the change did, in one line. */
	readonly summary: string;
	/** The rules of other programs that it removed, a line each. */
	readonly taken?: readonly string[];
	/** What `check` need not report as new. Absent where nothing was found, or nothing was tried. */
	readonly known?: readonly KnownDeviation[];
	/** Which boot it belongs to (/proc/sys/kernel/random/boot_id). */
	readonly bootId: string;
	/**
	 * Until when it can be confirmed, in seconds since that boot, as it was planned. The time counts
	 * from the moment that the change is pending, and `deadlineOf` reads it from there.
	 */
	readonly until: number;
};

export function folderOf(id: number): string {
	return path.join(CHANGES_DIR, `${id}`);
}

export function scriptOf(id: number): string {
	return path.join(folderOf(id), 'rollback');
}

/** The next free number. */
export function nextId(): number {
	return Math.max(0, ...listIds()) + 1;
}

/**
 * Records a change. It counts from the moment that it is marked as pending: the script and the files
 * that the script reads are complete then.
 */
export function createChange(meta: ChangeMeta, script: string): void {
	makePrivate(folderOf(meta.id));
	writeWhole(scriptOf(meta.id), script, 0o600);
	writeMeta(meta);
}

/** Records the connections that are open once the rules of a change are loaded. */
export function recordConnections(id: number, connections: readonly string[]): void {
	const meta = readMeta(id);
	if (meta) {
		writeMeta({...meta, connections});
	}
}

function writeMeta(meta: ChangeMeta): void {
	writeWhole(path.join(folderOf(meta.id), 'meta.json'), JSON.stringify(meta), 0o600);
}

/** Removes the record of a change that was not begun. */
export function dropChange(id: number): void {
	rmSync(folderOf(id), {recursive: true, force: true});
}

/** All changes whose record is complete, oldest first. */
export function listChanges(): readonly ChangeMeta[] {
	return listIds().flatMap((id) => readMeta(id) ?? []);
}

/** The record of a change; undefined where it was damaged, or not written completely. */
export function readMeta(id: number): ChangeMeta | undefined {
	const meta = readJson(path.join(folderOf(id), 'meta.json'));
	return isMeta(meta) && meta.id === id ? meta : undefined;
}

/** Whether the record has every field that the program reads without checking. */
function isMeta(value: unknown): value is ChangeMeta {
	const {time, who, summary, connections, keep, undo} = Object(value) as Partial<ChangeMeta>;
	return (
		[time, who, summary].every((text) => typeof text === 'string') &&
		Array.isArray(connections) &&
		[keep, undo].every(
			(keeping) =>
				typeof keeping?.files === 'object' &&
				Array.isArray(keeping.before) &&
				Array.isArray(keeping.after),
		)
	);
}

/**
 * The numbers of all recorded changes, oldest first.
 * @throws {HostError} where others than root could have written it
 */
export function listIds(): readonly number[] {
	assertPrivateInside(STATE_DIR);
	assertPrivate(CHANGES_DIR);
	const ids = (existsSync(CHANGES_DIR) ? readdirSync(CHANGES_DIR) : [])
		.filter((name) => /^\d{1,15}$/.test(name))
		.map(Number)
		.sort((a, b) => a - b);
	for (const id of ids) {
		assertPrivateInside(folderOf(id));
	}

	return ids;
}
