import process from 'node:process';

/**
 * The words that start this program again, without its arguments. The paths are absolute, since
 * neither root's PATH nor another namespace need have the Node that runs it. The stand-alone binary
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
 * The script to start, or undefined for the stand-alone binary, whose own file name is the binary
 * (Node's documentation, "Single executable applications"). The bundle is one file and knows its
 * name. Tests run this from the sources, and then start the bundle that lies beside them.
 */
function scriptOf(file: string): string | undefined {
	if (file === process.execPath) {
		return undefined;
	}

	return file.endsWith('.js') ? file : new URL('../../../build/cli.js', import.meta.url).pathname;
}
