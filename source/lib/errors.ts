/**
 * The user's input cannot be used. `message` says in one line what is wrong, `hint` in one line
 * what to write instead. Both are safe to print.
 */
export class InputError extends Error {
	override readonly name = 'InputError';

	constructor(
		message: string,
		readonly hint: string,
	) {
		super(message);
	}
}
