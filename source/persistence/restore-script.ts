import {CLOSED_NOTE} from '../change/paths.ts';
import {CHOOSE_IPTABLES, printChoice} from '../host/netfilter/choose-iptables.ts';
import {cksum} from '../lib/cksum.ts';
import type {Family} from '../lib/network.ts';
import {quote} from '../lib/shell-quote.ts';
import {tableLines} from '../ruleset/format-iptables.ts';
import {type FamilyRules, GROUP_PREFIX, OWN_PREFIX} from '../ruleset/model.ts';

type RestoreFamily = {
	readonly family: Family;
	/** The absolute path of the iptables of the backend in use; its -restore stands beside it. */
	readonly program: string;
	readonly rules: FamilyRules;
	/** What must hold even when the full rules do not load. */
	readonly floor: FamilyRules;
};

/**
 * The beginning of the first line. The checksum of everything below it follows, as cksum(1) prints
 * it: whatever runs the script can tell first whether it is damaged.
 */
export const SUM_LINE = '# cksum of the lines below: ';

/** Seconds for which a family that another program keeps locked is tried again. */
const LOCKED_SECONDS = 60;

/**
 * The rules of one generation, both families, and the way to load them: a POSIX sh script that loads
 * them into the chains of fw-wizard, with one jump each, whatever other rules are loaded. It never
 * fails open: a family whose rules do not load completely gets the floor, or of the floor the rules that
 * load, and DROP; where no chain can be made, the policy DROP. Exit status 0: all rules are loaded; 1: one of
 * these instead; 2: nothing.
 *
 * It ends within 60 s and one more attempt, about 75 s, and only after more than a few seconds where
 * another program keeps the lock of iptables. Everything is in functions, and the last line calls
 * them: a part of the script does nothing.
 */
