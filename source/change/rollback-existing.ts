import {chainsBehind, restoredRules, touchedChains} from '../existing/cleanup-format.ts';
import {quote} from '../lib/shell-quote.ts';
import {findChain} from '../ruleset/model.ts';
import {FIREWALLD_TABLE} from '../services/known-programs/firewalls.ts';
import type {SnapshotCleanup} from './cleanup.ts';

/**
 * The rules that a change removes in the backend that is not in use, and that backend's iptables
 * (absolute).
 */
export type ForeignChange = {readonly program: string; readonly cleanup: SnapshotCleanup};

/** The functions of the rollback script that restore the rules of other programs. */
export const MEND = `# Sets $now to the filter table as it is. Of one that iptables cannot print nothing is known, and built-in chains keep what
# they have: the earlier rules come ahead of it.
read_now() {
	saved filter
	unprinted=$? now=$rules
	case $unprinted in 0) unprinted= ;; 2) now='# whole' ;; *) bad=yes ;; esac
}
flush() { [ -n "$unprinted" ] || put "-F $1"; }

# The rules of chain $1 as they were. What others have put there since stays: ahead of our jump what stands ahead of
# it, behind it what stands behind. A rule of more than one line gets spaces in place of line breaks; the last try has
# only what every restore reads. The comment comes last: without it, something is missing.
mend() {
	ahead=
	case $unprinted$1 in 2INPUT | 2FORWARD | 2OUTPUT) ahead=yes ;; esac
	mended=$(printf '%s\\n\\n%s\\n' "$was" "$now" | awk -v chain="$1" -v try="$try" -v ahead="$ahead" '
		function were() {
			if (ahead) for (i = olds; i > 0; i--) print "-I" substr(older[i], 3)
			else for (i = 1; i <= olds; i++) print older[i]
			olds = 0
		}
		function is_in(line) { return index(line, "-A " chain " ") == 1 }
		!now && $0 == "" { now = 1; next }
		!now { old[$0]; if (is_in($0)) older[++olds] = $0; next }
		{ last = $0 }
		$0 == "-A " chain " -j FW-WIZARD-INPUT" { were(); next }
		try == 3 && $0 !~ /^-A [A-Za-z0-9_.:,\\/!@%= -]*$/ { next }
		{ sub(/^\\+/, "") }
		is_in($0) && !($0 in old) && $0 !~ / -[jg] FW-WIZARD-[A-Z]*$/
		END { were(); if (last == "# whole") print "# mended" }')
	case $mended in *'# mended') put "$mended" ;; *) bad=yes ;; esac
}

# The same without what others have put there, and whether it is gone.
were() {
	IFS='
'
	set -f
	for line in $was; do
		case $line in "-A $1 "*) put "$line" ;; esac
	done
	set +f
	unset IFS
}
gone() {
	# No list says so there, but what is gone can be made.
	[ -z "$unprinted" ] || { "$tool" -w 10 -N "$1" 2>/dev/null; return; }
	case $now in ":$1 "* | *"
:$1 "*) return 1 ;; esac
}

`;

/**
 * A line of sh that sets `$was` to the rules of other programs before the change. The script carries them
 * itself: a file beside it could be removed while it waits.
 */
export function printWas({snapshot, cleanup}: SnapshotCleanup): string {
	return `was=${quote(restoredRules(snapshot, cleanup).join('\n'))}\n`;
}

/** A chain's name in a basic regular expression, between slashes. */
export function patternOf(chain: string): string {
	return chain.replaceAll(/[.[\]*^$/\\]/g, '\\$&');
}

/** A table that the script loads, from the commands that print its lines. */
export function printTable(table: string, commands: readonly string[]): string {
	return [`	put '*${table}'`, ...commands, "	put 'COMMIT'"].join('\n');
}

/**
 * The filter table with the chains that lost rules as they were, in the same order and with the
 * same policies. A chain that they lead to and that somebody has removed since comes back, too: else
 * nothing could.
 * @param first the commands for the chains of fw-wizard
 * @param last the commands that remove them
 */
export function printMending(
	{snapshot, cleanup}: SnapshotCleanup,
	first: readonly string[] = [],
	last: readonly string[] = [],
): string {
	const touched = touchedChains(cleanup);
	const behind = chainsBehind(snapshot, touched);
	const policyOf = (name: string) => findChain(snapshot.rules, 'filter', name)?.policy;
	const policies = new Set([...touched, ...cleanup.policies.map(({chain}) => chain)]);
	return [
		'	read_now',
		printTable('filter', [
			...first,
			...touched.map((name) =>
				policyOf(name) === undefined ? `	put ':${name} - [0:0]'` : `	flush ${name}`,
			),
			...behind.map((name) => `	gone ${name} && put ':${name} - [0:0]'`),
			...touched.map((name) => `	mend ${name}`),
			...behind.map((name) => `	gone ${name} && were ${name}`),
			...last,
			...[...policies].flatMap((name) => {
				const policy = policyOf(name);
				return policy === undefined ? [] : [`	put '-P ${name} ${policy}'`];
			}),
		]),
	].join('\n');
}

/**
 * firewalld: its table is woken where that only sleeps, and the daemon is started where it was killed,
 * since it owned its table. Such a table has the flag persist, which must be repeated. When the daemon
 * starts it empties all tables of iptables, which is why what was in them is loaded again. It answers
 * once its rules are loaded, and gets what it had never saved.
 * @param unsaved arguments of firewall-cmd
 */
export function printWaking(
	families: ReadonlyArray<{readonly program: string}>,
	unsaved: ReadonlyArray<readonly string[]>,
): string {
	const programs = families.map(({program}) => program);
	return `wake_firewalld() {
	if nft list table ${FIREWALLD_TABLE} >/dev/null 2>&1; then
		nft add table ${FIREWALLD_TABLE} 2>/dev/null || nft add table ${FIREWALLD_TABLE} '{ flags persist; }'
		if systemctl is-active --quiet firewalld.service; then
			! nft list table ${FIREWALLD_TABLE} | grep -q '^	flags .*dormant'
			return
		fi
	fi
${programs
	.map(
		(program, index) => `	tool='${program}'
	kept${index}=$(for table in filter nat mangle raw security; do saved "$table" && printf '%s\\n' "$rules" | sed 's/^+//' || echo unreadable; done)`,
	)
	.join('\n')}
	systemctl start firewalld.service && firewall-cmd --state >/dev/null
	started=$?
${programs.map((program, index) => `	printf '%s\\n' "$kept${index}" | '${program}-restore' -w 10 || started=1`).join('\n')}
${unsaved.map((words) => `	firewall-cmd --quiet ${words.map(quote).join(' ')} 2>&1 | head -n 3\n`).join('')}	return "$started"
}
wake_firewalld || failed=yes

`;
}
