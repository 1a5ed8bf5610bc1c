import {CHAIN_FUNCTIONS} from '../change/chain-functions.ts';
import {NEW_CONNECTION} from '../change/confirm-time.ts';
import {COMMAND_FILE, EXPORT_STATE, RESTORE_FILE} from '../change/paths.ts';
import {cksum} from '../lib/cksum.ts';
import {quote} from '../lib/shell-quote.ts';
import {type Policy, policyFlags} from '../policy/policy.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {hasOwnChain, OWN_TABLES} from '../ruleset/model.ts';
import type {BootPlan} from './boot.ts';
import {printFileFunctions} from './shell-files.ts';
import {FIREWALL_FUNCTIONS} from './shell-firewalls.ts';
import {STATE_FUNCTIONS} from './shell-functions.ts';
import {printStatusFunctions} from './shell-status.ts';

/** The place of the script on a machine to which another tool brings it. */
export const SCRIPT_FILE = '/usr/local/sbin/fw-wizard-firewall';
/** How everything begins that is made of a policy for another machine. */
export const MADE_BY = '# Made by fw-wizard: a firewall with iptables, for IPv4 and IPv6.';

/** The same with the policy, as flags. */
export function printHead(policy: Policy): string {
	return `${MADE_BY}\n# ${policyFlags(policy).join(' ')}`;
}

/** What stands behind the checksum in the last line. */
const LAST = `'; main "$@"; exit; }`;

/** The programs that the script starts and cannot do without. */
const PROGRAMS = [
	...['iptables', 'iptables-restore', 'ip6tables', 'ip6tables-restore'],
	...['cat', 'chmod', 'cksum', 'cmp', 'cp', 'flock', 'id', 'mkdir', 'mv', 'readlink'],
	...['rm', 'rmdir', 'sed', 'setsid', 'sleep', 'sync'],
];

/**
 * A policy as one POSIX sh script for a machine without fw-wizard. It does what `apply` does in the
 * same order: it saves the rules and verifies what it saved, starts the watchdog, loads, reads back, and
 * waits. It writes nothing for the next boot before the change is kept, and says only what it has read
 * back. It may be killed at any place: until a change is decided, the watchdog and every later run restore
 * the old rules from a state that is whole or not there.
 *
 * Exit status of the script: 0 done; 1 the state is another one; 2 wrong usage; 3 not possible here,
 * nothing is changed; 4 rolled back; 5 failed, and the message says what is left.
 */
