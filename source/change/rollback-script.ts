import {CHOOSE_IPTABLES} from '../host/netfilter/choose-iptables.ts';
import {type ForeignChange, MEND, printWaking} from './rollback-existing.ts';
import {type FamilyChange, printFamily, printForeign} from './rollback-family.ts';
import {STATE} from './rollback-state.ts';
import {JUMPS, UNLINK} from './rollback-tables.ts';
import {prepareRestore, printWaiting, WAIT} from './rollback-wait.ts';

export type Rollback = {
	readonly id: number;
	/** The change's own folder, and the journal: absolute, and nothing that a shell reads otherwise. */
	readonly folder: string;
	readonly journal: string;
	readonly families: readonly FamilyChange[];
	/** The rules that are removed in the backend that is not in use, and its program (absolute). */
	readonly others?: readonly ForeignChange[];
	/** firewalld runs, and the change switches it off. */
	readonly firewalld?: boolean;
	/** Arguments of firewall-cmd for what it has never saved. */
	readonly unsaved?: ReadonlyArray<readonly string[]>;
	/** Tell everybody who is logged in when it fires. */
	readonly tell: boolean;
};

/**
 * How often a watchdog tries, with so many seconds in between, after the first tries. Whoever else rolls back is told, and
 * may try again.
 */
const [TRIES, PAUSE] = [100, 5];

/**
 * Tells whoever is logged in. Where no utmp says who that is, wall(1) asks systemd-logind, and that
 * does not know the terminals of sshd: their names are in the titles of its processes. One that was
 * stopped with Ctrl-S would take no more.
 */
const TELL = `	echo "$message" | wall 2>/dev/null
	[ -e /run/utmp ] || [ -e /var/run/utmp ] || (
		for terminal in $(sed -n 's/^sshd[^:]*: .*@\\(pts\\/[0-9]*\\).*/\\1/p' /proc/[0-9]*/cmdline 2>/dev/null); do
			printf '\\n%s\\n' "$message" | timeout 2 tee "/dev/$terminal" >/dev/null 2>&1 &
		done
		wait
	)
`;

/**
 * The one way back: a POSIX sh script that makes our chains and jumps again what they were before a
 * change, in both families, and leaves everything else alone. It needs neither this program nor
 * Node. What the kernel has at that moment does not matter: half a change is undone as well as a whole one.
 *
 * `sh rollback wait N` says "ready" once all that waits is started, waits N seconds and rolls back unless
 * the change is kept meanwhile;
 * `sh rollback fire` does it at once, as the timer of systemd calls it; `sh rollback now` too, but
 * leaves it to its caller to tell. `sh -s lost` is the same for one who has seen
 * that the mark of the change was removed. All of them also work where the whole folder was.
 */
export function printRollbackScript(rollback: Rollback): string {
	const {
		id,
		folder,
		journal,
		families,
		others = [],
		firewalld = false,
		unsaved = [],
		tell,
	} = rollback;
	// Rules of other programs are restored from what is loaded at that moment, which cannot be prepared.
	const takes = others.length > 0 || families.some(({cleanup}) => cleanup);
	const prepared = takes || firewalld ? [] : families.map(prepareRestore);
	return `#!/bin/sh
# Written by fw-wizard: puts the rules back as they were before change ${id}.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
LC_ALL=C
export PATH LC_ALL
umask 077
gone=
cd ${folder} 2>/dev/null || {
	[ "$1" != wait ] || exit 1
	# Only where the folder is gone it is certain that nobody has decided there.
	case $(ls -d ${folder} 2>&1) in *'No such file or directory') gone=yes ;; *) exit 1 ;; esac
	cd /proc
}

${STATE}${JUMPS}
${CHOOSE_IPTABLES}
${UNLINK}# Another program may change rules at the same moment: three tries. The last one leaves out what may be in the way, which
# then gets one more chance: it need not have been that. After an added jump, nothing may be left over when it is read again.
load() {
	loaded=
	for try in 1 2 3 exact; do
		[ "$state" != over ] || return 0
		[ "$try" != exact ] || [ -n "$loaded" ] || break
		# Whole before it is loaded, and without a file.
		text=$(whole lines)
		# Cut off, it would load without an error, and change nothing: the comment comes back only behind it all.
		[ "\${text%# whole}" != "$text" ] &&
			read_back=$(printf '%s\\n' "$text" | "$tool-restore" -v -w 10 --noflush) &&
			[ "\${read_back##*# whole}" != "$read_back" ] && loaded=yes
		case $text in *'# added'*) [ "$(whole left_over)" = '# whole' ] || loaded= ;; esac
		[ -z "$loaded" ] || [ "$try" = 3 ] || return 0
		[ -n "$loaded" ] || give_way
	done
	[ -n "$loaded" ] || failed=yes
}

# wall(1) breaks a line after 79 characters, also within a word.
tell() {
	message="fw-wizard: change ${id} was not confirmed$1"
${tell ? TELL : '	:\n'}}
note() {
	printf '{"time":"%s","change":${id},"who":"watchdog","what":"roll back","outcome":"%s"}\\n' \\
		"$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >>${journal}
}

${takes ? MEND : ''}${WAIT}# Rolls back, unless the change is decided otherwise. $1: what the script was called with, or once: a single try, untold
# where it fails.
roll_back() {
	mode=$1
	decide
	look
	[ "$state" != over ] || return 0
	tries=0
	until once; do
		exec 9<&-
		case $mode in now | once) return 1 ;; esac
		tries=$((tries + 1))
		if [ "$tries" = 1 ]; then
			note 'rolling back failed'
			tell ', and rolling back failed.
It is tried again. See what is loaded with: iptables-save'
		fi
		# What was in the way may go: the lock of iptables can be held for minutes.
		[ "$tries" -lt ${TRIES} ] || return 1
		# Soon at first: what lasts for some seconds is gone then.
		pause "$((tries < 10 ? 1 : ${PAUSE}))"
	done
}

once() {
	open_standard
	lock
	look
	case $state in
		over) return 0 ;;
		'') return 1 ;;
	esac
	failed=
${firewalld ? printWaking(families, unsaved) : ''}${others.map(printForeign).join('')}${families.map(printFamily).join('\n')}
	[ "$state" != over ] || return 0
	[ -z "$failed" ] || return 1
	finish
	[ "$mode" != now ] || return 0
	exec 9<&-
	note 'rolled back'
	tell '.
The firewall rules are as they were before.'
}

${printWaiting(prepared)}`;
}
