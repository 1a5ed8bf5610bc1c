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
export const MEND = `# Of the rules on standard input, those that were put into chain $1 (a pattern) since, ours aside. One of more
# than one line gets spaces in place of line breaks; the last try has only what every restore reads.
since() {
	if [ "$try" = 3 ]; then grep -e '^-A [A-Za-z0-9_.:,/!@%= -]*$'; else sed 's/^+//'; fi |
		grep -e "^-A $1 " | { printf '%s\\n\\n' "$was"; cat; } |
		awk 'since { if (!($0 in was)) print; next } $0 == "" { since = 1 } { was[$0] }' |
		grep -v -e ' -[jg] FW-WIZARD-[A-Z]*$'
}

# The rules of chain $1 as they were. What others have put there since stays: ahead of our jump what
# stands ahead of it, behind it what stands behind.
mend() {
	printf '\\n%s\\n' "$now" | sed "/^-A $1 -j FW-WIZARD-INPUT\\$/,\\$d" | since "$1"
	were "$1"
	printf '\\n%s\\n' "$now" | sed "1,/^-A $1 -j FW-WIZARD-INPUT\\$/d" | since "$1"
}
were() { printf '%s\\n' "$was" | grep -e "^-A $1 "; }
gone() { ! printf '%s\\n' "$now" | grep -q -e "^:$1 "; }

`;

/**
 * A line of sh that sets `$was` to the rules of other programs before the change. The script carries them
 * itself: a file beside it could be removed while it waits.
 */
export function printWas({snapshot, cleanup}: SnapshotCleanup): string {
	return `was=${quote(restoredRules(snapshot, cleanup).join('\n'))}\n`;
}

/** A chain's name in a basic regular expression. */
export function patternOf(chain: string): string {
	return chain.replaceAll('.', '\\.');
}

/** A table that the script loads, from the commands that print its lines. */
export function printTable(table: string, commands: readonly string[]): string {
	return [`	echo '*${table}'`, ...commands, "	echo 'COMMIT'"].join('\n');
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
		'	now=$(saved filter) || echo unreadable',
		printTable('filter', [
			...first,
			...touched.map((name) =>
				policyOf(name) === undefined ? `	echo ':${name} - [0:0]'` : `	echo '-F ${name}'`,
			),
			...behind.map((name) => `	gone '${patternOf(name)}' && echo ':${name} - [0:0]'`),
			...touched.map((name) => `	mend '${patternOf(name)}'`),
			...behind.map((name) => `	gone '${patternOf(name)}' && were '${patternOf(name)}'`),
			...last,
			...[...policies].flatMap((name) => {
				const policy = policyOf(name);
				return policy === undefined ? [] : [`	echo '-P ${name} ${policy}'`];
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
	kept${index}=$(for table in filter nat mangle raw security; do saved "$table" | sed 's/^+//'; done)`,
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
