import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {chainsBehind, printCleanup, printLoad, touchedChains} from '../existing/cleanup-format.ts';
import {chainOf, targetOf} from '../existing/rule-owner.ts';
import {firstLine, run} from '../host/exec/run.ts';
import {freshNetwork} from '../host/machine/modules.ts';
import {withNamespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {presenceOf} from '../ruleset/diff.ts';
import {OWN_PREFIX} from '../ruleset/model.ts';
import {canBeWrittenBack, tableLines, tableRules} from '../ruleset/save-lines.ts';
import {FIREWALLD_TABLE} from '../services/known-programs/firewalls.ts';
import {type Load, readSets} from '../testbed/load-rules.ts';
import type {SnapshotCleanup} from './cleanup.ts';
import type {PlannedRollback} from './prepare.ts';
import {folderOf} from './record.ts';
import type {Rollback} from './rollback-script.ts';

/** What the rollback script restores of one family in one backend, and what the change loads there. */
type Part = {
	readonly program: string;
	readonly place: string;
	readonly saved: string;
	readonly load: string;
};

const TABLES = ['filter', 'raw', 'mangle'] as const;
const RESTORE = ['-w', '10', '--noflush'];

/**
 * Lists chains in columns, where a save puts one word behind the other: a name with spaces in it looks like
 * options there. Arguments: for each chain the program, the table and the chain.
 */
const LIST = `while [ "$#" -gt 0 ]; do
	printf '\\0' && "$1" -w 10 -t "$2" -n -v -x -L "$3" || exit 4
	shift 3
done`;

/**
 * In a namespace of its own: loads what was saved, then the new rules, runs the very rollback script in
 * a folder of its own, and saves. Arguments: the folder, then for each load a file and the command that
 * reads it, with `+` behind those that run side by side, then `--` and the programs that save, then `--` and the
 * chains to list. What the script may start beside iptables reaches the machine's own services, and is not
 * started; they count as running, as they do before the change.
 */
const REHEARSE = `[ /proc/self/ns/net -ef "/proc/$PPID/ns/net" ] && exit 1
echo begun
cd "$1" || exit 1
shift
export XTABLES_LOCKFILE="$PWD/xtables.lock"
while [ "$1" != -- ]; do
	wave=
	while [ "$1" != + ]; do
		# Families do not wait for each other's lock.
		XTABLES_LOCKFILE="$PWD/$1.lock" $2 <"$1" &
		wave="$wave $!"
		shift 2
	done
	shift
	for load in $wave; do wait "$load" || exit 2; done
done
shift
(cd() { :; }; systemctl() { [ "$1" = is-active ]; }; set -- now; . ./rollback) >&2 || exit 3
while [ "$1" != -- ]; do
	printf '\\0' && "$1-save" || exit 4
	shift
done
shift
${LIST}`;

/**
 * Rehearses the way back of a recorded change in an isolated copy: the rules that it would restore are
 * loaded there, then the new rules, then its rollback script is run, and what comes of that is compared
 * with what was saved. Other programs' rules that neither the change nor its way back touches are left
 * out.
 * @throws {HostError} where the way back does not lead there; nothing was touched
 * @throws {NamespaceError} where no copy can be made
 */
export async function rehearseRollback({rollback, script}: PlannedRollback): Promise<void> {
	const folder = path.join(folderOf(rollback.id), 'rehearsal');
	const parts = partsOf(rollback);
	try {
		mkdirSync(folder, {mode: 0o700});
		const put = (name: string, text: string) =>
			writeFileSync(path.join(folder, name), text, {mode: 0o600});
		put('pending', '');
		put('rollback', script);

		const restores = (textOf: (part: Part) => string) =>
			parts.map((part) => ({
				program: `${part.program}-restore`,
				args: RESTORE,
				text: textOf(part),
			}));
		const sets = await readSets(parts.map(({saved}) => saved));
		const waves: ReadonlyArray<readonly Load[]> = [
			...sets.map((set) => [set]),
			// A firewalld that sleeps is woken in its table; it is never started here.
			...(rollback.firewalld
				? [[{program: 'nft', args: ['-f', '-'], text: `add table ${FIREWALLD_TABLE}\n`}]]
				: []),
			restores(({saved}) => saved),
			restores(({load}) => load),
		];
		const words = waves.flatMap((loads, wave) => [
			...loads.flatMap(({program, args, text}, index) => {
				put(`load-${wave}-${index}`, text);
				return [`load-${wave}-${index}`, [program, ...args].join(' ')];
			}),
			'+',
		]);
		const chains = parts.flatMap(chainsToList);
		const [{status, stdout, stderr}, now] = await Promise.all([
			run(
				'unshare',
				[
					...[...freshNetwork(), 'sh', '-c', REHEARSE, 'sh', folder, ...words, '--'],
					...[...parts.map(({program}) => program), '--', ...chains.flat()],
				],
				{timeout: 60_000},
			),
			chains.length === 0 ? undefined : run('sh', ['-c', LIST, 'sh', ...chains.flat()]),
		]);
		const [begun, ...printed] = stdout.split('\0');
		const [saves, lists] = [printed.slice(0, parts.length), printed.slice(parts.length)];
		if (begun !== 'begun\n') {
			// The error of whatever forbids it.
			await withNamespace(async () => {});
		}

		const difference =
			status === 0
				? (compare(parts, saves) ?? compareLists(now?.stdout.split('\0').slice(1) ?? [], lists))
				: firstLine(stderr);
		if (difference !== undefined) {
			throw new HostError(
				`The existing rules could not be restored as they are: ${printable(difference || `status ${status}`, 200)}`,
				'Nothing was changed. Remove what cannot be restored, and try again',
			);
		}
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}

function partsOf({families, others = []}: Rollback): readonly Part[] {
	return [
		...families.map(({program, before, after, cleanup}) => ({
			program,
			place: `IPv${after.family}`,
			saved: printRestored(before.text, cleanup),
			load: printLoad(after, presenceOf(before.rules), cleanup?.cleanup),
		})),
		...others.map(({program, cleanup}) => ({
			program,
			place: `IPv${cleanup.snapshot.family}, ${cleanup.snapshot.backend} backend`,
			saved: printRestored(cleanup.snapshot.text, cleanup),
			load: ['*filter', ...printCleanup(cleanup.cleanup), 'COMMIT', ''].join('\n'),
		})),
	];
}

/**
 * Of a save all chains, but only rules that a roll back may write: those in our chains, in chains that lose
 * rules and in those behind, and each that leads to one of ours.
 */
function printRestored(text: string, part?: SnapshotCleanup): string {
	const touched = part === undefined ? [] : touchedChains(part.cleanup);
	const chains = new Set([
		...touched,
		...(part === undefined ? [] : chainsBehind(part.snapshot, touched)),
	]);
	return TABLES.map((table) => {
		const lines = tableLines(text, table).filter(
			(line) =>
				line.startsWith(':') ||
				(line.startsWith('-A ') &&
					canBeWrittenBack(line) &&
					(chainOf(line).startsWith(OWN_PREFIX) ||
						targetOf(line)?.startsWith(OWN_PREFIX) === true ||
						(table === 'filter' && chains.has(chainOf(line))))),
		);
		return lines.length === 0 ? '' : [`*${table}`, ...lines, 'COMMIT', ''].join('\n');
	}).join('');
}

/** The first difference between what was saved and what came of the rehearsal, in one line. */
function compare(parts: readonly Part[], saves: readonly string[]): string | undefined {
	for (const [index, {place, saved}] of parts.entries()) {
		for (const table of TABLES) {
			const wanted = contentOf(tableLines(saved, table));
			const found = contentOf(tableLines(saves[index] ?? '', table));
			const chain = [...new Set([...wanted.keys(), ...found.keys()])].find(
				(name) => wanted.get(name) !== found.get(name),
			);
			if (chain !== undefined) {
				const [was, is] = [wanted, found].map((content) => (content.get(chain) ?? '').split('\n'));
				const line = was?.find((rule, at) => rule !== is?.[at]) ?? is?.[was?.length ?? 0];
				return `${place}: ${chain} of ${table} would be another: ${line}`;
			}
		}
	}

	return undefined;
}

/** The chains with a rule in which a name could hold spaces: each with its program and table. */
function chainsToList({program, saved}: Part): ReadonlyArray<readonly string[]> {
	return TABLES.flatMap((table) => {
		const named = tableRules(saved, table).filter((line) => / -[io] | --\S*name /.test(line));
		return [...new Set(named.map(chainOf))].map((chain) => [program, table, chain]);
	});
}

/** The first rule that iptables lists otherwise once it was put back, though it saves it alike. */
function compareLists(wanted: readonly string[], found: readonly string[]): string | undefined {
	for (const [index, list] of wanted.entries()) {
		const [was, is] = [list, found[index] ?? ''].map((text) =>
			// The head counts references, each rule its packets and bytes.
			text
				.split('\n')
				.slice(2)
				.map((line) => line.replace(/^ *\d+ +\d+ /, '')),
		);
		const other = was?.find((line, at) => line !== is?.[at]);
		if (other !== undefined) {
			return `iptables would list another rule in place of "${other.trim()}"`;
		}
	}

	return undefined;
}

/** The chains of a table, each with its policy and its rules in order. An empty built-in chain that accepts is left out. */
function contentOf(lines: readonly string[]): ReadonlyMap<string, string> {
	const content = new Map<string, string>();
	for (const line of lines) {
		const [, chain = '', policy] = /^(?::|-A )(\S+)(?: (\S+) \[\d+:\d+\]$)?/.exec(line) ?? [];
		const isChain = line.startsWith(':');
		if (chain !== '') {
			content.set(chain, `${content.get(chain) ?? ''}${isChain ? policy : `\n${line}`}`);
		}
	}

	return new Map([...content].filter(([, text]) => text !== 'ACCEPT'));
}