export function printRestoreScript(
	families: readonly RestoreFamily[],
	modules: readonly string[],
): string {
	const script = `# Written by fw-wizard: loads the firewall rules, as the boot service does.
${CHOOSE_IPTABLES}
# Table $1 for iptables-restore: the lines $2, and the jumps (FROM TO ...) that are not there yet.
table() {
	printf '*%s\\n%s\\n' "$1" "$2"
	of=$1
	[ "$of" != filter ] || old_groups "$2"
	shift 2
	while [ "$#" -gt 1 ]; do
		jumps_to "$of" "$1" "$2" || echo "-A $1 -j $2"
		shift 2
	done
	echo COMMIT
}

# Whether chain $2 of table $1 jumps to $3. iptables 1.8.9 finds nothing behind a rule of nftables that it cannot print,
# though it loads some: nft(8) tells. 2: without nft, nothing does.
jumps_to() {
	"$tool" -w 10 -t "$1" -C "$2" -j "$3" 2>/dev/null && return
	case $("$tool" -w 10 -t "$1" -S "$2" 2>&1) in *"is incompatible, use 'nft' tool"*) ;; *) return 1 ;; esac
	command -v nft >/dev/null || return 2
	case \${tool##*/} in ip6*) set -- "$@" ip6 ;; *) set -- "$@" ip ;; esac
	nft list chain "$4" "$1" "$2" 2>/dev/null | grep -q " jump $3$"
}

# The lines that remove the groups of earlier rules that are not in the lines $1: nothing jumps to them any more.
old_groups() {
	all=$("$tool" -w 10 -S 2>/dev/null)
	printf '%s\\n' "$all" | sed -n 's/^-N \\(${GROUP_PREFIX}[a-z0-9-]*\\)$/\\1/p' | while read -r group; do
		case $1 in *":$group "*) continue ;; esac
		printf '%s\\n' "$all" | sed '/^-A ${OWN_PREFIX}/d' | grep -q " -[jg] $group$" ||
			printf ':%s - [0:0]\\n-X %s\\n' "$group" "$group"
	done
}

# Loads what command $@ prints, and asks whether it is reached. 4: another program has the lock; 3: the
# kernel or something else was busy, perhaps.
load() {
	case $("$tool" -w 10 -S INPUT 2>&1 >/dev/null) in
	*'xtables lock'* | *'lock file'*) return 4 ;;
	esac
	# Whole before it is loaded: legacy iptables-restore locks out iptables -C. Needs no disk.
	text=$("$@")
	# Cut off, it would load without an error, and filter nothing.
	[ -n "$text" ] && [ "\${text##*COMMIT}" = '' ] || return 1
	printf '%s\\n' "$text" | "$tool-restore" -w 10 --noflush || { [ "$?" != 4 ] || return 3; return 1; }
	jumps_to filter INPUT ${OWN_PREFIX}INPUT || [ "$?" = 2 ] || return 1
}

# The floor of family $1 by the rules that this kernel and this iptables still take, each tried in a chain that
# nothing uses. Without conntrack, only the answers of TCP can be told from what nobody asked for.
least() {
	set -f
	{ "$tool" -w 10 -F ${OWN_PREFIX}TRY || "$tool" -w 10 -N ${OWN_PREFIX}TRY; } 2>/dev/null || return
	"floor$1" | while IFS= read -r line; do
		rule=\${line#-A ${OWN_PREFIX}[A-Z]* }
		# The chain of a group need not be there yet.
		case $rule in *' -j ${GROUP_PREFIX}'*) tried="\${rule% -j *} -j ACCEPT" ;; *) tried=$rule ;; esac
		if [ "$line" = COMMIT ]; then
			echo "-A ${OWN_PREFIX}INPUT -j DROP"
		elif [ "$line" != "$rule" ] && ! "$tool" -w 10 -A ${OWN_PREFIX}TRY $tried 2>/dev/null; then
			echo "fw-wizard: IPv$1 without: $rule" >&2
			rule='-p tcp ! --syn -j ACCEPT'
			case $line in *ESTABLISHED*) "$tool" -w 10 -A ${OWN_PREFIX}TRY $rule ;; *) false ;; esac 2>/dev/null || continue
			line="-A ${OWN_PREFIX}INPUT $rule"
		fi
		echo "$line"
	done
	{ "$tool" -w 10 -F ${OWN_PREFIX}TRY; "$tool" -w 10 -X ${OWN_PREFIX}TRY; } 2>/dev/null
}

# Loads the floor of family $1. Behind a lock ($2 is 4) without it: the kernel takes no table that was
# made from an earlier one (EAGAIN), and a file of this process is locked by nobody.
floor() {
	[ "$2" != 4 ] || export XTABLES_LOCKFILE=/proc/self/environ
	load "floor$1" && return
	[ "$?" = 1 ] || return 1
	echo "fw-wizard: the IPv$1 floor does not load either; loading what is left of it" >&2
	load least "$1" && return
	[ "$?" = 1 ] || return 1
	# By whichever backend: each filters every packet.
	for closer in "$tool" "\${tool%-*}-nft" "\${tool%-*}-legacy"; do
		"$closer" -w 10 -P INPUT DROP 2>/dev/null || continue
		{ echo "$closer" >"$CLOSED$1"; } 2>/dev/null
		echo "fw-wizard: no IPv$1 chain can be made: everything is DROPPED, until the rules load, or: $closer -P INPUT ACCEPT" >&2
		return 0
	done
	return 1
}

# Takes back for family $1 that everything is dropped, if that was done since the boot.
reopen() {
	[ -r "$CLOSED$1" ] && read -r closer <"$CLOSED$1" && "$closer" -w 10 -P INPUT ACCEPT && rm "$CLOSED$1"
}

uptime() { read -r seconds rest </proc/uptime && echo "\${seconds%.*}"; }

# Loads family $1. What is in the way may go: with the floor loaded, the rules are tried again.
family() {
	status=2 tries=0
	end=$(($(uptime) + ${LOCKED_SECONDS}))
	until load "rules$1"; do
		why=$?
		[ "$tries" != 0 ] ||
			echo "fw-wizard: the IPv$1 rules do not load; loading the floor instead: only what cannot fail" >&2
		# Also behind a floor: of the rules, one table may be loaded.
		[ "$status$why" = 14 ] || { (floor "$1" "$why") && status=1; }
		tries=$((tries + 1))
		case $status$why in
		?4) [ "$(uptime)" -lt "$end" ] ;;
		11) false ;;
		*) [ "$tries" -lt 3 ] ;;
		esac || return "$status"
		sleep 1
	done
	[ "$tries" = 0 ] || echo "fw-wizard: now the IPv$1 rules are loaded" >&2
	reopen "$1"
	return 0
}

# One at a time, for ifupdown runs it for each interface. Only root can open the file, and so lock it.
one_at_a_time() {
	command -v flock >/dev/null && [ -r "$0" ] && exec 9<"$0" || return
	tries=0
	until flock -n 9 || [ "$tries" -ge 90 ]; do
		sleep 1
		tries=$((tries + 1))
	done
}

${families.map(printFamily).join('\n')}
main() {
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
	LC_ALL=C
	CLOSED=\${CLOSED:-${CLOSED_NOTE}}
	export PATH LC_ALL
${modules.map((module) => `	modprobe -q ${module} 2>/dev/null\n`).join('')}	one_at_a_time
	# Side by side: what keeps one family waiting does not keep the other.
	worst=0 started=
${families.map(({family}) => `	ipv${family} &\n	started="$started $!"\n`).join('')}	for process in $started; do
		wait "$process"
		status=$?
		[ "$status" -le "$worst" ] || worst=$status
	done
	exit "$worst"
}
main
`;
	return `${SUM_LINE}${cksum(script)}\n${script}`;
}

function printFamily({family, program, rules, floor}: RestoreFamily): string {
	return `rules${family}() {
${printTables(rules)}}
floor${family}() {
${printTables(floor)}}
ipv${family}() {
${printChoice(program)}family ${family} && return
status=$?
[ "$status" = 1 ] || echo "fw-wizard: not even the IPv${family} floor loads: IPv${family} is not filtered" >&2
return "$status"
}
`;
}

function printTables(rules: FamilyRules): string {
	return tableLines(rules)
		.map(
			({table, lines, jumps}) => `table ${table} ${quote(lines.join('\n'))} ${jumps.join(' ')}\n`,
		)
		.join('');
}
