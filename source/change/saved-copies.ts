import {realpathSync, statSync} from 'node:fs';
import {writeWhole} from '../host/files/atomic-write.ts';
import {readText} from '../host/files/read-text.ts';
import {OWN_PREFIX} from '../ruleset/model.ts';
import {NFTABLES_FILES, RULE_LOADERS} from '../services/known-programs/firewalls.ts';

/** Files of other services with rules of ours in them, which those would load again at the next boot. */
export type SavedCopies = {
	/** From these, our rules were taken out. */
	readonly cleaned: readonly string[];
	/** In these they still are: in another format, or not to be written. */
	readonly left: readonly string[];
};

/** Takes our rules out of what others have saved while they were loaded, as netfilter-persistent(8) does. */
export function cleanSavedCopies(): SavedCopies {
	const files = [...RULE_LOADERS.flatMap((loader) => loader.files), ...NFTABLES_FILES];
	const found = [...new Set(files)].filter((file) => readText(file)?.includes(OWN_PREFIX));
	const cleaned = found.filter(clean);
	return {cleaned, left: found.filter((file) => !cleaned.includes(file))};
}

function clean(file: string): boolean {
	const text = readText(file) ?? '';
	const rest = withoutOwnRules(text);
	// Bytes that are no UTF-8 would be written as other ones.
	if (rest.includes(OWN_PREFIX) || text.includes('\uFFFD')) {
		return false;
	}

	try {
		const real = realpathSync(file);
		writeWhole(real, rest, statSync(real).mode & 0o777);
		return true;
	} catch {
		return false;
	}
}

/** A save of iptables-save(8), with counters or without, less our chains and the rules that lead to them. */
export function withoutOwnRules(save: string): string {
	return save
		.split('\n')
		.filter((line) => !OWN_LINE.test(line))
		.join('\n');
}

const OWN_LINE = new RegExp(
	`^(?::${OWN_PREFIX}|(?:\\[\\d+:\\d+\\] )?-A (?:${OWN_PREFIX}|.* -[jg] ${OWN_PREFIX}\\S+$))`,
);
