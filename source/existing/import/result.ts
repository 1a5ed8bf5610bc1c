import type {Network} from '../../lib/network.ts';
import type {Opening} from '../../policy/opening.ts';
import type {Verdict} from '../../policy/policy.ts';

/** A rule, or a part of one, that openings cannot express. */
export type Untranslatable = {
	/** The rule in the words of its own program. */
	readonly text: string;
	/** The reason, and what happens to these packets now. */
	readonly why: string;
	/**
	 * What changes where the other firewall is switched off: packets that it blocked pass, or packets that
	 * it allowed are blocked. The user must accept that. Absent: nothing that matters.
	 */
	readonly effect?: 'opens' | 'closes';
	/** It is not about connections to this machine: it is lost whatever the user opens. */
	readonly elsewhere?: true;
	/** Openings that allow it, but also some of what the other firewall blocked: the user may choose them. */
	readonly wider?: readonly Opening[];
};

/**
 * What another firewall allows, as a start for a policy. What it allows beyond that is named. All text
 * is printable.
 */
export type Translation = {
	readonly openings: readonly Opening[];
	/** Addresses that it denies everything, ahead of what it allows. */
	readonly blocked?: readonly Network[];
	/** The verdict most like what that firewall does with all other packets. */
	readonly verdict: Verdict;
	/** Whether it logs packets that it blocks. */
	readonly log: boolean;
	readonly untranslatable: readonly Untranslatable[];
	/** Small differences that open no port, one sentence each. */
	readonly remarks: readonly string[];
};

/** Each one once: most rules exist for both families. */
export function unique(all: readonly Untranslatable[]): readonly Untranslatable[] {
	return [...new Map(all.map((one) => [`${one.text}\n${one.why}`, one])).values()];
}
