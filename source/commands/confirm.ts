import {confirmChange} from '../app/confirm-change.ts';
import {requireRoot} from './require-root.ts';

/**
 * `fw-wizard confirm`: confirms the change that waits.
 * @param word `keep` confirms also from a session that does not show that a login is possible
 * @throws {HostError} with exit code 1 where no change waits
 */
export async function confirm(
	word: string | undefined,
	flags: {readonly json?: boolean},
): Promise<string> {
	requireRoot('confirm');
	const {id, summary} = await confirmChange(word === 'keep');
	return flags.json
		? `${JSON.stringify({confirmed: true, change: id})}\n`
		: `Confirmed change ${id}: ${summary}\n`;
}
