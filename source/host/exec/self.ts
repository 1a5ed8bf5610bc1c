import process from 'node:process';

/**
 * How this very program is started again: its words up to the arguments. By absolute paths, since
 * neither root's PATH nor another namespace need know the Node that runs it. The stand-alone binary
 * has no script: it is Node and program in one.
 */
export function selfCommand(): readonly string[] {
	const script = scriptOf(import.meta.filename);
	return script === undefined
		? [process.execPath]
		: [process.execPath, ...process.execArgv, script];
}

/** The arguments that this program was started with. */
export function ownArguments(): readonly string[] {
	// The binary gives its own name in place of a script.
	return process.argv.slice(2);
}

/**
 * The bundle is one file, and knows its name. That of the stand-alone binary is the binary itself
 * (Node's documentation, "Single executable applications"). Run from the sources, as in tests, the
 * bundle lies beside them.
 */
function scriptOf(file: string): string | undefined {
	if (file === process.execPath) {
		return undefined;
	}

	return file.endsWith('.js') ? file : new URL('../../../build/cli.js', import.meta.url).pathname;
}
