import type {Command} from '../change/boot-files.ts';
import {CONFIG_DIR, RESTORE_FILE} from '../change/paths.ts';
import {JUMPS} from '../change/rollback-script.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import {type Policy, policyFlags} from '../policy/policy.ts';
import {OWN_CHAINS} from '../ruleset/model.ts';
import {type BootPlan, writtenFiles} from './boot.ts';

/** Ends the texts that the script carries. No line of ours begins like this. */
const END = 'FW-WIZARD-END';

/** Where a change waits for its confirmation. Gone after a boot, and with it the change. */
const STATE = '/run/fw-wizard-export';

/**
 * A policy as one POSIX sh script for a machine without fw-wizard. It keeps the order that a change
 * of our own keeps: save, arm the watchdog, load, wait; nothing is written for the next boot before
 * it is kept. Exit status 0: done; 1: not as it says; 3: not possible here; 4: rolled back.
 */
export function printShell(policy: Policy, {keep, remove}: BootPlan): string {
	const written = writtenFiles(keep);
	const absent = Object.keys(keep.files).filter((file) => keep.files[file] === null);
	return `#!/bin/sh
# Made by fw-wizard: a firewall with iptables, for IPv4 and IPv6.
# ${policyFlags(policy).join(' ')}
#
# sh THIS           loads it; unless it is kept within 60 s (SECONDS_TO_CONFIRM), the old rules come back
# sh THIS keep      keeps it, for the next boots too. Run it in a new login: that shows that one gets in
# sh THIS undo      puts the old rules back before that time
# sh THIS status    exit status 0: it is kept and loaded; 1: it is not
# sh THIS remove    takes all of it away
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022
state=${STATE}

say() { echo "fw-wizard: $*" >&2; }

# The file $2 below $1, with mode $3: written beside it, then renamed.
put() {
	mkdir -p "$1\${2%/*}" && cat >"$1$2.new" && chmod "$3" "$1$2.new" && mv -f "$1$2.new" "$1$2"
}

write_files() {
${written.map(printFile).join('\n')}
}

${JUMPS}
# Our chains: table, where the jump to them stands, name.
chains() {
	echo '${OWN_CHAINS.map(({table, from, name}) => `${table} ${from} ${name}`).join('\n')}'
}

# Saves our chains as "$tool" has them, into the folder $1.
save() {
	chains | while read -r table from name; do
		if "$tool" -w 10 -t "$table" -S "$name" >"$1/$tool.$name" 2>/dev/null; then
			"$tool" -w 10 -t "$table" -S "$from" | grep -cFx -e "-A $from -j $name" >"$1/$tool.$name.jumps"
		else
			rm -f "$1/$tool.$name"
		fi
	done
}

# What makes the chains of "$tool" again what was saved in the folder $1; what was not there goes.
lines() {
	for table in filter raw; do
		echo "*$table"
		chains | while read -r of from name; do
			[ "$of" = "$table" ] || continue
			echo ":$name - [0:0]"
			if [ -e "$1/$tool.$name" ]; then
				grep -e "^-A $name " "$1/$tool.$name"
				jumps "$table" "$from" "$name" "$(cat "$1/$tool.$name.jumps")"
			else
				jumps "$table" "$from" "$name" 0
				echo "-X $name"
			fi
		done
		echo COMMIT
	done
}

# Makes both families again what was saved in the folder $1. Legacy iptables-restore locks out iptables -S.
put_back() {
	failed=
	for tool in iptables ip6tables; do
		text=$(lines "$1")
		# Cut off, it would load without an error, and change nothing.
		[ "\${text##*COMMIT}" = '' ] && [ -n "$text" ] &&
			printf '%s\\n' "$text" | "$tool-restore" -w 10 --noflush || failed=yes
	done
	[ -z "$failed" ]
}

# What loads and what rolls back come one after the other: nothing is loaded once it is too late. (9 is what loads.)
turn() { ! command -v flock >/dev/null || { exec 7<"$state/script" && flock "$@" 7; }; }

# Whoever renames the folder decides: the one who keeps the change, or the one who rolls it back.
roll_back() {
	[ ! -e "$state/script" ] || turn
	mv "$state" "$state.rolling" 2>/dev/null || [ -d "$state.rolling" ] || return 3
	put_back "$state.rolling" || return 1
	rm -rf "$state.rolling"
}

# The lock of iptables can be held for minutes.
insist() {
	tries=0
	until roll_back; do
		[ "$?" != 3 ] && [ "$tries" -lt 100 ] || return 1
		tries=$((tries + 1))
		sleep 5
	done
}

due() { [ "$(cat "$state/id" 2>/dev/null)" = "$1" ]; }

disarm() { systemctl --quiet stop fw-wizard-export.timer 2>/dev/null; }

# Rolls back in $1 seconds, whatever becomes of this script and its session. Not by a systemd that is outside of our namespaces.
arm() {
	if [ -d /run/systemd/system ] &&
		[ "$(readlink /proc/1/ns/net)" = "$(readlink /proc/self/ns/net)" ] &&
		systemd-run --quiet --collect --unit=fw-wizard-export --on-active="$1s" \\
			--timer-property=AccuracySec=100ms /bin/sh "$state/script" fire "$id"; then
		return
	fi
	setsid /bin/sh "$state/script" wait "$id" "$1" </dev/null >/dev/null 2>&1 &
}

if [ "$(id -u)" != 0 ]; then
	say 'only root can change the firewall'
	exit 3
fi

for tool in iptables ip6tables; do
	command -v "$tool-restore" >/dev/null || { say "$tool is not installed"; exit 3; }
done

case \${1-load} in
load)
	if ! [ -f "$0" ]; then
		say 'save this script to a file first: it is what rolls back'
		exit 3
	fi
	mkdir -m 700 "$state" 2>/dev/null || { say 'another change waits: keep or undo it first'; exit 3; }
	id=$$.$(date +%s)
	echo "$id" >"$state/id"
	cp "$0" "$state/script" && write_files "$state/new" || exit 3
	sed 's#${CONFIG_DIR}/rules#${STATE}/new${CONFIG_DIR}/rules#' "$state/new${RESTORE_FILE}" >"$state/load"
	for tool in iptables ip6tables; do save "$state"; done
	seconds=\${SECONDS_TO_CONFIRM:-60}
	arm "$seconds"
	if ! (turn -s && due "$id" && sh "$state/load"); then
		roll_back
		disarm
		say 'it does not load whole: the old rules are back'
		exit 4
	fi
	say "loaded. The old rules come back in $seconds s. To keep these, log in anew and run: sh $0 keep"
	;;
keep)
	mv "$state" "$state.kept" 2>/dev/null || { say 'nothing waits to be kept'; exit 1; }
	disarm
${printCommands(keep.before)}	write_files ''
${absent.map((file) => `	rm -f ${file}\n`).join('')}${printCommands(keep.after)}	rm -rf "$state.kept"
	command -v systemctl >/dev/null ||
		say 'no systemd here: have /bin/sh ${RESTORE_FILE} run at boot, before the network comes up'
	say 'kept'
	;;
undo)
	roll_back || { say 'nothing waits to be undone, or it failed'; exit 1; }
	disarm
	say 'the old rules are back'
	;;
wait)
	left=$3
	while due "$2" && [ "$left" -gt 0 ]; do sleep 1; left=$((left - 1)); done
	due "$2" && insist
	;;
fire)
	due "$2" && insist
	;;
status)
	mkdir -m 700 "$state.status" && write_files "$state.status" || exit 3
	differs=
	cd "$state.status" || exit 3
	for file in $(find . -type f); do cmp -s "$file" "/$file" || differs=yes; done
	cd / && rm -rf "$state.status"
	for tool in iptables ip6tables; do "$tool" -w 10 -C INPUT -j ${OWN_CHAINS[0].name} 2>/dev/null || differs=yes; done
	[ -z "$differs" ]
	;;
remove)
	rm -rf "$state" "$state.rolling" "$state.kept"
	disarm
	mkdir -m 700 "$state.removed" && put_back "$state.removed"
	rmdir "$state.removed"
${printCommands(remove.before)}${Object.keys(remove.files)
	.map((file) => `	rm -f ${file}\n`)
	.join('')}${printCommands(remove.after)}	rmdir ${CONFIG_DIR} 2>/dev/null
	say 'removed'
	;;
*)
	say 'see what stands at the top of this script'
	exit 2
	;;
esac
`;
}

function printFile({file, text, mode}: ReturnType<typeof writtenFiles>[number]): string {
	return `put "$1" ${file} ${mode} <<'${END}'\n${text}${END}`;
}

/** That one of them fails changes nothing: without systemd there is none of it. */
function printCommands(commands: readonly Command[]): string {
	return commands.map((words) => `	${words.map(quoteIfNeeded).join(' ')} 2>/dev/null\n`).join('');
}
