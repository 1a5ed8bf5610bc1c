import type {Manager} from '../../existing/cleanup-plan.ts';
import type {Translation} from '../../existing/import/result.ts';
import {translateFirewalldHere} from './firewalld-config.ts';
import {translateUfwHere} from './ufw-config.ts';

/** How what a manager lets in is read here. */
const READERS: Readonly<Record<Manager, () => Promise<Translation | undefined>>> = {
	ufw: translateUfwHere,
	firewalld: translateFirewalldHere,
};

/**
 * What managers let in that are to be switched off, as openings: of the one that is installed. What
 * gets past two of them neither says alone.
 * @returns undefined where that is not to be had
 * @throws {HostError} where its files are there, and not ours to read
 */
export async function readTranslation(
	managers: readonly Manager[],
): Promise<{readonly manager: Manager; readonly translation: Translation} | undefined> {
	const all = await Promise.all(
		managers.map(async (manager) => ({manager, translation: await READERS[manager]()})),
	);
	const found = all.flatMap(({manager, translation}) =>
		translation === undefined ? [] : [{manager, translation}],
	);
	return found.length === 1 ? found[0] : undefined;
}
