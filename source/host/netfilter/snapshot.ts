import type {RulesSnapshot} from '../../existing/snapshot.ts';
import type {Family} from '../../lib/network.ts';
import type {Backend} from '../../ruleset/model.ts';
import {findProgram} from '../exec/find-program.ts';
import {runToEnd} from '../exec/run.ts';
import {readText} from '../files/read-text.ts';
import {programOf, readSave, save} from './iptables.ts';

/**
 * Reads all rules that iptables can show, of both families and both backends, since the kernel
 * evaluates both.
 * @param backend the backend that is in use
 * @throws {HostError} where the rules of the backend in use cannot be read
 */
export async function readSnapshots(
	families: readonly Family[],
	backend: Backend,
): Promise<readonly RulesSnapshot[]> {
	const [own, others] = await Promise.all([
		Promise.all(
			families.map(async (family) => ({
				...(await save(family)),
				...{family, backend, inUse: true},
			})),
		),
		readOthers(families, backend),
	]);
	return [...own, ...others];
}

/**
 * The program for a snapshot's rules: `iptables-restore` in the backend in use, else as
 * `ip6tables-legacy-save`.
 */
export function programFor(
	{family, backend, inUse}: Pick<RulesSnapshot, 'family' | 'backend' | 'inUse'>,
	ending = '',
): string {
	return `${programOf(family)}${inUse ? '' : `-${backend}`}${ending}`;
}

async function readOthers(
	families: readonly Family[],
	inUse: Backend,
): Promise<readonly RulesSnapshot[]> {
	const backend: Backend = inUse === 'nft' ? 'legacy' : 'nft';
	const snapshots = await Promise.all(
		families.map(async (family) => {
			const program = programFor({family, backend, inUse: false}, '-save');
			if (findProgram(program) === undefined || (backend === 'legacy' && !hasLegacy(family))) {
				return [];
			}

			const {stdout} = await runToEnd(program, []);
			const rules = await readSave(stdout, family);
			return [{family, backend, inUse: false, text: stdout, rules}];
		}),
	);
	return snapshots.flat().filter(({text}) => HOLDS_RULES.test(text));
}

/** iptables-legacy-save also prints tables that have no rules. */
const HOLDS_RULES = /^-A|^:\S+ DROP/m;

/**
 * Whether the legacy backend has any table. Its programs create a table when they are asked for one, so
 * the kernel is asked instead. Where its file cannot be read, there is no table, or an ordinary user
 * may not know.
 */
function hasLegacy(family: Family): boolean {
	return (readText(`/proc/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`) ?? '') !== '';
}
