import {RESTORE_FILE} from '../change/paths.ts';
import {CHOOSE_IPTABLES, printChoice} from '../host/netfilter/choose-iptables.ts';
import type {Family} from '../lib/network.ts';
import {quote} from '../lib/shell-quote.ts';
import {OWN_CHAINS, OWN_PREFIX} from '../ruleset/model.ts';

export type RestoreFamily = {
	readonly family: Family;
	/** The absolute path of the iptables of the backend in use; its -restore stands beside it. */
	readonly program: string;
	/** The file with the full rules. */
	readonly file: string;
	/** A restore file of what must hold even when the full rules do not load. */
	readonly floor: string;
};

/**
 * The only program that runs at boot: a POSIX sh script that loads the rules into the chains of
 * fw-wizard, with one jump each, whatever other rules are loaded. It never fails open: a family whose
 * rules do not load completely gets the floor. Exit status 0: all rules are loaded; 1: a floor is
 * loaded; 2: not even a floor.
 */
export function printRestoreScript(
	families: readonly RestoreFamily[],
	modules: readonly string[],
): string {
	const jump = OWN_CHAINS.map(({from, name}) => `'-A ${from} -j ${name}'`).join('|');
	return `#!/bin/sh
# Written by fw-wizard: loads the firewall rules, as the boot service does.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
LC_ALL=C
export PATH LC_ALL
status=0
${modules.map((module) => `modprobe -q ${module} 2>/dev/null`).join('\n')}

${CHOOSE_IPTABLES}
# One at a time: ifupdown runs it for each interface.
[ -r ${RESTORE_FILE} ] && exec 9<${RESTORE_FILE} && flock 9 2>/dev/null

# The restore file on standard input, less the jumps that are there already.
without_jumps() {
	table=
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'*'*) table=\${line#?} ;;
		${jump})
			set -- $line
			"$tool" -w 10 -t "$table" -C "$2" -j "$4" 2>/dev/null && continue ;;
		esac
		printf '%s\\n' "$line"
	done
}

# A file that was cut off or emptied loads without an error, and filters nothing.
whole() {
	case $1 in
	*'
:${OWN_PREFIX}INPUT '*'
COMMIT') return 0 ;;
	esac
	return 1
}

# Loads the rules $1, and asks whether they are reached. All of $1 is there before: legacy
# iptables-restore locks out iptables -C. No file is written: at boot there may be no place for one.
load() {
	printf '%s\\n' "$1" | "$tool-restore" -w 10 --noflush &&
		"$tool" -w 10 -C INPUT -j ${OWN_PREFIX}INPUT 2>/dev/null
}

# $1: family, $2: file, $3: floor.
family() {
	rules=$(without_jumps 2>/dev/null <"$2")
	if whole "$rules" && load "$rules"; then
		return
	fi
	echo "fw-wizard: the IPv$1 rules in $2 do not load; loading the floor instead: only what cannot fail" >&2
	if load "$(printf '%s\\n' "$3" | without_jumps)"; then
		[ "$status" -ge 1 ] || status=1
	else
		echo "fw-wizard: not even the IPv$1 floor loads: IPv$1 is NOT FILTERED" >&2
		status=2
	fi
}

${families.map(printFamily).join('\n')}
exit "$status"
`;
}

function printFamily({family, program, file, floor}: RestoreFamily): string {
	return `${printChoice(program)}family ${family} ${quote(file)} ${quote(floor.trimEnd())}
`;
}