export function printShell({policy, ruleSet}: CompiledPolicy, plan: BootPlan): string {
	const touched = OWN_TABLES.filter((table) =>
		ruleSet.families.some((rules) => hasOwnChain(rules, table)),
	);
	const [generation = ''] = plan.keep.files[RESTORE_FILE]?.text.split('\n') ?? [];
	const script = `#!/bin/sh
${printHead(policy)}
#
# sh THIS           loads it; unless it is kept within 60 s (SECONDS_TO_CONFIRM), the old rules are restored
#                   SWITCH_OFF=yes switches off ufw and firewalld, and on again with the old rules
# sh THIS keep      keeps it, for the next boots too. Run it in a new login: that shows that you can log in
# sh THIS undo      restores the old rules before that time
# sh THIS status    exit status 0: it is kept and loaded; 1: it is not; others: that cannot be seen. --json: as JSON
# sh THIS remove    removes all of it
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
LC_ALL=C
export PATH LC_ALL
umask 022
set -f
state=${EXPORT_STATE}
tables='${touched.join('\n')}'

${CHAIN_FUNCTIONS}
IFS=$nl

${STATE_FUNCTIONS}
${FIREWALL_FUNCTIONS}
${printFileFunctions(plan)}
${printStatusFunctions(ruleSet.families, generation)}
# Whether $1 is this script: one that comes through a pipe, or was cut off or changed, cannot roll back.
is_whole() {
	[ -f "$1" ] && [ "$(sed '$d' "$1" | cksum)" = "$sum" ] && [ "$(sed -n '$p' "$1")" = "{ sum='$sum$last" ]
}
last=${quote(LAST)}

load() {
	is_whole "$0" || refuse 'save this script to a file first, whole and unchanged: it is what rolls back. Nothing is changed'
	seconds=\${SECONDS_TO_CONFIRM-60}
	case $seconds in
	[1-9] | [1-9][0-9] | [1-9][0-9][0-9] | [1-9][0-9][0-9][0-9]) ;;
	*) refuse 'SECONDS_TO_CONFIRM is not a number from 1 to 9999. Nothing is changed' 2 ;;
	esac
	! there "$state" || refuse "another change waits, and is rolled back in $left s: keep or undo it first"
	rm -rf "$state.new"
	uptime
	boot
	id=$$-$now
	find_active
	[ -z "$active" ] || [ "\${SWITCH_OFF-}" = yes ] || {
		say "also active, and not switched off (SWITCH_OFF=yes): $(echo $active)"
		active=
	}
	[ -n "$boot" ] && mkdir -m 700 "$state.new" && save "$state.new" && write_files "$state.new" && cp "$0" "$state.new/script" &&
		is_whole "$state.new/script" &&
		note "$state.new/boot" "$boot" && note "$state.new/id" "$id" && note "$state.new/deadline" "$((now + seconds))" &&
		note "$state.new/stopped" "$active" && note "$state.new/unloaded" '' && mv "$state.new" "$state" || {
		rm -rf "$state.new"
		refuse "what restores the old rules could not be written to $state.new, or not read back. Nothing is changed"
	}
	arm && rm "$state/unloaded" && ! there "$state/unloaded" || {
		drop
		disarm "$id"
		refuse 'no watchdog could be started. Nothing is changed'
	}
	turn_others stop || not_loaded 'another firewall cannot be stopped'
	# As the boot does.
	sh "$state${RESTORE_FILE}.new"
	why='the rules do not load whole'
	if loaded && left && why="loading took longer than $seconds s" && [ "$left" -gt 0 ]; then
		say "loaded. The old rules are restored in $left s. To keep these, log in again (${NEW_CONNECTION}) and run: sh $0 keep"
		exit 0
	fi
	not_loaded "$why"
}

not_loaded() {
	why=$1
	roll_back || refuse "$why, and restoring the old rules failed (\${wrong#, }). The watchdog tries it again. See iptables-save and ip6tables-save" 5
	disarm "$id"
	refuse "$why: the old rules are restored" 4
}

keep() {
	[ -z "$settled" ] || exit 4
	there "$state" || refuse 'nothing waits to be kept' 1
	read -r id <"$state/id"
	active=$(cat "$state/stopped")
	loaded || not_kept "$why"
	write_files '' && sync_files || not_kept 'the files cannot be written beside those in /etc'
	back_up_files && note "$state/keeping" '' || not_kept 'the files in /etc cannot be saved'
	rename_files || not_kept "not written: $(echo $differs)"
	drop || not_kept "$state cannot be renamed"
	printf 'sh %s status\\n' "$0" 2>/dev/null >${COMMAND_FILE}
	disarm "$id"
	disable_others
	if command -v systemctl >/dev/null; then
		say 'kept'
	else
		say 'kept until the next boot. No systemd here: have /bin/sh ${RESTORE_FILE} run at boot, before the network comes up'
	fi
}

# The files are restored at once, the rules when the time is over.
not_kept() {
	wrong=
	if there "$state/keeping"; then restore_files; else remove_beside; fi
	left
	refuse "not confirmed: $1. The old rules are restored in $left s\${wrong:+, but these files could not be restored: \${wrong#, }}" 5
}

undo() {
	[ "$settled" != yes ] || exit 0
	there "$state" || refuse 'nothing waits to be undone' 1
	read -r id <"$state/id"
	roll_back || refuse "restoring failed: \${wrong#, }. See iptables-save and ip6tables-save, and run this again" 5
	disarm "$id"
	say 'the old rules are restored'
}

remove() {
	wrong= id=
	! there "$state/id" || read -r id <"$state/id"
	put_back '' '${OWN_TABLES.join('\n')}' || refuse "not removed: \${wrong#, }. No file was removed" 5
	remove_files || refuse "the rules are removed, but not these files, which the next boot may load: \${wrong#, }" 5
	! there "$state" || drop || refuse "all is removed but $state: the watchdog restores the old rules from it" 5
	[ -z "$id" ] || disarm "$id"
	rm -rf "$state.new" "$state.done"
	say 'removed'
}

main() {
	json=
	case \${1-}\${2-} in status--json) json=yes ;; esac
	case \${1-load} in
	load | keep | undo | status | remove | wait | fire) ;;
	*) refuse 'see what stands at the top of this script' 2 ;;
	esac
	for program in ${PROGRAMS.join(' ')}; do
		command -v "$program" >/dev/null || refuse "$program is not installed"
	done
	[ "$(id -u)" = 0 ] || refuse 'only root can see and change the firewall'
	case \${1-load} in
	wait) wait_until_due "$2" ;;
	fire) fire "$2" ;;
	*)
		lock
		settle
		"\${1-load}"
		;;
	esac
}

`;
	// Cut off anywhere, the last line does nothing.
	return `${script}{ sum='${cksum(script)}${LAST}\n`;
}
