import process from 'node:process';
import type {StartedChange} from '../app/start-change.ts';
import {waitForDecision} from '../app/wait-for-decision.ts';
import {NEW_CONNECTION} from '../change/confirm-time.ts';
import {loginElsewhere} from '../host/exec/invocation.ts';
import {commandLine} from '../lib/command-line.ts';

/** Milliseconds between two looks for news: a login, or a result. */
const NEWS_EVERY_MS = 500;

/**
 * Waits until the change is confirmed or rolled back in another session. Ctrl-C rolls it back.
 * @param seconds until it is rolled back
 * @param announcement what is printed before how it is confirmed
 * @throws {HostError} where it is rolled back
 */
export async function waitInTerminal(
	change: StartedChange,
	seconds: number,
	announcement: string,
): Promise<void> {
	const interruption = new AbortController();
	const interrupt = () => interruption.abort();
	process.on('SIGINT', interrupt);
	// Only now: whoever reads it may press Ctrl-C at once.
	process.stderr.write(
		`${announcement}The old rules are restored in ${seconds} s. To keep these, ${howToConfirm()}\n`,
	);
	const report = setInterval(reportNews(change), NEWS_EVERY_MS);
	try {
		await waitForDecision(change, {
			interrupted: interruption.signal,
			onRetry: () => process.stderr.write('Rolling back has failed; it is tried again\n'),
		});
	} finally {
		process.off('SIGINT', interrupt);
		clearInterval(report);
		await change.release();
	}
}

/** With --host the command itself is a new login: it never shares the connection of another one. */
function howToConfirm(): string {
	return loginElsewhere() === undefined
		? `log in again and run: ${commandLine('confirm')}\nWhere ssh shares connections (ControlMaster), log in with: ${NEW_CONNECTION}`
		: `run in a second terminal: ${commandLine('confirm')}`;
}

/** @returns a function that names each login once that was made since the rules were loaded */
function reportNews(change: StartedChange): () => void {
	const reported = new Set<string>();
	return () => {
		const {logins, doubt} = change.look();
		const lines = [
			...logins.map((address) => `New login from ${address} seen: you can log in again.`),
			...(doubt === undefined ? [] : [`A login was seen. ${doubt}.`]),
		];
		for (const line of lines.filter((candidate) => !reported.has(candidate))) {
			reported.add(line);
			process.stderr.write(`${line}\n`);
		}
	};
}
