import {CHANGES_DIR, EXPORT_STATE, RESTORE_FILE} from '../../change/paths.ts';
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
expected() { unshare --net /bin/sh "$0" expected 2>/dev/null; }

only() { case $2 in *"$1 "*) printf '%s\\n' "$2" | grep "^$1 " ;; esac; }

# Whether a change of fw-wizard is under way, of this boot, or of an exported script: until a minute after its time.
is_changing() {
	{ read -r deadline <${EXPORT_STATE}/deadline; } 2>/dev/null && [ "$now" -lt "$((deadline + 60))" ] && return
	for mark in ${UNDER_WAY.map((name) => `${CHANGES_DIR}/*/${name}`).join(' ')}; do
		[ -e "$mark" ] || continue
		read -r boot </proc/sys/kernel/random/boot_id
		case $(cat "\${mark%/*}/meta.json") in *"$boot"*) return 0 ;; esac
	done
	return 1
}

# Sets $own to our rules as they should be: failed, where the restore script does not load them whole.
recall() {
	own=$(expected)
	recalled=$generation
}

# A record of what is there now. Where our rules cannot be tried they count as they are, if they are reached.
begin() {
	recall
	[ "$own" != failed ] || return
	[ -n "$own" ] || { own=$(only own "$seen"); complete; }
	record "$(only front "$seen")"
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
	found= was= of= generation=
	IFS= read -r generation <${RESTORE_FILE}
	see
	{ IFS= read -r of && was=$(cat); } <"$state/record"
	# Of a damaged script no rules are expected: those that were recorded are.
	[ -z "$of" ] || is_whole || generation=$of
	# After an undo, or where nothing was recorded.
	[ "$of" = "$generation" ] || begin || { found='ours the restore script does not load its rules whole' && return; }
	[ "$seen" != "$was" ] || return 0
	found=$(differences)
	case $found in ours*) ;; *) return 0 ;; esac
	# What iptables prints can change with its version, too.
	[ "$recalled" != "$generation" ] || return 0
	recall
	case $own in '' | failed | "$(only own "$was")") return 0 ;; esac
	record "$(only front "$was")"
	found=$(differences)
} 2>/dev/null

differences() { printf '%s\\n\\n%s\\n' "$was" "$seen" | awk ${quote(COMPARE)} | tr -c '\\040-\\176\\n' '?'; }
`;
