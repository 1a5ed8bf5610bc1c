import type {Command} from 'commander';
import type {Act} from './run-action.ts';

/** A command of the program. */
export type CommandShape = {
	readonly name: string;
	readonly description: string;
	/**
	 * What it does. Its code is loaded when it runs, since the code of all of them takes longer to load than a rule
	 * set takes to make.
	 */
	readonly action: Parameters<Act>[1];
	/** Gives it its arguments and flags. Absent: it has none. */
	readonly shape?: (command: Command) => Command;
};
