import type {Manager} from '../../existing/cleanup-plan.ts';
import type {Translation} from '../../existing/import/result.ts';
import {translateFirewalldHere} from './firewalld-config.ts';
import {translateUfwHere} from './ufw-config.ts';

/** Reads what a firewall manager allows, as openings. */
const READERS: Readonly<Record<Manager, () => Promise<Translation | undefined>>> = {
	ufw: async () => translateUfwHere(),
	firewalld: translateFirewalldHere,
};

/**
 * Reads what the firewall managers that are to be switched off allow, as openings. Exactly one of them
 * must be installed: with two, a packet must pass both, which neither configuration tells alone.
 * @returns undefined where that is not so
 * @throws {HostError} where the files exist, and this process may not read them
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
