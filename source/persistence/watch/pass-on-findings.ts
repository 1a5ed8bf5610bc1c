import {LAST_CHECK_FILE, LAST_PROOF_FILE, POLICY_FILE} from '../../change/paths.ts';
import {quote} from '../../lib/shell-quote.ts';
import {GROUP_PREFIX, OWN_CHAINS, OWN_PREFIX} from '../../ruleset/model.ts';

const [{name: INPUT_CHAIN}] = OWN_CHAINS;

/** The program of --notify is called at most once in so many seconds for the same finding, and so often for all. */
const [NOTIFY_SECONDS, MOST_CALLS] = [3600, 10];
/** So many seconds it may take. */
const CALL_SECONDS = 30;

/** The first line of a file of metrics. */
export const METRICS_HEAD =
	'# HELP fw_wizard_active Whether the rules of fw-wizard are loaded and INPUT leads to them.';

/**
 * A program of awk (POSIX): its input is a view (`VIEW` in view-rules.ts), and `iptables-save -c` of each family
 * behind a line MARK FAMILY. It prints the metrics that depend on rules. Of rules only numbers get there.
 * Arguments: -v mark=, families= ("4 6").
 */
const RULE_METRICS = String.raw`{ gsub(/"([^"\\]|\\.)*"/, "x") }
$1 == mark { family = $2; next }
$1 == "own" && $3 == "filter" {
	if ($0 ~ / -A INPUT -j ${INPUT_CHAIN}$/) reached[$2] = 1
	if ($5 == "${INPUT_CHAIN}") rules[$2] = 1
	if ($5 ~ /^(${INPUT_CHAIN}$|${GROUP_PREFIX})/ && / -p (tcp|udp) / && / -j ACCEPT$/ && !/ (--sport|--ctstate) /) mark_ports()
}
family && /^\[[0-9]+:[0-9]+\] -A ${OWN_PREFIX}/ && / -j (DROP|REJECT)( |$)/ {
	blocked[family] += substr($1, 2) + 0
}
function mark_ports(   list, ports, range, i, port, protocol) {
	match($0, / -p (tcp|udp) /); protocol = substr($0, RSTART + 4, 3)
	list = "0:65535"
	if (match($0, / --dports? [0-9:,]+/)) { list = substr($0, RSTART + 1, RLENGTH - 1); sub(/^[^ ]* /, "", list) }
	split(list, ports, ",")
	for (i in ports) {
		if (split(ports[i], range, ":") < 2) range[2] = range[1]
		for (port = range[1] + 0; port <= range[2] + 0; port++)
			if (!(($2, protocol, port) in open)) { open[$2, protocol, port] = 1; count[$2, protocol]++ }
	}
}
function head(name, type, help) { printf "# HELP fw_wizard_%s %s\n# TYPE fw_wizard_%s %s\n", name, help, name, type }
END {
	last = split(families, each, " ")
	head("active", "gauge", "Whether the rules of fw-wizard are loaded and INPUT leads to them.")
	for (i = 1; i <= last; i++) printf "fw_wizard_active{family=\"%s\"} %d\n", each[i], (each[i] in reached) && (each[i] in rules)
	head("open_ports", "gauge", "How many ports the loaded rules of fw-wizard open, to anybody or to some.")
	for (i = 1; i <= last; i++) {
		printf "fw_wizard_open_ports{family=\"%s\",protocol=\"tcp\"} %d\n", each[i], count[each[i], "tcp"]
		printf "fw_wizard_open_ports{family=\"%s\",protocol=\"udp\"} %d\n", each[i], count[each[i], "udp"]
	}
	head("blocked_packets_total", "counter", "How many packets the rules of fw-wizard have blocked since they were loaded.")
	for (i = 1; i <= last; i++) printf "fw_wizard_blocked_packets_total{family=\"%s\"} %.0f\n", each[i], blocked[each[i]]
}
`;

/**
 * The functions of the watch script that pass on what was found: to the program of --notify, and to the file of
 * --textfile. They call `counted`, which prints the counters of each family.
 * @param families as in `4 6`
 */
