import type {Opening} from '../policy/port.ts';
import type {Existing} from '../ruleset/inheritance.ts';

/** A way to deal with rules that are there already. */
export type NeighbourChoice = {
	readonly label: string;
	/** What goes and what that breaks, one line each. */
	readonly means: readonly string[];
	/** What becomes of them; undefined: the wizard ends. */
	readonly existing: Existing | undefined;
	/** Where the policy starts: what the neighbour let in. */
	readonly openings: readonly Opening[];
	/** Why it cannot be chosen here. */
	readonly refusal: string | undefined;
};
