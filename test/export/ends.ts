import fc from 'fast-check';
import {isDiscovery, type Opening} from '../../source/policy/opening.ts';
import type {Policy} from '../../source/policy/policy.ts';

const ENDS = ['2037-12-31T23:59:59Z', '2020-01-01T00:00:00Z', undefined, undefined];

/** The same policies with some openings that end in the far future, and some that have ended. */
export function withEnds(policies: fc.Arbitrary<Policy>): fc.Arbitrary<Policy> {
	return fc.tuple(policies, fc.array(fc.constantFrom(...ENDS), {minLength: 9})).map(
		([policy, ends]): Policy => ({
			...policy,
			openings: policy.openings.map((opening, index): Opening => {
				const until = ends[index % ends.length];
				return until === undefined || isDiscovery(opening) ? opening : {...opening, until};
			}),
		}),
	);
}
