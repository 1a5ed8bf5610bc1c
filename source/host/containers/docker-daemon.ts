import {existsSync} from 'node:fs';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {parseJson} from '../../lib/json.ts';
import {readText} from '../files/read-text.ts';

const SOCKET = '/run/docker.sock';

/** To connect to a socket of systemd would start a daemon that its owner has stopped. */
const PID_FILES = ['/run/docker.pid', '/var/snap/docker/current/run/docker.pid'];

/** Names are no reason to wait for a daemon that hangs. */
const TIMEOUT_MS = 300;

/**
 * What the daemon of Docker answers to some questions, in their order: `['/networks']`.
 * @returns undefined for each question where no daemon runs, it may not be asked, or does not answer in time
 */
export async function askDocker(questions: readonly string[]): Promise<readonly unknown[]> {
	const runs = PID_FILES.some((file) => {
		const pid = readText(file)?.trim() ?? '';
		return /^\d+$/.test(pid) && existsSync(`/proc/${pid}`);
	});
	if (!runs) {
		return questions.map(() => undefined);
	}

	// What is bundled cannot import a module of Node's own later.
	const http = process.getBuiltinModule('node:http');
	const cancel = new AbortController();
	const {signal} = cancel;
	const ask = async (question: string): Promise<unknown> =>
		new Promise((resolve) => {
			const options = {socketPath: SOCKET, path: question, agent: false, signal};
			const request = http.get(options, (answer) => {
				let text = '';
				answer.setEncoding('utf8');
				answer.on('data', (part) => {
					text += part;
				});
				answer.on('error', () => resolve(undefined));
				answer.on('end', () => resolve(answer.statusCode === 200 ? parseJson(text) : undefined));
			});
			request.on('error', () => resolve(undefined));
		});
	const answers = questions.map(ask);
	await Promise.race([Promise.all(answers), delay(TIMEOUT_MS, undefined, {ref: false})]);
	cancel.abort();
	return Promise.all(answers);
}
