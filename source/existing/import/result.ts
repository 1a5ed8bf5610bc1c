import type {Opening} from '../../policy/opening.ts';
import type {Verdict} from '../../policy/policy.ts';

/** A rule, or a part of one, that openings cannot express; it stays shut, or is no longer enforced. */
export type Untranslatable = {
	/** The rule, as its own program writes it. */
	readonly text: string;
	/** Why, and what becomes of it. */
	readonly why: string;
	/** Openings that let it in, and with it what the other firewall kept out: for the user to choose. */
	readonly wider?: readonly Opening[];
};

/** What another firewall lets in, as a starting point for a policy. Never more than it did. All text is printable. */
export type Translation = {
	readonly openings: readonly Opening[];
	/** The verdict that comes nearest to what it does with the rest. */
	readonly verdict: Verdict;
	/** Whether it logs what it turns away. */
	readonly log: boolean;
	readonly untranslatable: readonly Untranslatable[];
	/** Small differences that open no port, one sentence each. */
	readonly remarks: readonly string[];
};

/** Each said once: most rules are there for both families. */
export function unique(all: readonly Untranslatable[]): readonly Untranslatable[] {
	return [...new Map(all.map((one) => [`${one.text}\n${one.why}`, one])).values()];
}
