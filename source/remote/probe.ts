import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';

/** What is known of a server before anything is brought to it. */
export type Probe = {
	/** `uname -s` and `uname -m`. */
	readonly system: string;
	readonly machine: string;
	/** The version of glibc, or undefined where the C library is another one (musl). */
	readonly glibc: string | undefined;
	readonly root: boolean;
	/** The programs that make a user root, the better one first. */
	readonly elevation: 'sudo' | 'su' | undefined;
	/** Every Node in the PATH: its version as in "20.19.2", and its absolute path. */
	readonly nodes: ReadonlyArray<{readonly version: string; readonly file: string}>;
	/** The private folder that was made there. */
	readonly folder: string;
	/** Whether programs in that folder can be run. */
	readonly executable: boolean;
};

/**
 * Runs on the server for as long as the laptop is connected: says what is there, makes a private folder, and
 * removes it when its input ends. That happens with the connection, whatever ends it. A program that runs on
 * without its terminal (its process is in the file `pid`) has the folder until it ends. While it waits it writes
 * a line every 30 s: where nobody acknowledges that any more, the kernel ends the connection, and sshd the rest.
 *
 * One line, without exclamation marks: it is one word of the login shell, which may be csh(1) or fish(1).
 */
const KEEPER = [
	'exec 2>/dev/null; umask 077; dir= beat=; IFS=" "',
	'say() { echo "$mark $*"; }',
	'remove() { for try in 1 2 3; do [ -d "$dir" ] || break; rm -rf "$dir" && break; sleep 1; done; }',
	'trap remove EXIT; trap "exit 129" HUP INT TERM PIPE',
	'say system "$(uname -s)" "$(uname -m)"; say libc "$(getconf GNU_LIBC_VERSION)"; say uid "$(id -u)"',
	'PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
	'for name in sudo su; do command -v $name >/dev/null && say elevation $name; done',
	'seen=:; IFS=:; for folder in $PATH; do case $seen in *:$folder:*) continue ;; esac; seen=$seen$folder:; for name in node nodejs; do file=$folder/$name; [ -x "$file" ] && IFS=" " && say node "$("$file" --version </dev/null)" "$file"; done; done; IFS=" "',
	'try() { echo exit 0 >"$dir/try" && chmod 700 "$dir/try" && "$dir/try" && rm "$dir/try"; }',
	'for want in executable plain; do for parent in /tmp /var/tmp "$HOME"; do dir=$(mktemp -d "$parent/fw-wizard.XXXXXXXXXX") && [ -d "$dir" ] && { [ $want = plain ] || try; } && say folder $want "$dir" && break 2; [ -z "$dir" ] || rm -rf "$dir"; dir=; done; done',
	'say ready',
	'{ trap "kill \\$nap; exit" TERM; while :; do sleep 30 <&- >&- & nap=$!; wait $nap; echo; done; } & beat=$!',
	'cat >/dev/null; kill $beat; wait $beat',
	'while read pid <"$dir/pid" && kill -0 $pid; do sleep 1; done; exit 0',
].join('; ');

/** @param mark begins every line of the answer: what the start-up files of a shell print is none */
export function keeperScript(mark: string): string {
	return `mark=${mark}; ${KEEPER}`;
}

/**
 * Reads the answer. It comes from the server, and is not believed further than its form.
 * @param lines without the mark
 * @throws {HostError} where the server gives no usable folder
 */
export function parseProbe(server: string, lines: readonly string[]): Probe {
	const find = (form: RegExp) =>
		lines.map((line) => form.exec(line)).find((match) => match !== null) ?? [];
	const [, system = '', machine = ''] = find(/^system ([\w.-]{1,40}) ([\w.-]{1,40})$/);
	const [, want, folder] = find(/^folder (executable|plain) (\/[\w./-]{1,200})$/);
	if (folder === undefined || system === '') {
		throw new HostError(
			system === ''
				? `${printable(server)} has no POSIX shell that answers`
				: `${printable(server)} has no folder for temporary files that can be written`,
			'fw-wizard looks in /tmp, /var/tmp and the home folder, with sh, mktemp, uname and id',
		);
	}

	const [, elevation] = find(/^elevation (sudo|su)$/);
	return {
		...{system, machine, folder, executable: want === 'executable'},
		glibc: find(/^libc glibc (\d{1,3}\.\d{1,3})$/)[1],
		root: find(/^uid (\d+)$/)[1] === '0',
		elevation: elevation as Probe['elevation'],
		nodes: lines
			.map((line) => /^node v(\d+\.\d+\.\d+) (\/[\w./+@-]{1,200})$/.exec(line))
			.flatMap((match) =>
				match === null ? [] : [{version: match[1] ?? '', file: match[2] ?? ''}],
			),
	};
}
