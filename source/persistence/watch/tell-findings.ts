import path from 'node:path';
import {COMMAND_FILE, WATCH_MOTD_FILE} from '../../change/paths.ts';

/** Seconds for which a login is told of a repair. */
const TOLD_SECONDS = 86_400;

const MOTD_DIR = path.dirname(WATCH_MOTD_FILE);

/**
 * The functions of the watch script that remember and tell what was found: `$open` what is wrong now, and `$last`
 * what was repaired last in this boot.
 */
export const TELL = `# Writes file $1 of the folder of the script with the text $2, whole.
put() {
	{ [ -d "$state" ] || mkdir -p "$state"; } && printf '%s\\n' "$2" >"$state/$1.new" && mv -f "$state/$1.new" "$state/$1"
} 2>/dev/null

uptime() { read -r now rest </proc/uptime && now=\${now%%.*}; }

in_one_line() { awk '{ printf "%s%s", NR == 1 ? "" : "; ", $0 }'; }

# Text $2 to the journal of systemd with the message ID $1, or else to its standard output, or to syslog.
say() {
	text=$(printf '%s' "$2" | tr -c '\\040-\\176' '?')
	[ -n "\${JOURNAL_STREAM-}" ] || printf 'fw-wizard: %s\\n' "$text"
	[ -S /run/systemd/journal/socket ] &&
		printf 'MESSAGE_ID=%s\\nPRIORITY=4\\nSYSLOG_IDENTIFIER=fw-wizard\\nMESSAGE=%s\\n' "$1" "$text" | logger --journald && return
	if [ -n "\${JOURNAL_STREAM-}" ]; then
		printf '<4>%s\\n' "$text"
	else
		logger -t fw-wizard -p daemon.warning -- "$text"
	fi
} 2>/dev/null

# What was found before in this boot.
remember() {
	repairs= total=0 last= open= since= notified= boot=
	while IFS=' ' read -r key rest; do
		case $key in
		boot) boot=$rest ;;
		repairs) repairs=$rest ;;
		total) total=$rest ;;
		repaired) last=$rest ;;
		since) since=$rest ;;
		notified) notified=$rest ;;
		open) open="$open$rest
" ;;
		esac
	done <"$state/found"
	read -r this </proc/sys/kernel/random/boot_id
	[ "$boot" = "$this" ] || { repairs= total=0 last= open= since= notified=; }
	read -r good <"$state/looked"
} 2>/dev/null

# Remembers it, and has it told at logins, or no longer.
keep() {
	lines="boot $this
repairs $repairs
total $total
notified $notified
"
	[ -z "$last" ] || lines="\${lines}repaired $last
"
	[ -z "$open" ] || lines="\${lines}since $since
$(printf '%s' "$open" | sed 's/^/open /')"
	put found "$lines"
	message=
	[ -z "$open" ] || message="fw-wizard: the firewall is not as it was confirmed, since $since:
$open"
	[ -z "$last" ] || message="\${message}fw-wizard: rules of the firewall were gone or changed, and were loaded again: $last
"
	if [ -n "$message" ]; then
		[ -d ${MOTD_DIR} ] || mkdir -m 755 ${MOTD_DIR}
		command='fw-wizard check'
		[ ! -s ${COMMAND_FILE} ] || read -r command <${COMMAND_FILE}
		printf '%sSee: %s\\n' "$message" "$command" >${WATCH_MOTD_FILE} && chmod 644 ${WATCH_MOTD_FILE}
	else
		rm -f ${WATCH_MOTD_FILE}
	fi
} 2>/dev/null

# A login is told of a repair for a day.
forget() {
	[ -n "$last" ] && [ -z "$open" ] && [ "$((now - \${repairs##* }))" -gt ${TOLD_SECONDS} ] || return 0
	rm -f ${WATCH_MOTD_FILE}
}

# The services of systemd that were started or ended since $1 s after the boot: one of them may have done it.
suspects() {
	[ -d /run/systemd/system ] && [ -n "$1" ] || return 0
	systemctl show --all '*.service' -p Id -p InactiveExitTimestampMonotonic -p InactiveEnterTimestampMonotonic -p StateChangeTimestampMonotonic |
		awk -F= -v "from=$1" '
			$1 == "Id" { id = $2 }
			/Monotonic=/ && $2 / 1000000 >= from - 1 && id !~ /^(fw-wizard|systemd-)/ && !(id in seen) && ++count <= 5 {
				seen[id] = 1
				printf "%s%s", count == 1 ? ". Services that systemd started or ended meanwhile: " : ", ", id
			}'
} 2>/dev/null
`;
