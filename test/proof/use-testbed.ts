import {afterAll, beforeAll} from 'vitest';
import type {Interface} from '../../source/host/machine/interfaces.ts';
import type {VantagePoint} from '../../source/ruleset/evaluate-ports.ts';
import {type Testbed, withTestbed} from '../../source/testbed/testbed.ts';

/**
 * Opens one testbed for all tests of a `describe` block, in which this is to be called.
 * @returns what gives it, once the tests run
 */
export function useTestbed(
	interfaces: readonly Interface[],
	vantagePoints: readonly VantagePoint[],
): () => Testbed {
	let testbed: Testbed;
	let close = () => {};
	let closed: Promise<void>;
	beforeAll(async () => {
		await new Promise<void>((resolve, reject) => {
			closed = withTestbed(
				interfaces,
				vantagePoints,
				async (opened) => {
					testbed = opened;
					resolve();
					await new Promise<void>((end) => {
						close = end;
					});
				},
				{beyond: false},
			);
			closed.catch(reject);
		});
	});
	afterAll(async () => {
		close();
		await closed;
	});
	return () => testbed;
}
