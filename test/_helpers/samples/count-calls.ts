import {type Profiler, Session} from 'node:inspector';

/**
 * How often functions of the code under source/ are called while something runs, callbacks of array
 * methods included. V8 counts them as it does for coverage, so that on a busy machine the number is
 * the same. Work within a built-in function (a regular expression, a sort) is not counted.
 */
export function countCalls(run: () => void): number {
	const session = new Session();
	session.connect();
	try {
		session.post('Profiler.enable');
		// Counts of blocks would be lower than they are in code that V8 has already optimised.
		session.post('Profiler.startPreciseCoverage', {callCount: true, detailed: false});
		// Throws away the counts of what ran before.
		session.post('Profiler.takePreciseCoverage');
		run();
		let calls = 0;
		session.post('Profiler.takePreciseCoverage', (error, coverage) => {
			if (error) {
				throw error;
			}

			calls = sumOf(coverage);
		});
		return calls;
	} finally {
		session.post('Profiler.stopPreciseCoverage');
		session.disconnect();
	}
}

function sumOf({result}: Profiler.TakePreciseCoverageReturnType): number {
	return result
		.filter(({url}) => url.includes('/source/'))
		.flatMap(({functions}) => functions.flatMap(({ranges}) => ranges))
		.reduce((sum, {count}) => sum + count, 0);
}
