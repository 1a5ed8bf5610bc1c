import {GROUP_PREFIX, OWN_CHAINS, OWN_PREFIX} from '../../ruleset/model.ts';
import {KNOWN_PROGRAMS} from '../../services/known-programs/find.ts';

const OWN_NAMES = OWN_CHAINS.map(({name}) => name).join(' ');
const OWN_JUMPS = OWN_CHAINS.map(({from, name}) => `-A ${from} -j ${name}`).join('|');

/**
 * Programs whose rules come and go, and let in what they need for their containers, tunnels and shared
 * connections, or ban addresses.
 */
const COMING_AND_GOING = KNOWN_PROGRAMS.filter(({kind}) => kind !== 'firewall');
const CHAINS = COMING_AND_GOING.flatMap(({chains}) => chains ?? []);
const RULES = COMING_AND_GOING.flatMap(({rules}) => rules ?? []);

/**
 * A program of awk (POSIX): its input is, for each table of a family, the line MARK FAMILY TABLE, the table as
 * iptables-save prints it, and once more with counters, by which a rule is told from a line break in a comment
 * (`joinRules`). It prints
 *
 *     own FAMILY TABLE RULE   each rule of our chains, and each jump to one of them, in one order
 *     front FAMILY RULE       each rule of others that may let packets in before our jump in INPUT is reached:
 *                             ACCEPT, NFQUEUE, RETURN, a goto, there or in a chain that INPUT leads to
 *     unread FAMILY TABLE     where the table cannot be read, instead
 *
 * Left out in front are rules of known programs, loopback, and answers, which our rules let in as well. What
 * blocks packets there opens nothing. Argument: -v mark=, which no rule can have in it.
 */
export const VIEW = String.raw`$1 == mark { print_table(); family = $2; table = $3; count = 0; next }
{ line[++count] = $0 }
END { print_table() }
function print_table(   half, end, i, text, counted, rules, word, chain, own, jump, inside, before, reached, name, names, group, groups, at) {
	half = count / 2
	for (end = int(half); end > 0 && line[end] != "COMMIT"; end--);
	if (count > 0 && (count % 2 || end == 0)) { print "unread " family " " table; return }
	for (i = 1; i < end; i++) {
		text = line[i]; counted = line[half + i]
		if (text ~ /^-A / && counted ~ /^\[[0-9]+:[0-9]+\] -A / && substr(counted, index(counted, " ") + 1) == text) rule[++rules] = text
		else if (rules) rule[rules] = rule[rules] "?" text
	}
	for (i = 1; i <= rules; i++) {
		text = rule[i]
		split(text, word, " "); chain = word[2]
		if (chain ~ /^${OWN_PREFIX}/) {
			if (chain ~ /^${GROUP_PREFIX}/ && !(chain in own)) {
				for (at = ++groups; at > 1 && group[at - 1] > chain; at--) group[at] = group[at - 1]
				group[at] = chain
			}
			own[chain] = own[chain] "own " family " " table " " text "\n"
		}
		else if (text ~ /^(${OWN_JUMPS})$/) {
			jump[word[4]] = "own " family " " table " " text "\n"
			if (chain == "INPUT") reached = 1
		} else if (chain != "INPUT") inside[chain] = inside[chain] " " i
		else if (!reached) before = before " " i
	}
	names = split("${OWN_NAMES}", name, " ")
	for (i = 1; i <= groups; i++) printf "%s", own[group[i]]
	for (i = 1; i <= names; i++) printf "%s%s", own[name[i]], jump[name[i]]
	split("", seen)
	if (table == "filter" && reached) walk(before, inside, 1)
}
function walk(list, inside, top,   at, last, number, text, to, how) {
	last = split(list, number, " ")
	for (at = 1; at <= last; at++) {
		to = text = rule[number[at]]
		gsub(/"([^"\\]|\\.)*"/, "x", to)
		if (to ~ /^-A INPUT -i lo -j ACCEPT$/ || to ~ /[^!] --(ctstate|state) (RELATED|ESTABLISHED)(,(RELATED|ESTABLISHED))* /) continue
		if (${RULES.map((pattern) => `text ~ ${posix(pattern)}`).join(' || ')}) continue
		if (!match(to, /.* -[jg] /)) continue
		how = substr(to, RLENGTH - 1, 1); to = substr(to, RLENGTH + 1); sub(/ .*/, "", to)
		if (to ~ /^(ACCEPT|NFQUEUE|QUEUE)$/ || (top && (to == "RETURN" || how == "g"))) print "front " family " " text
		if (to in seen || ${CHAINS.map((pattern) => `to ~ ${posix(pattern)}`).join(' || ')}) continue
		seen[to] = 1
		walk(inside[to], inside, 0)
	}
}
`;

/**
 * A program of awk: its input is a view as it should be, an empty line, and the view as it is. It prints what
 * differs, a line each: "ours" what the restore script mends, "theirs" what another program has put before it.
 */
export const COMPARE = String.raw`$0 == "" { now = 1; next }
$1 == "own" {
	text = $0; sub(/^own [46] [a-z]+ /, "", text)
	key = "IPv" $2 ": " $5
	if ($5 !~ /^${OWN_PREFIX}/) key = "IPv" $2 ": " $5 " has no jump to " $7
	if (!now) {
		if (!(key in want)) keys[++count] = key
		want[key] = want[key] text "\n"
		wanted[key, text] = 1
	} else {
		is[key] = is[key] text "\n"
		found[key, text] = 1
		if (!(key in want)) { want[key] = ""; keys[++count] = key }
		if (!((key, text) in wanted) && !(key in added)) added[key] = text
	}
}
$1 == "front" && !now { known[$0] = 1 }
$1 == "front" && now && !($0 in known) && !($0 in said) {
	said[$0] = 1
	text = $0; sub(/^front [46] /, "", text)
	fronts = fronts "theirs IPv" $2 ": before our rules: " substr(text, 1, 300) "\n"
}
$1 == "unread" && now { fronts = fronts "theirs IPv" $2 ": iptables cannot print the table " $3 ": another program keeps rules of nftables there\n" }
END {
	for (i = 1; i <= count; i++) {
		key = keys[i]
		if (want[key] == is[key]) continue
		if (key ~ / has no jump to /) { if (is[key] == "") print "ours " key; continue }
		if (is[key] == "") { print "ours " key " is gone or empty"; continue }
		if (want[key] == "") { print "ours " key " should not be there"; continue }
		how = " has its rules in another order"
		lines = split(want[key], line, "\n")
		for (at = lines - 1; at > 0; at--) if (!((key, line[at]) in found)) how = ": removed: " substr(line[at], 1, 300)
		if (key in added) how = ": added: " substr(added[key], 1, 300)
		print "ours " key how
	}
	printf "%s", fronts
}
`;

/** A pattern of JavaScript as one of POSIX awk, for those that are used here. */
function posix({source}: RegExp): string {
	return `/${source
		.replaceAll('(?:', '(')
		.replaceAll('\\d', '[0-9]')
		.replaceAll('\\b', '')
		.replace(/\[\[0-9\]/g, '[0-9')
		.replace(/\{12\}/g, '+')}/`;
}
