import {POLICY_FILE, WATCH_FILE, WATCH_STATE_DIR} from '../change/paths.ts';
import {quote} from '../lib/shell-quote.ts';
import {printRule} from '../ruleset/format-iptables.ts';
import {type FamilyRules, findChain, isGroup, ownChains} from '../ruleset/model.ts';

/**
 * The functions of the exported script that compare the machine with what the script would load and write: `loaded`,
 * which changes need, and `status`, which tells all of it.
 *
 * `status --json` prints one object, whose form does not change within a version:
 *
 *     version    1
 *     well       whether there is nothing to tell: no drift, nothing foreign, no change that waits
 *     waits      seconds until a change is rolled back; null: none waits
 *     ipv4 ipv6  whether the rules of this script are loaded and reached, and no others in their chains
 *     next_boot  whether the next boot loads them; null: without systemd that is for the user to see to
 *     watch      whether systemd starts the watch
 *     drift      what is not as this script has it, a text each: the script mends it
 *     foreign    rules of other programs that came before the jump since the rules were kept: it mends none of these
 *     before     all such rules, as iptables has them
 *     firewalls  ufw, firewalld: those that are active, too
 *
 * What cannot be seen is `{"error": {"message", "code"}}` with the exit status as code.
 * @param generation the first line of the restore script: by that, the record of the watch names the rules
 */
export function printStatusFunctions(families: readonly FamilyRules[], generation: string): string {
	return `# Whether the rules are loaded in both families: 0. Else $why says what is not: 1; or what cannot be read: 3.
loaded() { loaded4 && loaded6; }

${families.map(printLoaded).join('\n')}
# Rule $3... is in chain $2 of table $1. A "no" is asked for twice: one that comes of a failure is none.
has() {
	table=$1 chain=$2
	shift 2
	for try in 1 2; do
		"$tool" -w 10 -t "$table" -C "$chain" "$@" 2>/dev/null
		case $? in
		0) return 0 ;;
		1) ;;
		*) why="the $table table of $tool cannot be read"; return 3 ;;
		esac
	done
	IFS=' '
	why="$tool has no rule in $chain: $*"
	IFS=$nl
	return 1
}

# Chain $3 of table $1 has $4 lines, and a jump from $2, unless that is a dash.
holds() {
	why="the $1 table of $tool cannot be read"
	read_rules "$1" || return 3
	find_chain "$2" "$3"
	why="$tool has no $3 that is jumped to, with the rules of this script and no others"
	lines=0
	for line in $chain; do lines=$((lines + 1)); done
	[ "$count" -ge 1 ] || [ "$2" = - ] && [ "$lines" = "$4" ] && [ -z "$broken" ]
}

# Has the watch of this script say what it finds, where it has a record of the rules: it sees their order, and what
# comes before the jump, since the rules were kept. What it says of the rules themselves is of use where they are those
# of this script.
ask_watch() {
	of=
	{ IFS= read -r of; } 2>/dev/null <${WATCH_STATE_DIR}/record
	[ -n "$of" ] || return 0
	case $nl$differs in
	*"$nl${WATCH_FILE}$nl"*)
		script=$state.look${WATCH_FILE}.new
		rm -rf "$state.look"
		mkdir -m 700 "$state.look" && write_files "$state.look"
		;;
	*) script=${WATCH_FILE} ;;
	esac
	said=$(sh "$script" compare 2>/dev/null) || said=
	rm -rf "$state.look"
	for line in $said; do
		case $line in
		'ours IPv4'*) [ "$of" != "$generation" ] || ipv4=false drift="$drift\${line#ours }$nl" ;;
		'ours IPv6'*) [ "$of" != "$generation" ] || ipv6=false drift="$drift\${line#ours }$nl" ;;
		# What iptables cannot print is asked for rule by rule, below.
		'theirs IPv'[46]': iptables cannot print '*) ;;
		'theirs '*) foreign="$foreign\${line#theirs }$nl" ;;
		'front 4 '*) before="\${before}iptables \${line#front 4 }$nl" ;;
		'front 6 '*) before="\${before}ip6tables \${line#front 6 }$nl" ;;
		'unit '*) drift="$drift\${line#unit }$nl" ;;
		esac
	done
}
generation=${quote(generation)}

# What family $1 has not loaded, in $missing.
ask_iptables() {
	missing=
	"loaded$1" || case $? in
	1) missing="not loaded: $why$nl" ;;
	*) refuse "$why" ;;
	esac
}

status() {
	[ "$settled" != failed ] || exit 5
	drift= foreign= before= ipv4=true ipv6=true next_boot=true watch=true waits=null
	! there "$state" || waits=$left drift="not kept: a change waits. The old rules are restored in $left s$nl"
	files_kept || case $? in
	1) ;;
	*) refuse "$differs cannot be read" ;;
	esac
	for file in $differs; do
		drift="\${drift}not kept: $file is missing, or not that of this script$nl"
		case $file in
		*-watch.* | *-look.* | ${WATCH_FILE}) watch=false ;;
		${POLICY_FILE}) ;;
		*) next_boot=false ;;
		esac
	done
	command -v systemctl >/dev/null || next_boot=null watch=false
	find_active
	# First what can fail: while another program has locked iptables, the watch would wait for long.
	ask_iptables 4
	missing4=$missing
	ask_iptables 6
	ask_watch
	[ -z "$missing4" ] || { [ "$ipv4" = false ] || drift=$drift$missing4; ipv4=false; }
	[ -z "$missing" ] || { [ "$ipv6" = false ] || drift=$drift$missing; ipv6=false; }
	well=false
	[ -n "$drift$foreign" ] || well=true
	if [ -n "$json" ]; then
		printf '{"version":1,"well":%s,"waits":%s,"ipv4":%s,"ipv6":%s,"next_boot":%s,"watch":%s,"drift":[%s],"foreign":[%s],"before":[%s],"firewalls":[%s]}\\n' \\
			"$well" "$waits" "$ipv4" "$ipv6" "$next_boot" "$watch" "$(texts "$drift")" "$(texts "$foreign")" "$(texts "$before")" "$(texts "$active")"
	elif [ "$well" = true ]; then
		say 'kept and loaded'
	else
		for line in $drift$foreign; do say "$line"; done
	fi
	[ "$well" = true ] || exit 1
}

# The lines of $1 as texts of JSON.
texts() { printf '%s' "$1" | sed 's/[\\\\"]/\\\\&/g; s/.*/"&"/; $!s/$/,/'; }

`;
}

function printLoaded(rules: FamilyRules): string {
	const chains = ownChains(rules).flatMap(({table, from, name}) => {
		const chain = findChain(rules, table, name);
		return chain
			? [
					`	holds ${table} ${isGroup(name) ? '-' : from} ${name} ${chain.rules.length + 1} || return\n`,
					...chain.rules.map(
						(rule) => `	has ${table} ${name} ${printRule(rule, rules.family)} || return\n`,
					),
				]
			: [];
	});
	return `loaded${rules.family}() {\n	tool=${rules.family === 4 ? 'iptables' : 'ip6tables'}\n${chains.join('')}}\n`;
}
