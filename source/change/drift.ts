import path from 'node:path';
import {readJson} from '../host/files/read-text.ts';
import type {Saved} from '../host/netfilter/iptables.ts';
import {saveOwn} from '../host/netfilter/own-rules.ts';
import {ownDifferences, ownRules} from '../ruleset/diff.ts';
import type {FamilyRules} from '../ruleset/model.ts';
import {folderOf} from './record.ts';

/** The rules of fw-wizard among those that were read back after loading. */
export function printLoaded(saves: readonly Saved[]): string {
	return JSON.stringify(saves.map(({rules}) => ownRules(rules)));
}

/**
 * Whether the rules of a change are still those that were loaded. Another program may have replaced
 * them, as ifupdown does with those of the last boot; a new login then proves nothing for the change.
 * @returns in one line what differs, if anything does
 * @throws {HostError} when the rules cannot be read
 */
export async function findDrift(id: number): Promise<string | undefined> {
	const loaded = readLoaded(id);
	if (loaded === undefined) {
		return 'Which they were was not written down to its end';
	}

	const found = await Promise.all(
		loaded.map(async (rules) => {
			const {rules: now} = await saveOwn(rules.family);
			return ownDifferences(rules, now);
		}),
	);
	return found.flat()[0];
}

/** The rules of a change as they were read back; undefined where they were not written completely. */
export function readLoaded(id: number): readonly FamilyRules[] | undefined {
	return readJson(path.join(folderOf(id), 'loaded')) as readonly FamilyRules[] | undefined;
}
