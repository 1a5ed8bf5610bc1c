import {printChoice} from '../host/netfilter/choose-iptables.ts';
import type {Saved} from '../host/netfilter/iptables.ts';
import {quote} from '../lib/shell-quote.ts';
import {presenceOf} from '../ruleset/diff.ts';
import {
	type FamilyRules,
	findChain,
	isGroup,
	OWN_CHAINS,
	type OwnChain,
	ownChains,
} from '../ruleset/model.ts';
import {tableRules} from '../ruleset/save-lines.ts';

/** The restore file that undoes what a change loads, and the program for it (absolute). */
type PreparedRestore = {readonly program: string; readonly text: string};

/**
 * Seconds after the time is over at which a spare try begins. The first ones come soon: no process could
 * be started for some seconds. The last one tries for as long as the watchdog itself does.
 */
const SPARE_TRIES = [2, 3, 4, 8, 30];

/** Seconds after the time is over at which the prepared restores begin. */
const PREPARED_AFTER = 1;

/**
 * Functions of the rollback script that wait. None of them starts a process that it does not name here,
 * since no process can be started when too many run, or when memory is short: sh(1) ends then.
 *
 * - `poll` starts sleep(1) every second. It ends early once the change is decided.
 * - `prepare` starts all processes of one more roll back at the beginning. Each of them waits on the pipe
 *   from the one before, and does its part once that has ended: mv(1) decides, flock(1) locks, a shell
 *   prints a prepared text into an iptables-restore that reads its input since the beginning. It reads
 *   neither rules nor a lock before that (iptables 1.8.9, both backends).
 * - `spare` is the whole roll back in a shell of its own, which was started and put to sleep at the
 *   beginning.
 */
export const WAIT = `# Sets $now to hundredths of a second since the boot: a clock that nobody sets.
clock() {
	read -r now rest </proc/uptime || return
	case $now in *[0-9].[0-9][0-9]) now=\${now%.*}\${now#*.} ;; *) return 1 ;; esac
}

# Until the change is decided or the time is over. Who rolls back before that may be cut off: then it is done here.
poll() {
	while look && [ "$state" != over ] && [ "$state" != lost ]; do
		if clock; then left=$((end - now)); else left=$((left - 100)); fi
		[ "$left" -gt 0 ] || return
		# The rest of a second, where sleep(1) takes parts: POSIX does not ask that of it.
		case $left in
			?) part=0.0$left ;;
			??) part=0.$left ;;
			*) part=1 ;;
		esac
		sleep "$part" 2>/dev/null || sleep 1
	done
}

spare() {
	sleep "$((seconds + $1))" && left=0
	poll
	if [ "$2" != last ] || kill -0 $$ 2>/dev/null; then mode=once; fi
	roll_back "$mode" && leave
}

# So many seconds, also where sleep(1) cannot start, or is not waited for since wait4(2) fails: what is in the way must be
# gone before the tries are over. Where the clock cannot be read either, about as long.
pause() {
	clock || now=0
	from=$now spins=0
	sleep "$1" 2>/dev/null
	while [ "$spins" -lt "$(($1 * 100000))" ]; do
		if ! clock; then spins=$((spins + 1)); elif [ "$((now - from))" -ge "$(($1 * 100))" ]; then return; fi
	done
}

# Ends all that was started for the wait. The group is that of this script alone, or else stays.
leave() {
	read -r pid name state parent group rest </proc/self/stat
	[ "$group" != $$ ] || { trap '' TERM; kill 0; }
}

# Until the process before it in a pipeline has ended.
after() { while read -r line; do :; done; }

`;

/**
 * The restore file for a machine on which the change is loaded whole, and nobody has touched its jumps
 * since. Elsewhere the kernel refuses it, or the roll back that follows completes it.
 */
export function prepareRestore({
	before,
	after,
	program,
}: {
	readonly before: Saved;
	readonly after: FamilyRules;
	readonly program: string;
}): PreparedRestore {
	const presence = presenceOf(before.rules);
	const linesOf = ({name, from, table}: OwnChain) => {
		const isLoaded = findChain(after, table, name) !== undefined;
		if (!presence.chains.has(name)) {
			const jump = isGroup(name) ? [] : [`-D ${from} -j ${name}`];
			return isLoaded ? [`:${name} - [0:0]`, ...jump, `-X ${name}`] : [];
		}

		// A jump that is missing is left to the roll back that follows: added twice, it would be one too many.
		const jumps = Number(isLoaded && !isGroup(name));
		const surplus = Math.max(0, jumps - (presence.jumps.get(name) ?? 0));
		return [
			`:${name} - [0:0]`,
			...tableRules(before.text, table).filter((line) => line.startsWith(`-A ${name} `)),
			...Array.from({length: surplus}, () => `-D ${from} -j ${name}`),
		];
	};
	const tables = [...new Set(OWN_CHAINS.map(({table}) => table))].flatMap((table) => {
		const lines = restoredChains(before.rules, after)
			.filter((own) => own.table === table)
			.flatMap(linesOf);
		return lines.length === 0 ? [] : [`*${table}`, ...lines, 'COMMIT'];
	});
	return {program, text: tables.join('\n')};
}

/**
 * Our chains before and after a change, in the order in which a roll back writes them: groups that are
 * to be removed come last, when nothing jumps to them any more.
 */
export function restoredChains(before: FamilyRules, after: FamilyRules): readonly OwnChain[] {
	const all = ownChains(before, after);
	const isNew = ({name, table}: OwnChain) =>
		isGroup(name) && findChain(before, table, name) === undefined;
	return [...all.filter((own) => !isNew(own)), ...all.filter(isNew)];
}

/** The function that starts them, and the lines that use it, for `sh rollback wait SECONDS`. */
export function printWaiting(prepared: readonly PreparedRestore[]): string {
	const chosen = prepared.map(
		({program}, index) => `	${printChoice(program)}	restore${index}=$tool-restore\n`,
	);
	const stages = prepared.map(
		({text}, index) => `	{ after; [ ! -e rolling ] || printf '%s\\n' ${quote(text)}; } |
		"$restore${index}" -w 10 --noflush |
`,
	);
	const spares = SPARE_TRIES.map((later, index) =>
		index === SPARE_TRIES.length - 1 ? `${later} last` : `${later}`,
	);
	const prepare = `prepare() {
${chosen.join('')}	{ sleep "$((seconds + ${PREPARED_AFTER}))"; { clock && [ "$now" -lt "$end" ]; } || exec mv pending rolling; } |
	{ after; exec flock 9; } |
${stages.join('')}	after
}

`;
	const isPrepared = prepared.length > 0;
	// In braces: it is all read before the wait, after which sh(1) may not be able to read on.
	return `${isPrepared ? prepare : ''}{
mode=$1
[ "$mode" != lost ] || { mode=now; gone=yes; }
if [ "$mode" = wait ]; then
	seconds=$2
	clock && command exec 8<pending || exit 1
	left=$((seconds * 100))
	end=$((now + left))
${isPrepared ? '	prepare 9<rollback >/dev/null 2>&1 &\n' : ''}${spares.map((words) => `	spare ${words} >/dev/null 2>&1 &\n`).join('')}	echo ready
	exec >/dev/null 2>&1
	poll
fi
roll_back "$mode"
status=$?
[ "$mode" != wait ] || [ "$status" != 0 ] || leave
exit "$status"
}
`;
}
