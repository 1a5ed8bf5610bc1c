import {type EditFlags, editOpenings, readEdit} from './edit-openings.ts';

/** `fw-wizard close`: takes ports from the policy that was applied. @throws {InputError} @throws {HostError} */
export async function close(words: readonly string[], flags: EditFlags): Promise<string> {
	return editOpenings(readEdit('close', words), flags);
}
