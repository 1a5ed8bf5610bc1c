import type {Manager} from '../ruleset/inheritance.ts';
import type {Translation} from '../ruleset/translation.ts';
import {translateUfwHere} from './ufw.ts';

/** How what a manager lets in is read here; firewalld's is not. */
const READERS: Readonly<Partial<Record<Manager, () => Translation | undefined>>> = {
	ufw: translateUfwHere,
};

/**
 * What managers let in that are to be switched off, as openings: of the one that is installed. What
 * gets past two of them neither says alone.
 * @returns undefined where that is not to be had
 * @throws {HostError} where its files are there, and not ours to read
 */
export function readTranslation(
	managers: readonly Manager[],
): {readonly manager: Manager; readonly translation: Translation} | undefined {
	const found = managers.flatMap((manager) => {
		const translation = READERS[manager]?.();
		return translation === undefined ? [] : [{manager, translation}];
	});
	return found.length === 1 ? found[0] : undefined;
}
