import {rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {chainsBehind, printCleanup, printLoad, touchedChains} from '../existing/cleanup-format.ts';
import {chainOf, targetOf} from '../existing/rule-owner.ts';
import {firstLine, run} from '../host/exec/run.ts';
import {readText} from '../host/files/read-text.ts';
import {freshNetwork} from '../host/machine/modules.ts';
import {programOf} from '../host/netfilter/iptables.ts';
import {withNamespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {ownDifferences, presenceOf} from '../ruleset/diff.ts';
import {type FamilyRules, OWN_PREFIX} from '../ruleset/model.ts';
import {parseSave} from '../ruleset/parse-save.ts';
import {canBeWrittenBack, tableLines, tableRules} from '../ruleset/save-lines.ts';
import {FIREWALLD_TABLE} from '../services/known-programs/firewalls.ts';
import {type Load, readSets} from '../testbed/load-rules.ts';
import type {SnapshotCleanup} from './cleanup.ts';
import {assertLoaded, tryByStep} from './load.ts';
import {makePrivate} from './paths.ts';
import type {PlannedRollback} from './prepare.ts';
import {folderOf} from './record.ts';
import {BESIDE, REHEARSE} from './rehearsal-scripts.ts';
import type {Rollback} from './rollback-script.ts';

/** What the rollback script restores of one family in one backend, and what the change loads there. */
type Part = {
	readonly program: string;
	/** The one that will load the change: what `iptables` means. */
	readonly loader: string;
	readonly place: string;
	readonly saved: string;
	readonly load: string;
};

const TABLES = ['filter', 'raw', 'mangle'] as const;
const RESTORE = ['-w', '10', '--noflush'];

/**
 * Rehearses a change and its way back in an isolated copy: the rules that the way back would restore are
 * loaded there, then the new rules, which are read back; then the rollback script is run, and what comes of that is
 * compared with what was saved. Other programs' rules that neither the change nor its way back touches are left
 * out. iptables-restore --test lets unknown helpers and targets pass; this does not.
 * @throws {HostError} that names the family and the line at fault where the new rules do not load; or where the way
 * back does not lead there; nothing was touched
 * @throws {NamespaceError} where no copy can be made
 */
export async function rehearseChange({rollback, script}: PlannedRollback): Promise<void> {
	const folder = path.join(folderOf(rollback.id), 'rehearsal');
	const parts = partsOf(rollback);
	try {
		makePrivate(folder);
		const put = (name: string, text: string) =>
			writeFileSync(path.join(folder, name), text, {mode: 0o600});
		put('pending', '');
		put('rollback', script);
		put('programs', `${parts.map(({program}) => program).join(' ')}\n`);
		for (const part of parts) {
			put(`chains-${path.basename(part.program)}`, chainsToList(part).join(''));
		}

		const restores = (loadOf: (part: Part) => readonly [program: string, text: string]) =>
			parts.map(loadOf).map(([program, text]) => ({
				...{program: `${program}-restore`, args: RESTORE, text},
			}));
		const sets = await readSets(parts.map(({saved}) => saved));
		const waves: ReadonlyArray<readonly Load[]> = [
			...sets.map((set) => [set]),
			// A firewalld that sleeps is woken in its table; it is never started here.
			...(rollback.firewalld
				? [[{program: 'nft', args: ['-f', '-'], text: `add table ${FIREWALLD_TABLE}\n`}]]
				: []),
			restores(({program, saved}) => [program, saved]),
			restores(({loader, load}) => [loader, load]),
		];
		const words = waves.flatMap((loads, wave) => [
			...loads.flatMap(({program, args, text}, index) => {
				const name = `${wave === waves.length - 1 ? 'new' : 'load'}-${wave}-${index}`;
				put(name, text);
				return [name, [program, ...args].join(' ')];
			}),
			'+',
		]);
		const fresh = ['unshare', ...freshNetwork(), 'sh', '-c', REHEARSE, 'sh', ...words];
		const {status, stdout, stderr} = await run('sh', ['-c', BESIDE, 'sh', folder, ...fresh], {
			timeout: 60_000,
		});
		if (stdout !== 'begun\n') {
			// The error of whatever forbids it.
			await withNamespace(async () => {});
		}

		const results = (name: string) =>
			parts.map(
				({program}) => readText(path.join(folder, `${name}-${path.basename(program)}`)) ?? '',
			);
		const loaded = status === 0 ? results('loaded') : [];
		for (const [index, {after}] of rollback.families.entries()) {
			const save = loaded[index];
			const wanted = ownChainsOf(after);
			const found = save === undefined ? undefined : ownChainsOf(parseSave(save, after.family));
			if (found === undefined || ownDifferences(wanted, found).length > 0) {
				// Also where it is not the new rules that do not load: nothing is wrong with them then.
				await tryByStep(after);
			}

			if (found !== undefined) {
				assertLoaded(wanted, found, 'Nothing was changed', 3);
			}
		}

		const restored = results('restored').map((text) => text.split('\0'));
		const difference =
			status === 0
				? (compare(
						parts,
						restored.map(([save = '']) => save),
					) ??
					compareLists(
						results('now').flatMap((text) => text.split('\0').slice(1)),
						restored.flatMap(([, ...lists]) => lists),
					))
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

/** Without the jumps to them: one by a rule that cannot be written back is not in the copy. */
function ownChainsOf({tables, ...rules}: FamilyRules): FamilyRules {
	return {
		...rules,
		tables: tables.map(({chains, ...table}) => ({
			...table,
			chains: chains.filter(({name}) => name.startsWith(OWN_PREFIX)),
		})),
	};
}

function partsOf({families, others = []}: Rollback): readonly Part[] {
	return [
		...families.map(({program, before, after, cleanup}) => ({
			...{program, loader: programOf(after.family)},
			place: `IPv${after.family}`,
			saved: printRestored(before.text, cleanup),
			load: printLoad(after, presenceOf(before.rules), cleanup?.cleanup),
		})),
		...others.map(({program, cleanup}) => ({
			...{program, loader: program},
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

/** The chains with a rule in which a name could hold spaces: a line each, with its table. */
function chainsToList({saved}: Part): readonly string[] {
	return TABLES.flatMap((table) => {
		const named = tableRules(saved, table).filter((line) => / -[io] | --\S*name /.test(line));
		return [...new Set(named.map(chainOf))].map((chain) => `${table} ${chain}\n`);
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
