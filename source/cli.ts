import process from 'node:process';
import {complainAboutNode} from './host/machine/node-version.ts';

void start();

/** Loads no more than is needed, and nothing with a Node that could not. */
async function start(): Promise<void> {
	const complaint = complainAboutNode(FW_WIZARD_NODE, process.versions.node);
	if (complaint !== undefined) {
		process.stderr.write(`${complaint}\n`);
		process.exitCode = 3;
		return;
	}

	if (process.argv.length === 3 && process.argv[2] === '--version') {
		process.stdout.write(`${FW_WIZARD_VERSION}\n`);
		return;
	}

	// The far end of a proof needs nothing of the rest, and starts faster without it.
	if (process.argv[2] === '__agent') {
		const {serveAgent} = await import('./testbed/agent.ts');
		await serveAgent();
	} else {
		const {main} = await import('./commands/main.ts');
		// Not only set: a proof that runs on behind the wizard must not keep the program alive.
		process.exit(await main(process.argv, async () => import('./ui/start.ts')));
	}
}
