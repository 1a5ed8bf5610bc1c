/** Functions of POSIX sh for scripts that restore chains with iptables "$tool". */
export const JUMPS = `# Sets $rules to table $1 as it is, a line for each rule, and a comment that says that none is missing. A comment or a name can have line breaks in it, and behind them
# whatever looks like a rule: but a rule begins only where the save with counters differs by them. A rule of
# more than one line is put in one behind a plus sign. Another program may change rules in between.
saved() {
	for again in 1 2 3 4 5 6 7 8 9; do
		rules=$({ "$tool-save" -t "$1" && "$tool-save" -c -t "$1" && echo whole; } 2>/dev/null | awk '
			{ line[NR] = $0 }
			END {
				if (line[NR] != "whole" || NR % 2 == 0) exit 1
				half = (NR - 1) / 2
				for (end = half; end > 0 && line[end] != "COMMIT"; end--);
				if (half > 0 && end == 0) exit 1
				for (i = 1; i < end; i++) {
					counted = line[half + i]
					if (line[i] ~ /^-A / && match(counted, /^\\[[0-9]+:[0-9]+\\] /) && substr(counted, RLENGTH + 1) == line[i])
						rule[++rules] = line[i]
					else if (rules > 0 || line[i] ~ /^-A /) {
						if (rules == 0 || counted != line[i]) exit 1
						if (!odd[rules]++) rule[rules] = "+" rule[rules]
						rule[rules] = rule[rules] " " line[i]
					}
				}
				for (i = 1; i < end && line[i] !~ /^-A /; i++) print line[i]
				for (i = 1; i <= rules; i++) print rule[i]
				if (end > 0) print "COMMIT"
				print "# whole"
			}')
		case $rules in *'# whole') return ;; esac
	done
	return 1
}

# The lines that bring the jumps from $2 to $3 in table $1 to the number $4.
jumps() {
	# A line that no restore takes: what is not known is not changed.
	saved "$1" || { echo unreadable; return; }
	now=0
	IFS='
'
	set -f
	for line in $rules; do [ "$line" != "-A $2 -j $3" ] || now=$((now + 1)); done
	set +f
	unset IFS
	while [ "$now" -lt "$4" ]; do echo "-A $2 -j $3" || echo unreadable; now=$((now + 1)); done
	while [ "$now" -gt "$4" ]; do echo "-D $2 -j $3" || echo unreadable; now=$((now - 1)); done
}
`;

/** A function that removes a chain, for a script with those above; `$try` is 3 where that may not be exact. */
export const UNLINK = `# The lines that take away chain $2 of table $1, and every rule that leads to it, whoever made it. A rule
# that no line can name keeps the chain: it is empty, and decides nothing. Built-in chain $3 leads to it.
unlink_chain() {
	saved "$1" || { echo unreadable; return; }
	if [ "$try" = 3 ] || printf '%s\\n' "$rules" | grep -q -e "^+.* -[jg] $2\\$"; then
		jumps "$1" "$3" "$2" 0
	else
		printf '%s\\n' "$rules" | sed -n -e "/^-A .* -[jg] $2\\$/s/^-A/-D/p"
		echo "-X $2"
	fi
}

`;
