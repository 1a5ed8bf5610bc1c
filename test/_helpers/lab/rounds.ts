import process from 'node:process';

/**
 * How often a test repeats what it does: `few` in the usual run, `all` in the long one, which takes
 * hours: FWW_ROUNDS=all npm test, or npm run test:long for those tests alone.
 */
export function rounds(few: number, all: number): number {
	return process.env.FWW_ROUNDS === 'all' ? all : few;
}
