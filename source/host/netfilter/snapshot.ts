import type {RulesSnapshot} from '../../existing/snapshot.ts';
import type {Family} from '../../lib/network.ts';
import type {Backend} from '../../ruleset/model.ts';
import {findProgram} from '../exec/find-program.ts';
import {readText} from '../files/read-text.ts';
import {printSave, programOf, readSave, save} from './iptables.ts';
import {saveOwn} from './own-rules.ts';

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
	const snapshots = await Promise.all(
		otherPrograms(families, inUse).map(async ({program, ...other}) => {
			const {stdout} = await printSave(`${program}-save`);
			return {...other, text: stdout, rules: await readSave(stdout, other.family)};
		}),
	);
	// iptables-legacy-save also prints tables that merely exist.
	return snapshots.filter(({text}) =>
		text.split('\n').some((line) => /^-A |^:\S+ DROP/.test(line)),
	);
}

/** The programs of the backend that is not in use, where the kernel may have rules of it. */
function otherPrograms(families: readonly Family[], inUse: Backend) {
	const backend: Backend = inUse === 'nft' ? 'legacy' : 'nft';
	return families
		.map((family) => ({family, backend, inUse: false}))
		.map((other) => ({...other, program: programFor(other)}))
		.filter(
			({family, program}) =>
				findProgram(`${program}-save`) !== undefined && (backend === 'nft' || hasLegacy(family)),
		);
}

/**
 * Our own rules in both backends, with the program that changes them: also those of the backend that
 * `iptables` meant before it was switched, and beside rules that iptables cannot print.
 * @throws {HostError} where they cannot be read
 */
export async function readOwnEverywhere(
	families: readonly Family[],
	inUse: Backend,
): Promise<ReadonlyArray<Awaited<ReturnType<typeof saveOwn>> & {readonly program: string}>> {
	const programs = [
		...families.map((family) => ({family, program: programOf(family)})),
		...otherPrograms(families, inUse),
	];
	return Promise.all(
		programs.map(async ({family, program}) => ({...(await saveOwn(family, program)), program})),
	);
}

/**
 * Whether the legacy backend has a table at all: to ask its program of one that it has not would
 * make it. Where the kernel does not say, it has none, or we may not know.
 */
function hasLegacy(family: Family): boolean {
	return (readText(`/proc/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`) ?? '') !== '';
}
