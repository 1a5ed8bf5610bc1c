import {quote} from './shell-quote.ts';

/** What makes root of an ordinary user. */
export type Elevation = 'sudo' | 'su';

/** How a person starts this program from a shell. */
export type Invocation = {
	/** The words before the arguments: `fw-wizard`, or what works where that is not in the PATH. */
	readonly program: string;
	/** What the person must put before it to become root; undefined for root. */
	readonly elevation?: Elevation | undefined;
};

/** The commands that only root can use. */
const FOR_ROOT = new Set('apply check close confirm log open report undo watch'.split(' '));

let find = (): Invocation => ({program: 'fw-wizard'});
let invocation: Invocation | undefined;

/** Says how to find out how this program is started, once it is to be printed. */
export function setInvocation(toFind: () => Invocation): void {
	find = toFind;
}

function invoked(): Invocation {
	invocation ??= find();
	return invocation;
}

/**
 * A command of this program as it works when the reader types it, in this session or in a new one.
 * @param args what follows the program's name, as in `undo --list`; none for the wizard
 */
export function commandLine(args = ''): string {
	const [name = ''] = args.split(' ', 1);
	return FOR_ROOT.has(name) ? rootCommandLine(args) : plainCommandLine(args);
}

/** The same for a command that only root can use. */
export function rootCommandLine(args: string): string {
	const command = plainCommandLine(args);
	switch (invoked().elevation) {
		case 'sudo':
			return `sudo ${command}`;
		case 'su':
			return `su -c ${quote(command)}`;
		default:
			return command;
	}
}

function plainCommandLine(args: string): string {
	return `${invoked().program} ${args}`.trimEnd();
}