export function printPassOn(families: string): string {
	return `# A JSON list of the lines of its input.
json_list() {
	tr -c '\\040-\\176\\n' '?' | sed 's/[\\\\"]/\\\\&/g' | awk 'BEGIN { printf "[" } $0 != "" { printf "%s\\"%s\\"", n++ ? "," : "", $0 } END { printf "]" }'
}

# Has the program of --notify told what is wrong ($wrong) or was mended ($mended), unless it was told lately: behind
# the lock, and in the background. Keeps in $notified when it was told what.
pass_on() {
	[ -n "$notify" ] && [ -n "$wrong$mended" ] || return 0
	# Which services ran meanwhile makes it no other finding.
	key=$(printf '%s' "$wrong\${mended:+$before}" | cksum 2>/dev/null)
	key=\${key%% *} lately= calls=0
	for at in $notified; do
		[ "\${at%:*}" -gt $((now - ${NOTIFY_SECONDS})) ] || continue
		lately="$lately$at " calls=$((calls + 1))
		[ "\${at#*:}" != "$key" ] || return 0
	done
	[ "$calls" -lt ${MOST_CALLS} ] || return 0
	notified=$lately$now:$key
	keep
	what=drift
	[ -n "$wrong" ] || what=repaired
	if [ -z "$(find -L "$notify" -prune -type f -user 0 -perm -100 ! -perm -020 ! -perm -002 2>/dev/null)" ]; then
		say ${MESSAGE_IDS.notify} "$notify is not run: it is not a program that only root may change"
		return
	fi
	# $host is a list of one.
	host=$(json_list </proc/sys/kernel/hostname)
	host=\${host#?}
	json=$(printf '{"what":"%s","time":"%s","host":%s,"drift":%s,"repaired":%s}' "$what" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "\${host%?}" \\
		"$(printf '%s' "$wrong" | json_list)" "$(printf '%s' "$mended" | json_list)")
	(
		exec 7<&- 8<&-
		printf '%s\\n' "$json" | timeout -k 5 ${CALL_SECONDS} "$notify" >/dev/null 2>&1 ||
			say ${MESSAGE_IDS.notify} "$notify has failed with $?"
	) &
}

# Whether file $1, if it is there and not older than the policy, says in JSON that $2 is true: the metrics $3.
when_last() {
	[ ! ${POLICY_FILE} -nt "$1" ] || return 0
	seconds=$(date -r "$1" +%s) || return 0
	well=0
	! grep -q "\\"$2\\":true" "$1" || well=1
	printf '# HELP fw_wizard_%s_timestamp_seconds When the last one was.\\n# TYPE fw_wizard_%s_timestamp_seconds gauge\\nfw_wizard_%s_timestamp_seconds %s\\n' "$3" "$3" "$3" "$seconds"
	printf '# HELP fw_wizard_%s_well Whether it found nothing wrong.\\n# TYPE fw_wizard_%s_well gauge\\nfw_wizard_%s_well %s\\n' "$3" "$3" "$3" "$well"
}

one_metric() { printf '# HELP fw_wizard_%s %s\\n# TYPE fw_wizard_%s %s\\nfw_wizard_%s %s\\n' "$1" "$4" "$1" "$3" "$1" "$2"; }

metrics() {
	read -r mark </proc/sys/kernel/random/uuid
	{
		printf '%s\\n' "$seen"
		counted
	} | awk -v "mark=$mark" -v 'families=${families}' ${quote(RULE_METRICS)}
	one_metric drift "$(printf '%s' "$open" | grep -c .)" gauge 'How many findings say that the firewall is not as it was confirmed.'
	one_metric repairs_total "$total" counter 'How often the watch has loaded the rules again since the boot.'
	one_metric next_boot_ready "$next" gauge 'Whether the next boot loads the rules.'
	one_metric last_look_timestamp_seconds "$(date +%s)" gauge 'When the watch has looked last.'
	when_last ${LAST_CHECK_FILE} well last_check
	when_last ${LAST_PROOF_FILE} proven last_proof
}

# Writes the file of --textfile whole. Its folder may belong to another user, who could put a link there: so it is
# written in a folder of root's own inside of it, and renamed.
write_metrics() (
	[ -n "$textfile" ] && cd "\${textfile%/*}/" && here=$(pwd -P) && new=$(mktemp -d .fw-wizard.XXXXXX) || return 0
	# A folder's setgid bit is passed on.
	cd "./$new" && [ "$(pwd -P)" = "\${here%/}/$new" ] && [ -n "$(find . -prune -user 0 ! -perm -020 ! -perm -002)" ] ||
		{ rmdir "$here/$new"; return 0; }
	metrics >metrics && chmod 644 metrics && mv -fT metrics "../\${textfile##*/}"
	rm -f metrics
	rmdir "$here/$new"
) 2>/dev/null
`;
}

/** By what a message of the watch is found in the journal: journalctl MESSAGE_ID=… (sd_journal_print(3)). */
export const MESSAGE_IDS = {
	drift: 'f9f7bd34118a45a4a7b7d990d521f1cf',
	repaired: 'ec09abedcefc45d0a0f28d49b6a75b64',
	restored: '9c37328e6bcb4a2e85e250954dfa1be0',
	notify: '2f6d0a7c51e94b0f9a1c6e7d3b8f4a25',
} as const;
