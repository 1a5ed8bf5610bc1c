import {GROUP_PREFIX} from '../ruleset/model.ts';

/** Functions of POSIX sh for scripts that restore chains with iptables "$tool". */
export const JUMPS = `# Prints a line of a restore file. A file without it would say something else: $bad is set where it is missing.
put() { printf '%s\\n' "$1" || bad=yes; }

# What function $1 prints, and a comment behind it where nothing is missing.
whole() {
	bad= waited=
	"$1"
	[ -n "$bad" ] || echo '# whole'
}

# Sets $rules to table $1 as it is, a line for each rule, and a comment that says that none is missing. A comment or a name can have line breaks in it, and behind them
# whatever looks like a rule: but a rule begins only where the save with counters differs by them. A rule of
# more than one line is put in one behind a plus sign. Another program may change rules in between.
# Status 2: nftables has rules in the table that iptables cannot print. It prints none then, but still loads (1.8.9).
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
		case $("$tool-save" -t "$1" 2>/dev/null) in '# Table '*' is incompatible, '*) return 2 ;; esac
	done
	return 1
}

# The lines that bring the jumps from $2 to $3 in table $1 to the number $4. The kernel refuses a deletion of what is not
# there; what was added is marked.
jumps() {
	for reading in 1 2; do
		# What is not known is not changed.
		saved "$1"
		case $? in
		0) now=0 ;;
		# It deletes nothing behind such a rule, and what a change adds is there.
		2) now=$4; [ "$4" -le "$5" ] || now=$5 ;;
		*) bad=yes; return ;;
		esac
		IFS='
'
		set -f
		for line in $rules; do [ "$line" != "-A $2 -j $3" ] || now=$((now + 1)); done
		set +f
		unset IFS
		# One of the $5 after the change that is missing may not have been read: where the kernel is short of memory,
		# iptables-nft-save 1.8.9 leaves out the rules of a chain, and succeeds. Added a second time, it would not be the
		# one that is taken away later.
		[ "$now" -lt "$4" ] && [ "$now" -lt "$5" ] && [ "$reading" = 1 ] || break
		[ -n "$waited" ] || pause 1
		waited=yes
	done
	while [ "$now" -lt "$4" ]; do put "-A $2 -j $3"; put '# added'; now=$((now + 1)); done
	while [ "$now" -gt "$4" ]; do put "-D $2 -j $3"; now=$((now - 1)); done
}
`;

/** A function that removes a chain, for a script with those above; `$try` is 3 where that may not be exact. */
export const UNLINK = `# The lines that take away chain $2 of table $1, and every rule that leads to it, whoever made it. A rule
# that no line can name keeps the chain: it is empty, and decides nothing. Built-in chain $3 leads to it, unless empty.
# The other arguments are for sed(1).
unlink_chain() {
	saved "$1"
	case $? in
	0) ;;
	2) unlink_native "$@"; return ;;
	*) bad=yes; return ;;
	esac
	if [ "$try" = 3 ] || printf '%s\\n' "$rules" | grep -q -e "^+.* -[jg] $2\\$"; then
		[ -z "$3" ] || jumps "$1" "$3" "$2" 0
	else
		chain=$2
		shift 3
		printf '%s\\n' "$rules" | sed -n "$@" -e "/^-A .* -[jg] $chain\\$/s/^-A/-D/p" || bad=yes
		put "-X $chain"
	fi
}

# The same beside rules that iptables cannot print: nft(8) removes the jumps first, by their handles.
unlink_native() {
	[ "$try" != 3 ] || return 0
	# Only our own chain leads to one of a group, and that is empty.
	case $2 in ${GROUP_PREFIX}*) put "-X $2"; return ;; esac
	[ -n "$3" ] || return 0
	removed=
	case \${tool##*/} in ip6*) set -- "$1" "$2" "$3" ip6 ;; *) set -- "$1" "$2" "$3" ip ;; esac
	for handle in $(nft -a list chain "$4" "$1" "$3" 2>/dev/null | sed -n "s/^.* jump $2 # handle \\([0-9]*\\)$/\\1/p"); do
		nft delete rule "$4" "$1" "$3" handle "$handle" && removed=yes
	done 2>/dev/null
	[ -z "$removed" ] || put "-X $2"
}

`;
