import process from 'node:process';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {connect} from './connection.ts';
import {bringProgram, NOT_ROOT, type RemoteCommand} from './program.ts';
import {loginCommand} from './server.ts';

/** ssh(1) ends with it where the connection fails. */
const CONNECTION_LOST = 255;
/** Leaves the alternate screen, shows the cursor, ends bracketed paste (xterm): the program there can do it no more. */
const RESTORE_TERMINAL = '\u001B[?1047l\u001B[?25h\u001B[?2004l\r\n';

/**
 * Runs this program on a server, on this terminal. Nothing of it is left there, unless it is installed.
 * @returns its exit code
 * @throws {HostError} where it could not be run, or the connection was lost
 */
export async function runOnServer(server: string, command: RemoteCommand): Promise<number> {
	const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
	const connection = await connect(server, false);
	try {
		const script = await bringProgram(server, connection, command, terminal);
		const code = await connection.attach(script, terminal);
		if (code === CONNECTION_LOST) {
			process.stdout.write(terminal ? RESTORE_TERMINAL : '');
			throw new HostError(
				`The connection to ${printable(server)} was lost`,
				`A change that was not confirmed is rolled back there by itself. Log in again: ${loginCommand(server)}`,
			);
		}

		if (code === NOT_ROOT) {
			throw notRoot(server, connection.probe.elevation, terminal);
		}

		return code;
	} finally {
		await connection.close();
	}
}

/** The error where a user did not become root on a server. */
export function notRoot(
	server: string,
	elevation: 'sudo' | 'su' | undefined,
	terminal: boolean,
): HostError {
	return new HostError(
		`${elevation ?? 'sudo'} refused on ${printable(server)}${terminal ? ': a wrong password, or you may not use it' : ', where it could not ask for a password'}`,
		terminal
			? 'Nothing was changed. Try it again, or log in as root: --host root@SERVER'
			: 'Run it in a terminal with a single --host, or as a user who needs no password',
		3,
		'not-root',
	);
}
