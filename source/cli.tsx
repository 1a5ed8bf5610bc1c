import process from 'node:process';

// The far end of a proof needs nothing of the rest, and starts faster without it.
if (process.argv[2] === '__agent') {
	const {serveAgent} = await import('./proof/agent.ts');
	await serveAgent();
} else {
	const {main} = await import('./commands/main.ts');
	// Not only set: a proof that runs on behind the wizard must not keep the program alive.
	process.exit(await main(process.argv));
}
