import type {Family} from '../lib/network.ts';
import {parseSave} from '../ruleset/parse-save.ts';
import {describeCleanup, withoutRemoved} from './cleanup-format.ts';
import {type Cleanup, type Existing, planCleanup} from './cleanup-plan.ts';

/** A file in the format of iptables-save from which something restores rules at boot. */
export type SavedRules = {readonly file: string; readonly family: Family; readonly text: string};

/** What a change takes out of such a file, so that the removed rules do not come back at the next boot. */
export type SavedEdit = {
	readonly file: string;
	/** The file without them. */
	readonly text: string;
	readonly cleanup: Cleanup;
};

/** What the same decision that removes rules from the kernel removes from the files; nothing where all stay. */
export function planSavedEdits(
	saved: readonly SavedRules[],
	{mode, switchOff}: Existing,
): readonly SavedEdit[] {
	return saved.flatMap(({file, family, text}) => {
		const plain = text.replaceAll(COUNTERS, '');
		const snapshot = {...{family, backend: 'nft' as const, inUse: true}, text: plain};
		const [cleanup] = planCleanup(
			[{...snapshot, rules: parseSave(plain, family)}],
			...([mode, switchOff] as const),
		).cleanups;
		return cleanup === undefined ? [] : [{file, cleanup, text: withoutCleanup(text, cleanup)}];
	});
}

const COUNTERS = /^\[\d+:\d+\] (?=-A )/gm;

function withoutCleanup(text: string, cleanup: Cleanup): string {
	return text.replaceAll(/^\*filter\s*\n[\s\S]*?^COMMIT\s*$/gm, (table) =>
		withoutRemoved(table.split('\n'), cleanup).join('\n'),
	);
}

/** `/etc/iptables/rules.v4: IPv4: 5 rules of INPUT` */
export function describeSavedEdit({file, cleanup}: SavedEdit): string {
	return `${file}: ${describeCleanup(cleanup)}`;
}
