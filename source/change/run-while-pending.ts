import {findProgram} from '../host/exec/find-program.ts';
import {type Runner, run} from '../host/exec/run.ts';
import {folderOf} from './record.ts';

/**
 * Under the lock of the rollback script, which comes before or after, but not between. The input is
 * read first: who gives it may be stopped.
 */
const WHILE_PENDING = `cd "$1" && shift && input=$(cat) && exec 9<rollback && flock -s 9 || exit
if ! [ -e pending ]; then
	echo "it came too late" >&2
	exit 1
fi
printf '%s\\n' "$input" | "$@"`;

/**
 * Runs programs only while a change waits. What the watchdog has rolled back while they had to wait,
 * for the lock of iptables or since the machine slept, must not be loaded after it: nobody would
 * take it away again.
 */
export function whilePending(id: number): Runner {
	return async (program, args, options) =>
		run(
			'sh',
			['-c', WHILE_PENDING, 'sh', folderOf(id), findProgram(program) ?? program, ...args],
			options,
		);
}
