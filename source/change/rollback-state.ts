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
		sleep 1
	done
}

finish() {
	for try in 1 2 3; do
		mv rolling rolled-back 2>/dev/null || mv undoing rolled-back 2>/dev/null || mv pending rolled-back
		look
		[ "$state" = due ] || return
		sleep 1
	done
}

# One at a time, also what one that was killed has left running. Who comes second finds it done.
lock() {
	for try in 1 2 3; do
		[ -e rollback ] || return
		command exec 9<rollback && flock 9 2>/dev/null && return
		sleep 1
	done
}

`;
