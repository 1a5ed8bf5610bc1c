import {expect} from 'vitest';
import {InputError} from '../../../source/lib/errors.ts';

/** What must never reach a terminal from another's text: controls, invisible and bidirectional characters. */
export const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{NChar}]/u;

/** The error that `use` throws: an InputError of two safe lines. Fails when there is none, or another. */
export function inputErrorOf(use: () => unknown): InputError {
	let error: unknown;
	try {
		use();
	} catch (caught) {
		error = caught;
	}

	expect(error, 'an InputError').toBeInstanceOf(InputError);
	const {message, hint} = error as InputError;
	for (const line of [message, hint]) {
		expect(line).not.toBe('');
		expect(line).not.toMatch(UNSAFE);
		expect(line).not.toContain('undefined');
		expect(line.length).toBeLessThan(260);
	}

	return error as InputError;
}
