import type {RulesSnapshot} from '../../existing/snapshot.ts';
import type {Family} from '../../lib/network.ts';
import type {Backend} from '../../ruleset/model.ts';
import {findProgram} from '../exec/find-program.ts';
import {readText} from '../files/read-text.ts';
import {printSave, programOf, readSave, save} from './iptables.ts';

/**
 * All rules that iptables can show, of both families and both backends: the kernel asks both.
 * @param backend the one that is in use
 * @throws {HostError} when those of the backend in use cannot be read
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

/** The program for a backend's rules: `iptables-restore` for those in use, or `ip6tables-legacy-save`. */
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

			const {stdout} = await printSave(program);
			const rules = await readSave(stdout, family);
			return [{family, backend, inUse: false, text: stdout, rules}];
		}),
	);
	// iptables-legacy-save also prints tables that merely exist.
	return snapshots
		.flat()
		.filter(({text}) => text.split('\n').some((line) => /^-A |^:\S+ DROP/.test(line)));
}

/**
 * Whether the legacy backend has a table at all: to ask its program of one that it has not would
 * make it. Where the kernel does not say, it has none, or we may not know.
 */
function hasLegacy(family: Family): boolean {
	return (readText(`/proc/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`) ?? '') !== '';
}
