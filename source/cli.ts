import {writeSync} from 'node:fs';
import process from 'node:process';
import {findInvocation} from './host/exec/invocation.ts';
import {complainAboutNode} from './host/machine/node-version.ts';
import {setInvocation} from './lib/command-line.ts';

void start();

/** A reader that went away, as `head` does, ends no change half-way. What is printed after that is lost. */
function ignoreClosed(error: NodeJS.ErrnoException): void {
	if (error.code !== 'EPIPE') {
		throw error;
	}
}

/** Loads no more than is needed, and nothing with a Node that could not. */
async function start(): Promise<void> {
	const complaint = complainAboutNode(FW_WIZARD_NODE, process.versions.node);
	const asksVersion = process.argv.length === 3 && /^(?:--version|-V)$/.test(process.argv[2] ?? '');
	if (complaint === undefined && asksVersion && isWritten(`${FW_WIZARD_VERSION}\n`)) {
		return;
	}

	for (const stream of [process.stdout, process.stderr]) {
		stream.on('error', ignoreClosed);
	}

	if (complaint !== undefined) {
		process.stderr.write(`${complaint}\n`);
		process.exitCode = 3;
		return;
	}

	// The far end of a proof needs nothing of the rest, and starts faster without it.
	if (process.argv[2] === '__agent') {
		const {serveAgent} = await import('./testbed/agent.ts');
		await serveAgent();
	} else {
		setInvocation(findInvocation);
		const {main} = await import('./commands/main.ts');
		const code = await main(process.argv, async () => import('./ui/start.ts'));
		await writeOut();
		// Not only set: a proof that runs on behind the wizard must not keep the program alive.
		process.exit(code);
	}
}

/** Without a stream, which takes longer to load than a file this small to print. */
function isWritten(text: string): boolean {
	try {
		return writeSync(1, text) === text.length;
	} catch {
		return false;
	}
}

/** Waits until standard output has all that was printed: a pipe takes 64 KiB at once (pipe(7)). */
async function writeOut(): Promise<void> {
	await new Promise((resolve) => {
		// Its reader has closed it.
		process.stdout.once('error', resolve);
		process.stdout.write('', resolve);
	});
}
