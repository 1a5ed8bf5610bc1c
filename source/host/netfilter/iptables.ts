import {HostError} from '../../lib/errors.ts';
import type {Family} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import type {Backend, FamilyRules} from '../../ruleset/model.ts';
import {readerOfSaves} from '../../ruleset/parse-save.ts';
import {joinRules} from '../../ruleset/save-lines.ts';
import {findProgram} from '../exec/find-program.ts';
import {
	firstLine,
	type Runner,
	type RunOptions,
	type RunResult,
	run,
	runToEnd,
} from '../exec/run.ts';
import {forEachYielding} from '../exec/yield.ts';

export type {Backend} from '../../ruleset/model.ts';

/** A save as the program printed it, and as data. */
export type Saved = {readonly text: string; readonly rules: FamilyRules};

/** How a restore failed, with the line of its input where the program names one. */
export type RestoreFailure = {
	readonly family: Family;
	readonly message: string;
	readonly line: string | undefined;
	/** Another program held the lock of iptables (xtables) all the time: the rules were not tried. */
	readonly locked: boolean;
};

/** `iptables` or `ip6tables`, with an ending: `-save`, `-restore`. */
export function programOf(family: Family, ending = ''): string {
	return `${family === 4 ? 'iptables' : 'ip6tables'}${ending}`;
}

/** The program of the very backend in use, absolute: what `iptables` means can be switched later. */
export function programOfBackend(family: Family, backend: Backend): string {
	const generic = programOf(family);
	return findProgram(`${generic}-${backend}`) ?? findProgram(generic) ?? generic;
}

/**
 * Reads the rules of a family, all tables that exist.
 * @throws {HostError} when they cannot be read, in part or at all
 */
export async function save(family: Family, runner?: Runner): Promise<Saved> {
	const program = programOf(family);
	const saved = await readWhole(family, program, runner);
	if (saved === undefined) {
		throw new HostError(
			`${program}-save cannot read the rules: another program keeps nftables rules in its tables`,
			'See them with: nft list ruleset',
		);
	}

	return saved;
}

/**
 * What iptables-nft-save prints in place of a table in which a chain has rules that it cannot print. Of a
 * table that only has base chains of other names ("contains incompatible base-chains") it prints the rest.
 */
const UNPRINTED = /^# Table `.*' is incompatible, /m;

/** @returns all rules, or undefined where iptables cannot print some of them @throws {HostError} */
export async function readWhole(
	family: Family,
	program: string,
	runner?: Runner,
): Promise<Saved | undefined> {
	const {status, stdout, stderr} = await printSave(`${program}-save`, [], {}, runner);
	if (UNPRINTED.test(stdout)) {
		return undefined;
	}

	if (status !== 0 || /denied|not permitted/i.test(stderr)) {
		throw new HostError(
			`${program}-save cannot read the rules: ${printable(firstLine(stderr), 120)}`,
			'Run as root, with the right to administer the network (CAP_NET_ADMIN)',
		);
	}

	return {text: stdout, rules: await readSave(stdout, family)};
}

/** The save, and the same with counters behind a character that neither has. */
const BOTH = '"$@" && printf "\\0" && exec "$@" -c';
/** How often they are printed while another program is changing the rules. */
const SAVE_TRIES = 20;

/**
 * What a program prints that saves rules, with each rule in one line (`joinRules`).
 * @param program iptables-save, or one that bears another name
 * @throws {HostError} where it does not end, or where the rules change all the time
 */
export async function printSave(
	program: string,
	args: readonly string[] = [],
	options: RunOptions = {},
	runner: Runner = run,
): Promise<RunResult> {
	const file = findProgram(program) ?? program;
	for (let tries = 0; tries < SAVE_TRIES; tries += 1) {
		// The first one on a machine loads modules of the kernel: in an emulator that took 10 s and more.
		const patient = {timeout: 30_000, ...options};
		const result = await runToEnd('sh', ['-c', BOTH, 'sh', file, ...args], patient, runner);
		const [plain = '', counted] = result.stdout.split('\0');
		const stdout = counted === undefined ? plain : joinRules(plain, counted);
		if (stdout !== undefined) {
			return {...result, stdout};
		}
	}

	throw new HostError(
		`${program} prints other rules each time: another program is changing them`,
		'Try again when it has ended',
	);
}

/**
 * Reads a save as `parseSave` does, and gives way to others: there may be thousands of rules.
 * @param skips lines that are left out
 */
export async function readSave(
	text: string,
	family: Family,
	skips: (line: string) => boolean = () => false,
): Promise<FamilyRules> {
	const {read, rules} = readerOfSaves(family);
	await forEachYielding(text.split('\n'), (line) => {
		if (!skips(line)) {
			read(line);
		}
	});
	return rules;
}

/**
 * Loads a restore file without emptying what it does not name. One table is one transaction.
 * Waits up to 10 s for the lock.
 */
export async function restore(
	family: Family,
	text: string,
	runner: Runner = run,
	program = programOf(family, '-restore'),
): Promise<RestoreFailure | undefined> {
	const {status, stderr} = await runner(program, ['-w', '10', '--noflush'], {
		input: text,
		timeout: 30_000,
	});
	if (status === 0) {
		return undefined;
	}

	// nft: "line 8: CHAIN_ADD failed"; legacy: "iptables-restore: line 8 failed" or "Error occurred at line: 8"
	const number = /line:? (\d+)/.exec(stderr)?.[1];
	// nft puts its name and version on a line of their own.
	const words = stderr.replace(/^\S+ v[\d.]+ \([a-z_]+\):\s*/, '');
	return {
		family,
		// Only the legacy backend has the lock: "Another app is currently holding the xtables lock".
		locked: stderr.includes('xtables lock'),
		message: printable(firstLine(words), 160) || `${program} ended with ${status}`,
		line: number === undefined ? undefined : text.split('\n')[Number(number) - 1],
	};
}

/** One line on a failed restore: the family, the program's words and the line at fault. */
export function describeFailure({family, message, line}: RestoreFailure): string {
	return `IPv${family}: ${message}${line === undefined ? '' : ` at "${printable(line, 160)}"`}`;
}
