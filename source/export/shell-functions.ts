/**
 * The functions of the exported script that are the same for every policy: the lock, the state, the
 * watchdog. What can be seen of a run, and what it means:
 *
 * - `$state.new`: not complete. Nothing was loaded.
 * - `$state`: a change waits. All that restores the old rules is in it, read back.
 * - `$state/unloaded`: nothing of it was loaded yet. The watchdog is armed before this file is removed.
 * - `$state/keeping`: files in /etc are being renamed; those from before are in `$state/old`.
 * - `$state.done`: decided, kept or rolled back. The rename decides.
 */
export const STATE_FUNCTIONS = `say() { printf 'fw-wizard: %s\\n' "$1" >&2; }
# Whether there is a file or a link. A "no" is asked for twice: one that comes of a failure is none.
there() { [ -e "$1" ] || [ -L "$1" ] || [ -e "$1" ]; }

refuse() {
	say "$1"
	[ -z "$json" ] || printf '{"error":{"message":%s,"code":%s}}\\n' "$(texts "$1")" "\${2:-3}"
	exit "\${2:-3}"
}

# One run at a time. What this run starts has the lock, too: nothing of a run that was killed loads
# rules behind the back of the next one.
lock() {
	umask 077
	printf '' >>"$state.lock" || refuse "$state.lock cannot be written"
	umask 022
	exec 7>>"$state.lock"
	tries=0
	until flock -n 7; do
		tries=$((tries + 1))
		[ "$tries" -lt 30 ] || refuse "$state.lock cannot be locked: another run of this script may be at work"
		sleep 1
	done
}

# The lock for the watchdog, whose time has come: a run that holds it for 20 s more, because it hangs or
# was stopped, is ended. Not so another watchdog, which has it as 8.
seize() {
	exec 8>>"$state.lock"
	tries=0
	until flock -n 8 || [ "$tries" = 25 ]; do
		tries=$((tries + 1))
		[ "$tries" != 20 ] || end_holders
		sleep 1
	done
}

# Only the holders of a lock have it in their fdinfo (proc(5)), those who wait do not.
end_holders() {
	set +f
	for info in /proc/[0-9]*/fdinfo/7; do
		[ "\${info%info/7}/7" -ef "$state.lock" ] || continue
		holds= pid=\${info#/proc/}
		while read -r line; do
			case $line in lock:*) holds=yes ;; esac
		done 2>/dev/null <"$info"
		[ -z "$holds" ] || kill -9 "\${pid%%/*}"
	done
	set -f
}

# Whole seconds since the boot in $now: a clock that nobody sets.
uptime() { IFS=. read -r now rest </proc/uptime; }

# The seconds until the old rules are restored, in $left.
left() {
	uptime
	read -r deadline 2>/dev/null <"$state/deadline" || deadline=
	case $deadline in '' | *[!0-9]*) deadline=0 ;; esac
	left=$((deadline - now))
	[ "$left" -gt 0 ] || left=0
}

# This boot, in $boot: the kernel's, and in a container the start of its first process. Empty: unknown.
boot() {
	boot=
	read -r kernel </proc/sys/kernel/random/boot_id && read -r stat </proc/1/stat || return
	IFS=' '
	set -- \${stat##*) }
	IFS=$nl
	boot="$kernel \${20}"
}

# Whether change $1 waits still. Who removes its folder decides nothing: only a renamed one is decided.
is_due() {
	there "$state/id" || case $(readlink /proc/self/fd/4) in
	"$state/id (deleted)") return 0 ;;
	*) return 1 ;;
	esac
	read -r found 2>/dev/null <"$state/id" || return 0
	[ "$found" = "$1" ]
}

# Ends a change that is decided.
drop() {
	rm -rf "$state.done"
	mv "$state" "$state.done" && rm -rf "$state.done"
	! there "$state"
}

# A file of the state, read back.
note() { printf '%s\\n' "$2" >"$1" && [ "$(cat "$1")" = "$2" ]; }

# Saves both families into the folder $1, and reads back what was saved.
save() {
	for tool in iptables ip6tables; do
		for table in $tables; do
			read_rules "$table" || { say "the $table table of $tool cannot be read"; return 1; }
			chains_of "$table" "$read"
			for pair in $chains; do
				find_chain "\${pair% *}" "\${pair#* }"
				[ -z "$broken" ] || { say "a rule in \${pair#* } of $tool has a line break, and could not be restored"; return 1; }
			done
			note "$1/$tool.$table" "$read$nl# whole" || { say "$1 cannot be written"; return 1; }
		done
	done
}

# Makes both families what was saved in the folder $1; without a folder, takes our chains of the tables $2
# away. $wrong: what could not be restored, or was read back as something else.
put_back() {
	for tool in iptables ip6tables; do
		for table in $2; do
			saved=
			if [ -n "$1" ]; then
				saved=$(cat "$1/$tool.$table") || eval "saved=\\\${remembered_$tool$table-}"
				case $saved in *"$nl# whole") ;; *) wrong="$wrong, $1/$tool.$table"; continue ;; esac
			fi
			restore_table "$table" "$saved" || wrong="$wrong, $table table of $tool"
		done
	done
	[ -z "$wrong" ]
}

# Restores what was before, rules first, and reads it back.
roll_back() {
	wrong=
	if ! there "$state/unloaded"; then
		put_back "$state" "$tables"
		active=$(cat "$state/stopped" 2>/dev/null)
		turn_others start || wrong="$wrong, $(echo $active)"
		! there "$state/keeping" || restore_files
		[ -z "$wrong" ] || return 1
	fi
	drop || note "$state/unloaded" ''
	return 0
}

# What a run before this one has left: a change that was cut off before it loaded anything, or of another
# boot (some containers keep /run), is none; one whose time is over is rolled back. Sets $settled.
settle() {
	settled=
	there "$state" || return 0
	boot
	read -r was 2>/dev/null <"$state/boot" || was=$boot
	if there "$state/unloaded" || { [ -n "$boot" ] && [ "$was" != "$boot" ]; }; then
		drop || refuse "$state, left by a run that was cut off, cannot be removed"
		return 0
	fi
	left
	[ "$left" = 0 ] || return 0
	if roll_back; then
		settled=yes
		say 'the change before was not kept in time: the old rules are restored'
	else
		settled=failed
		say "the change before was not kept in time, and restoring failed: \${wrong#, }"
	fi
}

# Two watchdogs, each of which survives this script and its session: a timer of systemd, and a process.
# A systemd outside of this network namespace would roll back there.
arm() {
	armed=
	ours=$(readlink /proc/self/ns/net) theirs=$(readlink /proc/1/ns/net)
	if [ -d /run/systemd/system ] && [ -n "$ours" ] && [ "$ours" = "$theirs" ]; then
		# Without the default dependencies it waits for no target: early in a boot, that would be for ever.
		arm_timer --timer-property=IgnoreOnIsolate=yes --timer-property=DefaultDependencies=no \\
			--property=DefaultDependencies=no || arm_timer
	fi
	# It says so itself, from the script that will restore.
	[ "$(setsid /bin/sh "$state/script" wait "$id" </dev/null 2>/dev/null 7>&- &)" != armed ] || armed=yes
	[ -n "$armed" ]
}

arm_timer() {
	systemd-run --quiet --collect --unit="fw-wizard-export-$id" --on-active="\${seconds}s" \\
		--timer-property=AccuracySec=100ms "$@" /bin/sh "$state/script" fire "$id" 2>/dev/null &&
		systemctl --quiet is-active "fw-wizard-export-$id.timer" && armed=yes
}

# The process ends itself.
disarm() {
	[ ! -d /run/systemd/system ] || systemctl --quiet stop "fw-wizard-export-$1.timer" 2>/dev/null
}

# The process of the watchdog. When too many processes run, none can be started, and sh ends: so spare
# ones, which were started and put to sleep at the beginning, try it again later. All of them remember what
# was saved: somebody may remove the folder.
wait_until_due() {
	exec 3>/dev/null 4<"$state/id"
	for tool in iptables ip6tables; do
		for table in $tables; do
			eval "remembered_$tool$table=\\$(cat \\"$state/$tool.$table\\")"
		done
	done
	left
	for later in 1 3 6 12 30 90; do
		{ sleep "$((left + later))"; fire "$1" && leave; } >&3 2>&3 &
	done
	printf armed
	exec 1>&3
	while is_due "$1" && left && [ "$left" -gt 0 ]; do sleep 1; done
	fire "$1" && leave
}

# Ends the spare ones, whose group is that of this process alone.
leave() {
	IFS=' ' read -r pid name stat parent group rest </proc/self/stat
	[ "$group" != "$$" ] || { trap '' TERM; kill 0; }
	exit 0
}

# What is in the way may go: another program can hold the lock of iptables for minutes.
fire() {
	count_of_fires=0
	while is_due "$1"; do
		seize
		! is_due "$1" || ! roll_back || return 0
		exec 8>&-
		count_of_fires=$((count_of_fires + 1))
		[ "$count_of_fires" -lt 100 ] || return 1
		sleep 5
	done
	return 0
}
`;
