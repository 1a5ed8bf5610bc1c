import {describeError} from '../../lib/errors.ts';
import type {Fact} from '../../lib/fact.ts';
import {known, unknown} from '../../lib/fact.ts';
import {yieldToEventLoop} from '../exec/yield.ts';

/** Milliseconds after which a fact is given up, however long it would take. */
export const FACT_TIMEOUT_MS = 3000;

/**
 * Looks for a fact. Never throws: where that fails, or takes too long, the fact is not known, and the
 * error says why.
 */
export async function findFact<T>(find: () => Promise<T>): Promise<Fact<T>> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<Fact<T>>((resolve) => {
		const seconds = FACT_TIMEOUT_MS / 1000;
		timer = setTimeout(() => resolve(unknown(`no answer within ${seconds} s`)), FACT_TIMEOUT_MS);
	});
	try {
		return await Promise.race([yieldToEventLoop().then(find).then(known), late]);
	} catch (error) {
		return unknown(describeError(error));
	} finally {
		clearTimeout(timer);
	}
}
