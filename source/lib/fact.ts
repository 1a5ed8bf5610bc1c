/** A fact about the world: known, or not known, and why. */
export type Fact<T> =
	| {readonly value: T}
	/** `why` is a clause that is safe to print: "only root can read the rules". */
	| {readonly value: undefined; readonly why: string};

export function known<T>(value: T): Fact<T> {
	return {value};
}

/** @param why a clause that is safe to print */
export function unknown(why: string): Fact<never> {
	return {value: undefined, why};
}

/** Derives a fact from another; where that is not known, this one is not for the same reason. */
export function mapFact<T, U>(fact: Fact<T>, derive: (value: T) => U): Fact<U> {
	return 'why' in fact ? fact : known(derive(fact.value));
}
