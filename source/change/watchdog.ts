import {runDetached} from '../host/exec/background.ts';
import {run} from '../host/exec/run.ts';
import {mayUseSystemd} from '../host/machine/init-system.ts';
import {HostError} from '../lib/errors.ts';
import {scriptOf} from './record.ts';

/**
 * Sees to it that a change is rolled back after `seconds` unless it is kept, whatever becomes of
 * this program, its terminal and the SSH session. systemd's timer outlives all of them, also a
 * `loginctl terminate-user`; where there is no systemd, a process in a session of its own.
 * @throws {HostError} when neither can be had; nothing was touched
 */
export async function armWatchdog(id: number, seconds: number): Promise<void> {
	if (mayUseSystemd()) {
		const {status} = await run('systemd-run', [
			'--quiet',
			'--collect',
			`--unit=${unitOf(id)}`,
			`--on-active=${seconds}s`,
			'--timer-property=AccuracySec=100ms',
			'/bin/sh',
			scriptOf(id),
			'fire',
		]);
		if (status === 0) {
			return;
		}
	}

	const failure = await runDetached('sh', [scriptOf(id), 'wait', `${seconds}`]);
	if (failure !== undefined) {
		throw new HostError(
			`The watchdog that would roll back does not run: ${failure}`,
			'Nothing was changed. See whether /bin/sh works',
		);
	}
}

/** Stops the timer. A watchdog without systemd ends by itself when the change is no longer pending. */
export async function disarmWatchdog(id: number): Promise<void> {
	if (mayUseSystemd()) {
		await run('systemctl', ['--quiet', 'stop', `${unitOf(id)}.timer`]);
	}
}

function unitOf(id: number): string {
	return `fw-wizard-rollback-${id}`;
}
