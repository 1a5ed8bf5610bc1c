import {CHANGES_DIR, RESTORE_FILE} from '../../change/paths.ts';
import {quote} from '../../lib/shell-quote.ts';
import {COMPARE} from './view-rules.ts';

/** States of a change that is under way (`ChangeState`). */
const UNDER_WAY = ['pending', 'kept', 'rolling', 'undoing'];

/**
 * The functions of the watch script that compare the loaded rules with those that should be there. They call
 * `view` and `complete`, which know the families.
 *
 * The record has in its first line that of the restore script, which names the generation of the rules, then the
 * view of our own rules as that script loads them, and what stood before our jump when it was made.
 */
export const JUDGE = `# The view of the rules that the restore script loads, in a network of its own. Nothing where that cannot be tried.
expected() { unshare --net /bin/sh "$0" expected "$(readlink /proc/self/ns/net)" 2>/dev/null; }

only() { printf '%s\\n' "$2" | grep "^$1 "; }

# Whether a change of fw-wizard is under way, of this boot.
is_changing() {
	for mark in ${UNDER_WAY.map((name) => `${CHANGES_DIR}/*/${name}`).join(' ')}; do
		[ -e "$mark" ] || continue
		read -r boot </proc/sys/kernel/random/boot_id
		case $(cat "\${mark%/*}/meta.json") in *"$boot"*) return 0 ;; esac
	done
	return 1
}

# Sets $own to our rules as they should be. Where that cannot be tried, as they are, if they are reached. Fails
# where the restore script does not load them whole, but a floor.
recall() {
	own=$(expected)
	recalled=$generation
	[ "$own" != failed ] || return
	[ -n "$own" ] || { own=$(only own "$seen") && complete; }
}

# Writes the record, with the rules $1 before our jump.
record() {
	was=$own
	[ -z "$1" ] || was="$own
$1"
	put record "$generation
$was"
}

# Sets $found to what is not as it should be, a line each.
judge() {
	found= was= of=
	IFS= read -r generation <${RESTORE_FILE}
	see
	{ IFS= read -r of && was=$(cat); } <"$state/record"
	# After an undo, or where nothing was recorded.
	if [ "$of" != "$generation" ]; then
		recall || { found='ours the restore script does not load its rules whole' && return; }
		record "$(only front "$seen")"
	fi
	[ "$seen" != "$was" ] || return 0
	found=$(differences)
	case $found in ours*) ;; *) return 0 ;; esac
	# What iptables prints can change with its version, too.
	[ "$recalled" != "$generation" ] || return 0
	recall && [ "$own" != "$(only own "$was")" ] || return 0
	record "$(only front "$was")"
	found=$(differences)
} 2>/dev/null

differences() { printf '%s\\n\\n%s\\n' "$was" "$seen" | awk ${quote(COMPARE)} | tr -c '\\040-\\176\\n' '?'; }
`;
