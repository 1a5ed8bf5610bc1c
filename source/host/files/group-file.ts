import {statSync} from 'node:fs';
import process from 'node:process';
import {describeError, InputError} from '../../lib/errors.ts';
import {printable} from '../../lib/printable.ts';
import {quoteIfNeeded} from '../../lib/shell-quote.ts';
import {makeGroup, parseGroupFile, type SourceGroup} from '../../policy/sources.ts';
import {isRehearsal} from '../rehearsal/is-rehearsal.ts';
import {readAtMost} from './atomic-write.ts';
import {findUntrusted} from './trust.ts';

/** A list of 20,000 networks of IPv6 is smaller. */
const GROUP_BYTES = 1e6;

/** The group whose networks a file has. @throws {InputError} as `readGroupFile`, and for a line that is no network */
export function readGroup(name: string, file: string): SourceGroup {
	return makeGroup(name, parseGroupFile(readGroupFile(file), file), file);
}

/**
 * The text of a file with the networks of a group of sources.
 * @param file absolute
 * @throws {InputError} where it cannot be read, is no regular file, has over 1 MB, or where root would open ports by
 * what others can write
 */
export function readGroupFile(file: string): string {
	try {
		if (!statSync(file).isFile()) {
			throw new InputError(
				`${printable(file, 200)} is no regular file: it is no list of a group of sources`,
				'Give a file with one network a line',
			);
		}

		assertRoots(file);
		return readAtMost(file, GROUP_BYTES);
	} catch (error) {
		throw error instanceof InputError
			? error
			: new InputError(
					`The list of a group of sources cannot be read: ${describeError(error, file)}`,
					'Restore it, or name the networks: --source NAME=192.0.2.0/24,2001:db8::/32',
				);
	}
}

/** @throws {InputError} where root would believe what others can write. An ordinary user changes no firewall. */
function assertRoots(file: string): void {
	const untrusted = process.geteuid?.() === 0 && !isRehearsal() ? findUntrusted(file) : undefined;
	if (untrusted !== undefined) {
		const name = printable(untrusted.file, 200);
		throw new InputError(
			`${name} ${untrusted.fault}: others could open ports by it`,
			`If that is a mistake: chown root: ${quoteIfNeeded(name)} && chmod go-w ${quoteIfNeeded(name)}`,
		);
	}
}
