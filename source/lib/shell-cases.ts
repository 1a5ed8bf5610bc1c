import {globToRegExp} from './glob.ts';
import {UNKNOWN} from './shell-words.ts';

type Case = {
	readonly subject: string;
	matched: boolean;
	/** Whether the commands of the branch that is read are run, as far as that is known. */
	active: boolean;
	inPattern: boolean;
};

/** The `case` commands that a reader of a shell script is in, one in another. */
export class ShellCases {
	readonly #open: Case[] = [];

	begin(subject: string): void {
		this.#open.push({subject, matched: false, active: false, inPattern: true});
	}

	end(): void {
		this.#open.pop();
	}

	/** Whether the next words are patterns. */
	get inPattern(): boolean {
		return this.#open.at(-1)?.inPattern ?? false;
	}

	/** Whether the commands here are in a branch that is not chosen. */
	get isSkipped(): boolean {
		return this.#open.some(({active, inPattern}) => !active && !inPattern);
	}

	endBranch(): void {
		const current = this.#open.at(-1);
		if (current) {
			current.inPattern = true;
		}
	}

	/** The first branch that matches is chosen; of an unknown word, any may be. */
	beginBranch(patterns: readonly string[]): void {
		const current = this.#open.at(-1);
		if (!current) {
			return;
		}

		const isKnown = !current.subject.includes(UNKNOWN);
		const matches =
			!isKnown ||
			patterns.some((one) => globToRegExp(one.replaceAll(UNKNOWN, '*')).test(current.subject));
		current.active = matches && !(current.matched && isKnown);
		current.matched ||= matches;
		current.inPattern = false;
	}
}
