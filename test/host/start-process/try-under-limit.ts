import process from 'node:process';
import {converse, hold, runDetached} from '../../../source/host/exec/background.ts';
import {run} from '../../../source/host/exec/run.ts';
import {runAttached} from '../../../source/host/exec/run-attached.ts';

/** Started with the word of prlimit(1) that lowers a limit of this process, as in --nofile=3: */
const [, , limit = ''] = process.argv;

async function messageOf(action: () => Promise<unknown>): Promise<unknown> {
	try {
		return await action();
	} catch (error) {
		return error instanceof Error ? {thrown: error.message} : error;
	}
}

async function converseToEnd(): Promise<unknown> {
	return new Promise((resolve) => {
		const talk = converse(
			'cat',
			[],
			(line) => {
				resolve({line});
				void talk.end();
			},
			(failure) => resolve({failure}),
		);
		talk.send('hello');
	});
}

const {status, stderr} = await run('prlimit', ['--pid', `${process.pid}`, limit]);
if (status !== 0) {
	throw new Error(stderr);
}

const found = {
	run: await messageOf(async () => run('cat', [])),
	together: await messageOf(async () =>
		Promise.all(Array.from({length: 12}, async () => (await run('cat', [])).stderr)),
	),
	hold: await messageOf(async () => {
		const held = await hold('env', []);
		await (typeof held === 'string' ? undefined : held.release());
		return held;
	}),
	converse: await converseToEnd(),
	detached: await messageOf(async () => runDetached('sh', ['-c', 'echo; exec sleep 1'], 5000)),
	attached: await messageOf(async () => runAttached('true', [])),
};
process.stdout.write(`${JSON.stringify(found)}\n`);
