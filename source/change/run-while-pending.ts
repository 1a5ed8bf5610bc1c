import {findProgram} from '../host/exec/find-program.ts';
import {type Runner, run} from '../host/exec/run.ts';
import {folderOf} from './record.ts';

/**
 * Runs under the lock of the rollback script, which runs before or after, but not in between. The input
 * is read first: the process that writes it may be stopped.
 */
const WHILE_PENDING = `cd "$1" && shift && input=$(cat) && exec 9<rollback && flock -s 9 || exit
if ! [ -e pending ]; then
	echo "it came too late" >&2
	exit 1
fi
printf '%s\\n' "$input" | "$@"`;

/**
 * Runs programs only while a change is pending. A program may wait for the lock of iptables, or the
 * machine may sleep, until the watchdog has rolled back. Rules loaded after that would stay, since
 * nothing would remove them.
 */
export function whilePending(id: number): Runner {
	return async (program, args, options) =>
		run(
			'sh',
			['-c', WHILE_PENDING, 'sh', folderOf(id), findProgram(program) ?? program, ...args],
			options,
		);
}
