import type {AnswerFacts} from '../../../source/app/discover.ts';
import {type Fact, known} from '../../../source/lib/fact.ts';
import {NOTHING_KNOWN} from '../../../source/ui/state/state.ts';

type ValueOf<F> = F extends Fact<infer Value> ? Value : never;
type Values = {readonly [Name in keyof AnswerFacts]?: ValueOf<AnswerFacts[Name]>};

/** The facts that answers depend on, of which these values are known. */
export function factsKnown(values: Values): AnswerFacts {
	const facts = Object.entries(values).map(([name, value]) => [name, known(value)]);
	return {...NOTHING_KNOWN, ...Object.fromEntries(facts)};
}
