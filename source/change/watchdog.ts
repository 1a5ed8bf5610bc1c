import {readFileSync} from 'node:fs';
import {runDetached} from '../host/exec/background.ts';
import {type RunResult, run} from '../host/exec/run.ts';
import {isFileOfSystemd, wayToSystemd} from '../host/machine/systemd.ts';
import {HostError} from '../lib/errors.ts';
import {scriptOf} from './record.ts';

/**
 * Milliseconds that systemd may take to stop a timer: a PID 1 that hangs must not delay a roll
 * back.
 */
const SYSTEMD_TIMEOUT_MS = 3000;
/**
 * Milliseconds that it may take to arm the timer, and the process to start all that it needs. A PID 1
 * that is only busy gets the time: without the timer a change does not survive the end of its login.
 * Nothing is loaded before.
 */
const ARMING_TIMEOUT_MS = 8000;

/**
 * The timer survives `systemctl isolate` (systemd.unit(5)), also where that stops sysinit.target, on
 * which units depend by default. The service is started again where systemd could not start it
 * ("resources") or where it fails (systemd.service(5)). It carries the script with it, which it so runs
 * also where the folder of the change is removed.
 */
const LASTING = [
	...['IgnoreOnIsolate=yes', 'DefaultDependencies=no'].flatMap((property) => [
		`--timer-property=${property}`,
		`--property=${property}`,
	]),
	...['--property=Restart=on-failure', '--property=RestartSec=2'],
	'--property=StartLimitIntervalSec=0',
];

/** The process of a change that rolls it back when its time is over. */
export type Watchdog = {
	/** Starts it again, with so many seconds, where it has ended before it was told to. */
	readonly revive: (seconds: number) => Promise<void>;
};

/**
 * Has a change rolled back after `seconds` unless it is kept, whatever happens to this program, its
 * terminal and the SSH session. Two watchdogs do it, and either is enough: a process in a session of
 * its own, and a timer of systemd. The timer survives also what ends all processes of a login
 * (`loginctl terminate-user`, KillUserProcesses=); the process survives a PID 1 that hangs.
 * @throws {HostError} where the process cannot be started; nothing was touched
 */
export async function armWatchdog(id: number, seconds: number): Promise<Watchdog> {
	const start = async (rest: number) =>
		runDetached('sh', [scriptOf(id), 'wait', `${rest}`], ARMING_TIMEOUT_MS);
	const [started] = await Promise.all([start(seconds), armTimer(id, seconds)]);
	if (typeof started === 'string') {
		throw new HostError(
			`The watchdog that would roll back does not run: ${started}`,
			'Nothing was changed. See whether /bin/sh works',
		);
	}

	let running = started;
	return {
		async revive(rest) {
			if (running.hasEnded()) {
				const again = await start(rest);
				running = typeof again === 'string' ? running : again;
			}
		},
	};
}

async function armTimer(id: number, seconds: number): Promise<void> {
	if (!isFileOfSystemd(scriptOf(id))) {
		return;
	}

	const start = async (properties: readonly string[], words: readonly string[]) =>
		askSystemd(
			'systemd-run',
			[
				...['--quiet', '--collect', `--unit=${unitOf(id)}`, `--on-active=${seconds}s`],
				...['--timer-property=AccuracySec=100ms', ...properties],
				...['/bin/sh', ...words],
			],
			ARMING_TIMEOUT_MS,
		);
	const result = await start([...LASTING, ...carry(readFileSync(scriptOf(id)))], ['-s', 'fire']);
	// Old versions of systemd refuse properties that they do not know.
	if (result && result.status !== 0 && result.failure !== 'not ended') {
		await start([], [scriptOf(id), 'fire']);
	}
}

/**
 * Bytes of the script in one property: a multiple of 3, for base64, and less in base64 than the
 * 128 KiB that execve(2) takes as one argument.
 */
const PART_BYTES = 90_000;

/** The properties that give a script to the service as its input, which the manager keeps in memory. */
function carry(script: Buffer): readonly string[] {
	const parts = Array.from({length: Math.ceil(script.length / PART_BYTES)}, (_, index) =>
		script.subarray(index * PART_BYTES, (index + 1) * PART_BYTES).toString('base64'),
	);
	return ['StandardInput=data', ...parts.map((part) => `StandardInputData=${part}`)].map(
		(property) => `--property=${property}`,
	);
}

/** Stops the timer. The process ends by itself when the change is no longer pending. */
export async function disarmWatchdog(id: number): Promise<void> {
	await askSystemd('systemctl', ['--quiet', 'stop', `${unitOf(id)}.timer`]);
}

/** Runs a program that talks to systemd; undefined where there is no systemd. */
async function askSystemd(
	program: string,
	args: readonly string[],
	timeout = SYSTEMD_TIMEOUT_MS,
): Promise<RunResult | undefined> {
	const way = wayToSystemd();
	const [first = '', ...rest] = [...(way ?? []), program, ...args];
	return way && run(first, rest, {timeout});
}

function unitOf(id: number): string {
	return `fw-wizard-rollback-${id}`;
}
