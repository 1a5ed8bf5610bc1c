import type {Command} from '../change/boot-files.ts';
import {CONFIG_DIR, RESTORE_FILE} from '../change/paths.ts';
import {JUMPS} from '../change/rollback-script.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import {type Policy, policyFlags} from '../policy/policy.ts';
import {OWN_CHAINS} from '../ruleset/model.ts';
import {type BootPlan, writtenFiles} from './boot.ts';

/** Ends a file in the script (a here-document). No line of a file that we write is like this. */
const END = 'FW-WIZARD-END';

/** The folder of a change that waits for its confirmation. A boot empties /run, and so ends the change. */
const STATE = '/run/fw-wizard-export';

/**
 * A policy as one POSIX sh script for a machine without fw-wizard. It does what `apply` does in the
 * same order: it saves the rules, starts the watchdog, loads, and waits. It writes nothing for the next
 * boot before the change is confirmed.
 *
 * Exit status of the script: 0 done; 1 the state is another one; 2 wrong usage; 3 not possible here;
 * 4 rolled back.
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
# Our chains, one a line: table, the chain that jumps to it, name.
chains() {
	echo '${OWN_CHAINS.map(({table, from, name}) => `${table} ${from} ${name}`).join('\n')}'
}

# Saves our chains of "$tool" into the folder $1.
save() {
	chains | while read -r table from name; do
		if "$tool" -w 10 -t "$table" -S "$name" >"$1/$tool.$name" 2>/dev/null; then
			"$tool" -w 10 -t "$table" -S "$from" | grep -cFx -e "-A $from -j $name" >"$1/$tool.$name.jumps"
		else
			rm -f "$1/$tool.$name"
		fi
	done
}

# Prints what restores the chains of "$tool" from the folder $1, and removes those that it does not have.
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

# Restores both families from the folder $1. All text is read before: legacy iptables-restore blocks iptables -S.
put_back() {
	failed=
	for tool in iptables ip6tables; do
		text=$(lines "$1")
		# A text that was cut off would load without an error, and change nothing.
		[ "\${text##*COMMIT}" = '' ] && [ -n "$text" ] &&
			printf '%s\\n' "$text" | "$tool-restore" -w 10 --noflush || failed=yes
	done
	[ -z "$failed" ]
}

# Loading and rolling back exclude each other, so that nothing is loaded after a rollback. (The restore script has 9.)
turn() { ! command -v flock >/dev/null || { exec 7<"$state/script" && flock "$@" 7; }; }

# Renaming the folder decides: keep and the rollback both do it, and only the first one can.
roll_back() {
	[ ! -e "$state/script" ] || turn
	mv "$state" "$state.rolling" 2>/dev/null || [ -d "$state.rolling" ] || return 3
	put_back "$state.rolling" || return 1
	rm -rf "$state.rolling"
}

# Another program can hold the lock of iptables for minutes.
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

# Rolls back in $1 seconds, even when this script and its session have ended. A systemd outside of this network namespace cannot do it.
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
	for tool in iptables ip6tables; do save "$state"; done
	seconds=\${SECONDS_TO_CONFIRM:-60}
	arm "$seconds"
	if ! (turn -s && due "$id" && sh "$state/new${RESTORE_FILE}"); then
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

/** Commands whose failure does not matter: without systemd all of them fail, and nothing needs them. */
function printCommands(commands: readonly Command[]): string {
	return commands.map((words) => `	${words.map(quoteIfNeeded).join(' ')} 2>/dev/null\n`).join('');
}
