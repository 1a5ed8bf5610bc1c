import {firstLine, type Runner, run} from '../host/exec/run.ts';
import type {Iptables} from '../host/netfilter/backend.ts';
import {programOf, type Saved, save} from '../host/netfilter/iptables.ts';
import {hasNft, readNativeTables} from '../host/netfilter/nftables.ts';
import {programFor, readSnapshots} from '../host/netfilter/snapshot.ts';
import type {Namespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import type {Family} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import {printRestore} from '../ruleset/format-iptables.ts';
import {type FamilyRules, OWN_PREFIX, type RuleSet} from '../ruleset/model.ts';
import {LINE_BREAK} from '../ruleset/save-lines.ts';

/** A program, and the text that it loads. */
export type Load = {
	readonly program: string;
	readonly args: readonly string[];
	readonly text: string;
};

/** Rules to try in a testbed: how they are loaded, and as data, so that the deciding rule can be named. */
export type RulesUnderTest = {
	/** To be run in this order. */
	readonly loads: readonly Load[];
	/** Those of iptables, in the order of their loads. */
	readonly rules: readonly FamilyRules[];
	/** Tables of nftables that iptables-nft does not manage: `inet filter`. */
	readonly nativeTables: readonly string[];
	/** What may filter packets too, and cannot be read. */
	readonly unseen: readonly string[];
};

/** Whether a text is loaded by iptables-restore, so that iptables-save has printed it. */
export function isIptables({program}: Load): boolean {
	return program.endsWith('-restore');
}

/** Whether there are rules beside our own: of another program, in the other backend or in nftables. */
export function hasOthers({loads}: RulesUnderTest): boolean {
	return loads.some(
		({program, text}) =>
			program === 'nft' || /-(?:nft|legacy)-restore$/.test(program) || FOREIGN.test(text),
	);
}

/** A rule that is not in a chain of ours and does not only lead to one, or a policy that drops. */
const FOREIGN = new RegExp(`^-A (?!${OWN_PREFIX})(?!\\S+ -j ${OWN_PREFIX}\\S+$)|^:\\S+ DROP `, 'm');

/** Whether the rules have chains at ingress, which drop packets before any other chain sees them. */
export function hasIngress({loads}: RulesUnderTest): boolean {
	return loads.some(({program, text}) => program === 'nft' && /\bhook ingress\b/.test(text));
}

/** A rule set, as it is loaded on a machine that has no rules yet. */
export function plannedSource(ruleSet: RuleSet): RulesUnderTest {
	return {
		loads: ruleSet.families.map((rules) => ({
			program: programOf(rules.family, '-restore'),
			args: ['-w', '10', '--noflush'],
			text: printRestore(rules),
		})),
		rules: ruleSet.families,
		nativeTables: [],
		unseen: [],
	};
}

/**
 * All rules that the kernel uses now: those of both backends, other programs' included, native tables of
 * nftables, and the sets that they use.
 * @param iptables undefined where it is not installed: then only what nftables has is read
 * @throws {HostError} when rules cannot be read
 */
export async function runningSource(
	families: readonly Family[],
	iptables: Pick<Iptables, 'backend'> | undefined,
): Promise<RulesUnderTest> {
	const snapshots = iptables ? await readSnapshots(families, iptables.backend) : [];
	return sourceFrom(
		snapshots.map((snapshot) => saveOf(snapshot, programFor(snapshot, '-restore'))),
		run,
	);
}

async function sourceFrom(all: readonly SaveAndLoad[], runner: Runner): Promise<RulesUnderTest> {
	const saves = all.filter(({saved}) => saved.rules.tables.length > 0);
	const native = await readNativeTables(
		saves.map(({saved}) => saved.rules),
		runner,
	);
	return {
		loads: [
			...(await readSets(
				saves.map(({saved}) => saved.text),
				runner,
			)),
			...saves.map(({load}) => load),
			...native.map(({text}) => ({program: 'nft', args: ['-f', '-'], text})),
		],
		rules: saves.map(({saved}) => saved.rules),
		nativeTables: native.map(({name}) => name),
		unseen: hasNft() ? [] : ['tables of nftables'],
	};
}

/**
 * Loads rules into a namespace of our own.
 * @returns the same rules; the rules of a script are read back from the kernel
 * @throws {HostError} that names the program which cannot load its part
 */
export async function loadSource(
	machine: Namespace,
	source: RulesUnderTest,
	families: readonly Family[],
): Promise<RulesUnderTest> {
	await loadAll(machine, source.loads);
	return source.rules.length > 0 ? source : readLoaded(machine, families);
}

/** Reads the rules of a namespace. */
export async function readLoaded(
	machine: Namespace,
	families: readonly Family[],
): Promise<RulesUnderTest> {
	const saves = await Promise.all(
		families.map(async (family) =>
			saveOf(await save(family, machine.run), programOf(family, '-restore')),
		),
	);
	return sourceFrom(saves, machine.run);
}

/** Replaces loaded rules by others, where they differ. @throws {HostError} */
export async function loadAgain(
	machine: Namespace,
	loaded: RulesUnderTest,
	source: RulesUnderTest,
): Promise<void> {
	const keyOf = ({program, text}: Load) => `${program} ${text}`;
	const same = new Set(loaded.loads.map(keyOf));
	const gone = loaded.nativeTables.filter((name) => !source.nativeTables.includes(name));
	await loadAll(machine, [
		...gone.map((name) => ({
			...{program: 'nft', args: ['delete', 'table', ...name.split(' ')], text: ''},
		})),
		...source.loads
			.filter((load) => !same.has(keyOf(load)))
			// Without --noflush, the new rules replace the loaded ones.
			.map((load) => ({...load, args: load.args.filter((arg) => arg !== '--noflush')})),
	]);
}

/** Runs the loads one after the other. @throws {HostError} that names the program which fails */
export async function loadAll(machine: Namespace, loads: readonly Load[]): Promise<void> {
	for (const {program, args, text} of loads) {
		const {status, stderr} = await machine.run(program, args, {input: text, timeout: 30_000});
		if (status !== 0) {
			throw new HostError(
				`${program} cannot load these rules in an isolated copy: ${printable(firstLine(stderr), 160)}`,
				'Nothing is proven, and nothing was changed',
				1,
			);
		}
	}
}

type SaveAndLoad = {readonly saved: Saved; readonly load: Load};

function saveOf(saved: Saved, program: string): SaveAndLoad {
	// A comment with a line break in it says the same without; a name with one does not load.
	const text = saved.text.replaceAll(LINE_BREAK, ' ');
	return {saved, load: {program, args: ['-w', '10'], text}};
}

/**
 * What copies this machine's ipsets into a namespace, which has its own, where rules match them or fill them
 * (iptables-extensions(8), set and SET).
 */
export async function readSets(
	saves: readonly string[],
	runner: Runner = run,
): Promise<readonly Load[]> {
	if (!saves.some((text) => / --match-set | -j SET /.test(text))) {
		return [];
	}

	const {stdout} = await runner('ipset', ['save']);
	return [{program: 'ipset', args: ['restore'], text: stdout}];
}
