/**
 * The functions of the rollback script that read and change the state of a change, which is the name of a
 * file in its folder: whether it is still to be rolled back, who decides, that it is done, and a lock.
 */
export const STATE = `# Sets $state to due, over or lost, where somebody has removed the folder while it waited and so decided nothing. Empty
# where that cannot be read now: it is neither rolled back then, nor taken for decided.
look() {
	state=\${gone:+lost}
	[ -z "$gone" ] || return 0
	for name in kept done undoing rolled-back; do [ ! -e "$name" ] || state=over; done
	[ "$mode" != now ] || [ ! -e undoing ] || state=due
	for name in pending rolling; do [ ! -e "$name" ] || state=due; done
	[ -z "$state" ] || return 0
	case $(readlink /proc/self/fd/8 2>/dev/null) in
		*'/pending (deleted)' | *'/rolling (deleted)') state=lost ;;
		*' (deleted)') state=over ;;
	esac
}

# Whoever renames it first decides: this script, or the one who keeps the change. Where nothing can be
# renamed, since the disk takes no more, nobody can keep it.
decide() {
	for try in 1 2 3; do
		mv pending rolling 2>/dev/null
		[ -e pending ] || return
		pause 1
	done
}

finish() {
	for try in 1 2 3; do
		mv rolling rolled-back 2>/dev/null || mv undoing rolled-back 2>/dev/null || mv pending rolled-back
		look
		[ "$state" = due ] || return
		pause 1
	done
}

# One at a time, also what one that was killed has left running. Who comes second finds it done. Whoever hangs with
# the lock is waited for a minute: a restore may wait for the lock of iptables, and gives way then.
lock() {
	for try in 1 2 3 4; do
		[ -e rollback ] || return
		# The flock(1) of busybox cannot wait for a time.
		command exec 9<rollback && { flock -w 15 9 || flock -n 9; } 2>/dev/null
		is_locked && return
		pause 1
		is_locked && return
	done
}

# Where wait4(2) fails, flock(1) may not have run yet. Only who has a lock has it in the fdinfo (proc(5)).
is_locked() {
	while read -r line; do
		case $line in lock:*) return ;; esac
	done </proc/self/fdinfo/9
	return 1
}

# What fails in this process alone must not keep the lock from the others.
give_way() {
	exec 9<&-
	pause 1
	lock
	look
}

# Where a redirection fails, dash(1) leaves the descriptor closed that it was about to save; the next pipe would take it.
open_standard() {
	[ -e /proc/self/fd/0 ] || command exec </dev/null
	[ -e /proc/self/fd/1 ] || command exec >/dev/null
	[ -e /proc/self/fd/2 ] || command exec 2>/dev/null
}

`;
