import {InputError} from '../lib/errors.ts';
import {checkComment} from '../policy/comment.ts';
import {parseFor, parseUntil} from '../policy/ending.ts';
import {isDiscovery} from '../policy/opening.ts';
import {type EditFlags, editOpenings, readEdit} from './edit-openings.ts';

type OpenFlags = EditFlags & {
	readonly comment?: string;
	readonly for?: string;
	readonly until?: string;
	readonly source?: readonly string[];
};

/** `fw-wizard open`: adds openings to the policy that was applied. @throws {InputError} @throws {HostError} */
export async function open(words: readonly string[], flags: OpenFlags): Promise<string> {
	const comment = flags.comment === undefined ? undefined : checkComment(flags.comment);
	const until = readEnd(flags);
	const {sources, ...edit} = readEdit('open', words, flags.source);
	const openings = edit.openings.map((opening) => {
		if (until !== undefined && isDiscovery(opening)) {
			throw new InputError(`${opening.kind} takes no end`, `Open it without, and close it later`);
		}

		return {
			...opening,
			...(until === undefined ? {} : {until}),
			...(comment === undefined ? {} : {comment}),
		};
	});
	return editOpenings({kind: 'open', openings, sources}, flags);
}

/** When what is opened ends, by the flags. @throws {InputError} */
function readEnd({for: time, until}: OpenFlags): string | undefined {
	if (time !== undefined && until !== undefined) {
		throw new InputError('--for and --until both say when it ends', 'Give one of them');
	}

	return time === undefined ? until && parseUntil(until) : parseFor(time);
}
