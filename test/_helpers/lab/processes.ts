import {readFileSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {parentOf} from '../../../source/host/sockets/processes.ts';
import type {Host} from './namespaces.ts';
import {succeed} from './programs.ts';

type Process = {readonly pid: number; readonly title: string};

/** What runs on a machine of the test now. */
export async function processesOf(host: Host): Promise<readonly Process[]> {
	const pids = await succeed(['ip', 'netns', 'pids', host.name]);
	return pids
		.split('\n')
		.filter(Boolean)
		.map((pid) => ({pid: Number(pid), title: titleOf(pid)}))
		.filter(({title}) => title !== '');
}

/**
 * The one process whose command line, or title, matches. A child of it that matches too is the same
 * program still: it was forked, and has not begun another one yet.
 * @throws {Error} when there is none, or two
 */
export async function processOf(host: Host, wanted: RegExp): Promise<number> {
	const processes = await processesOf(host);
	const matching = processes.filter(({title}) => wanted.test(title));
	const pids = matching.map(({pid}) => pid);
	const [found, ...more] = matching.filter(({pid}) => !pids.includes(parentOf(pid) ?? 0));
	if (found === undefined || more.length > 0) {
		throw new Error(
			`${found ? 'more than one' : 'no'} ${wanted} among\n${processes.map(({title}) => title).join('\n')}`,
		);
	}

	return found.pid;
}

/** The processes that still run after the patience, in milliseconds, but for the expected ones. */
export async function whatStays(
	host: Host,
	expected = /^$/,
	patience = 5000,
): Promise<readonly string[]> {
	const end = performance.now() + patience;
	for (;;) {
		const titles = (await processesOf(host)).map(({title}) => title);
		const rest = titles.filter((title) => !expected.test(title));
		if (rest.length === 0 || performance.now() > end) {
			return rest;
		}

		await delay(100);
	}
}

function titleOf(pid: string): string {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
	} catch {
		return '';
	}
}
