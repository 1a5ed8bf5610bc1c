/** One simple command of a shell script (POSIX.1-2017, 2.9.1), as far as the text shows it. */
export type ShellCommand = {
	/** Counted from 1. */
	readonly line: number;
	/** Without redirections and leading assignments. */
	readonly words: readonly string[];
	/** What it reads: a file (`<`), a text (`<<`), or the output of the command before it (`|`). */
	readonly input?: {readonly file: string} | {readonly text: string} | {readonly from: number};
	/** What stands before it: `||` and `&&` make it depend on the command before. */
	readonly after?: '||' | '&&';
	/** The function in whose body it stands. */
	readonly within?: string;
};

export type ShellScript = {
	readonly commands: readonly ShellCommand[];
	/** Whether the commands are a plain sequence: no conditions, loops, functions or pipes decide what runs. */
	readonly plain: boolean;
};
