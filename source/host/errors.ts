/**
 * Something that cannot be done on this machine, or went wrong on the way. `message` says in one
 * line what happened, `hint` in one line what to do. Both must be safe to print.
 */
export class HostError extends Error {
	override readonly name: string = 'HostError';
	/** 1 a difference was found, 3 not possible here, 4 the change was rolled back. */
	readonly exitCode: 1 | 3 | 4;

	constructor(
		message: string,
		readonly hint: string,
		exitCode: 1 | 3 | 4 = 3,
	) {
		super(message);
		this.exitCode = exitCode;
	}
}
