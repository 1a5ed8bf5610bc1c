import {GROUP_PREFIX, OWN_CHAINS, OWN_PREFIX, OWN_TABLES} from '../ruleset/model.ts';

/**
 * Functions of POSIX sh that read our chains of iptables "$tool", and make them what they were. They
 * start no program but iptables: where the shell itself compares, no grep that fails can read as "nothing".
 * They need `set -f` and an IFS of a line break alone.
 */
export const CHAIN_FUNCTIONS = `nl='
'

# Our chains of table $1 in $chains, one a line: the chain that jumps to it, and its name. First come those
# of groups in the rules $2, with a dash: only our own chains jump to them.
chains_of() {
	case $1 in
${OWN_TABLES.map((table) => {
	const own = OWN_CHAINS.filter((chain) => chain.table === table);
	return `	${table}) chains='${own.map(({from, name}) => `${from} ${name}`).join('\n')}' ;;`;
}).join('\n')}
	esac
	groups=
	for line in $2; do
		case $line in
		'-N ${GROUP_PREFIX}'*) case $nl$groups in *"$nl- \${line#-N }$nl"*) ;; *) groups="$groups- \${line#-N }$nl" ;; esac ;;
		esac
	done
	chains=$groups$chains
}

# Reads the rules of table $1 into $read. A failure is no empty table: only legacy iptables says which
# tables the kernel has, and one that it does not have is empty. Read until it says the same twice: where the
# kernel is short of memory, iptables-nft 1.8.9 leaves out the rules of a chain, and succeeds.
read_rules() {
	for again in 1 2 3 4 5; do
		read=$("$tool" -w 10 -t "$1" -S 2>/dev/null) || { read=; break; }
		[ "$("$tool" -w 10 -t "$1" -S 2>/dev/null)" != "$read" ] || break
		[ "$again" != 5 ] || return 1
	done
	# In the table may be base chains of others, which it says first.
	case $read in '# '*) read=\${read#*"$nl"} ;; esac
	case $read in -P*) return 0 ;; esac
	[ "$1" != filter ] || return 1
	read=
	case $("$tool" -V 2>/dev/null) in *legacy*) ;; *) return 1 ;; esac
	known=$(cat "/proc/net/\${tool%tables}_tables_names" 2>/dev/null) || return 1
	case $nl$known$nl in *"$nl$1$nl"*) return 1 ;; *"\${nl}filter$nl"*) return 0 ;; esac
	return 1
}

# Whether $1 has an odd number of quotes: its text has a line break, and goes on in the next line.
odd() {
	text=$1
	while :; do
		case $text in
		*\\\\?*) after=\${text#*\\\\}; text=\${text%%\\\\*}\${after#?} ;;
		*) break ;;
		esac
	done
	parity=1
	while :; do
		case $text in
		*\\"*) text=\${text#*\\"}; parity=$((1 - parity)) ;;
		*) return "$parity" ;;
		esac
	done
}

# Finds chain $2 in the rules $read: its lines in $chain, in $count the jumps to it from $1, in $links
# what takes away every rule of other chains that leads to it. A rule with a line break in a text is passed over: the
# text could look like a rule of ours. $broken: one of them is in the chain.
find_chain() {
	chain= count=0 links= inside= broken=
	for line in $read; do
		case $line in
		*\\"*)
			if odd "$line"; then
				case $inside$line in "-A $2 "*) broken=yes ;; esac
				if [ -n "$inside" ]; then inside=; else inside=yes; fi
				continue
			fi ;;
		esac
		[ -z "$inside" ] || continue
		case $line in
		"-N $2" | "-A $2 "*) chain=$chain$line$nl ;;
		"-A ${OWN_PREFIX}"*) ;;
		"-A $1 -j $2") count=$((count + 1)) links="$links-D \${line#-A }$nl" ;;
		*" -j $2" | *" -g $2") links="$links-D \${line#-A }$nl" ;;
		esac
	done
}

# Makes our chains of table $1 what they are in the rules $2 (empty: none), and reads them back. Another
# program may change rules at the same moment: three tries. One that has locked them is waited for by
# iptables itself, for 10 s.
restore_table() {
	for try in 1 2 3 last; do
		read_rules "$1" || return 1
		now=$read lines= last_lines=
		chains_of "$1" "$2$nl$now"
		for pair in $chains; do
			read=$2
			find_chain "\${pair% *}" "\${pair#* }"
			was=$chain wanted=$count
			read=$now
			find_chain "\${pair% *}" "\${pair#* }"
			[ "$chain" != "$was" ] || [ "$count" != "$wanted" ] || [ -n "$broken" ] || continue
			lines="$lines:\${pair#* } - [0:0]$nl"
			if [ -z "$was" ]; then
				# A group goes last, when nothing jumps to it any more.
				case $pair in -*) last_lines="$last_lines$links-X \${pair#* }$nl" ;; *) lines="$lines$links-X \${pair#* }$nl" ;; esac
				continue
			fi
			for line in $was; do
				case $line in -A*) lines=$lines$line$nl ;; esac
			done
			while [ "$count" -lt "$wanted" ]; do
				lines="$lines-A \${pair% *} -j \${pair#* }$nl" count=$((count + 1))
			done
			while [ "$count" -gt "$wanted" ]; do
				lines="$lines-D \${pair% *} -j \${pair#* }$nl" count=$((count - 1))
			done
		done
		lines=$lines$last_lines
		[ -n "$lines" ] || return 0
		[ "$try" != last ] || return 1
		# Cut off, it has no COMMIT, and changes nothing.
		printf '*%s\\n%sCOMMIT\\n' "$1" "$lines" | "$tool-restore" -w 10 --noflush || sleep 1
	done
	return 1
}
`;
