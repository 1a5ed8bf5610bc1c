import path from 'node:path';
import {findProgram, SYSTEM_PATH} from '../../host/exec/find-program.ts';
import type {Family} from '../../lib/network.ts';
import type {ShellCommand} from '../../lib/shell-command.ts';
import {UNKNOWN} from '../../lib/shell-words.ts';
import {type Backend, OWN_CHAINS, OWN_PREFIX} from '../../ruleset/model.ts';
import type {Load} from '../../testbed/load-rules.ts';
import type {Effect, Restored} from './model.ts';
import {effectOfNft} from './nft-effect.ts';

type RuleCommand = {
	readonly effect: Effect;
	/** The file in the format of iptables-save that it restores. */
	readonly restores?: Restored;
	/** How it is run in a copy of this machine; undefined where it cannot be, or the text does not show how. */
	readonly load?: Load;
};

/** What a command is read with. */
export type CommandContext = {
	/** The backend that the rules of fw-wizard are in. */
	readonly backend: Backend;
	/** The text of a file, undefined where there is none. */
	readonly read: (file: string) => string | undefined;
};

/** What a program reads: its text, `unknown`, or undefined where it reads nothing that exists. */
type Input = {readonly text: string | undefined; readonly file?: string} | 'unknown';

const IPTABLES = /^ip6?tables(?:-(nft|legacy))?(-restore|-apply|-save|-xml)?$/;

/** Whether a program of this name changes rules of the kernel. */
export function isRuleProgram(name: string): boolean {
	return IPTABLES.test(name) || ['nft', 'ipset', 'ufw', 'netfilter-persistent'].includes(name);
}

/**
 * What a command does to rules.
 * @returns undefined where it changes none
 */
export function readRuleCommand(
	{words: [program = '', ...args]}: Pick<ShellCommand, 'words'>,
	input: Input | undefined,
	context: CommandContext,
): RuleCommand | undefined {
	const name = path.basename(program);
	const [, backend, ending] = IPTABLES.exec(name) ?? [];
	const read = readerOf(name, ending);
	const command = read?.(args, input, context);
	if (command === undefined) {
		return undefined;
	}

	const family: Family = name.startsWith('ip6') ? 6 : 4;
	// The other backend has rules of its own.
	const effect =
		backend !== undefined && backend !== context.backend && command.effect === 'removes'
			? 'decides'
			: command.effect;
	const text = input !== undefined && input !== 'unknown' ? (input.text ?? '') : '';
	const isWhole = input !== 'unknown' && ![...args, text].some((word) => word.includes(UNKNOWN));
	const file = isOfSystem(program) ? findProgram(name) : undefined;
	const restores = command.file === undefined ? {} : {restores: {file: command.file, family}};
	// What only the other backend shows is not read back.
	const isHere = backend === undefined || backend === context.backend;
	return command.loadable && isWhole && isHere && file !== undefined
		? {effect, ...restores, load: {program: file, args, text}}
		: {effect, ...restores};
}

/** A program of the same name elsewhere may be another one. */
export function isOfSystem(program: string): boolean {
	return !program.includes('/') || SYSTEM_PATH.includes(path.dirname(program));
}

type Read = {readonly effect: Effect; readonly loadable: boolean; readonly file?: string};
type Reader = (
	args: readonly string[],
	input: Input | undefined,
	context: CommandContext,
) => Read | undefined;

function readerOf(name: string, ending: string | undefined): Reader | undefined {
	if (IPTABLES.test(name)) {
		return ending === '-restore' || ending === '-apply'
			? (args, input, context) => readRestore(args, input, context, ending)
			: ending === undefined
				? (args) => readIptables(args)
				: undefined;
	}

	return READERS[name];
}

const READERS: Readonly<Record<string, Reader>> = {
	nft: readNft,
	// Sets decide only where a rule asks for them.
	ipset: (args) =>
		['list', 'save', 'test', '-L', '-S', '-T'].includes(args[0] ?? '')
			? undefined
			: {effect: 'other', loadable: true},
	ufw: (args) =>
		args.some((arg) => ['enable', 'reload', 'reset'].includes(arg) || arg === UNKNOWN)
			? {effect: 'unknown', loadable: false}
			: undefined,
	'netfilter-persistent': (args) =>
		args.some((arg) => ['start', 'restart', 'reload', 'flush'].includes(arg))
			? {effect: 'removes', loadable: false}
			: undefined,
};

const OPERATIONS: Readonly<Record<string, string>> = {
	'--append': '-A',
	'--insert': '-I',
	'--delete': '-D',
	'--replace': '-R',
	'--new-chain': '-N',
	'--delete-chain': '-X',
	'--rename-chain': '-E',
	'--policy': '-P',
	'--flush': '-F',
};

/** Of one command of iptables(8). */
function readIptables(args: readonly string[]): Read | undefined {
	const table = optionOf(args, '-t', '--table') ?? 'filter';
	const at = args.findIndex((arg) => /^-[AIDRNXEPF]$/.test(arg) || arg in OPERATIONS);
	if (at === -1) {
		// "$@", or a chain of letters.
		return args.some((arg) => arg === UNKNOWN) ? {effect: 'unknown', loadable: false} : undefined;
	}

	const operation = OPERATIONS[args[at] ?? ''] ?? args[at] ?? '';
	const chain = args[at + 1]?.startsWith('-') ? undefined : args[at + 1];
	const loadable = isHarmless(args);
	const effect = effectOn(operation, table, chain, args);
	return {effect, loadable};
}

function effectOn(
	operation: string,
	table: string,
	chain: string | undefined,
	args: readonly string[],
): Effect {
	const hasOurs = ['filter', 'raw', 'mangle', UNKNOWN].some((name) => table.includes(name));
	const isOurs = (name: string) => name.includes(UNKNOWN) || name.startsWith(OWN_PREFIX);
	if (
		operation === '-F' &&
		hasOurs &&
		(chain === undefined || isOurs(chain) || isJumpedFrom(table, chain))
	) {
		return 'removes';
	}

	if (
		['-D', '-X', '-E', '-R'].includes(operation) &&
		args.some((arg) => arg.startsWith(OWN_PREFIX))
	) {
		return 'removes';
	}

	// A chain of somebody's own is reached from a built-in one, by a rule that adds it there.
	return !['-N', '-X', '-E'].includes(operation) &&
		(chain === undefined || chain.includes(UNKNOWN) || DECIDING.has(chain))
		? 'decides'
		: 'other';
}

const DECIDING = new Set(['INPUT', 'PREROUTING']);

function isJumpedFrom(table: string, chain: string): boolean {
	const isKnown = OWN_CHAINS.some((own) => own.table === table);
	return OWN_CHAINS.some((own) => own.from === chain && (!isKnown || own.table === table));
}

/**
 * Whether it does nothing but load rules, at once. `--modprobe` names a program to be run, and getopt(3) takes
 * shorter forms; addresses that are names are looked up, which takes its time where there is no network.
 */
function isHarmless(args: readonly string[]): boolean {
	return !args.some(
		(arg, index) =>
			/^-[a-zA-Z]*M/.test(arg) ||
			(/^--mo/.test(arg) && '--modprobe'.startsWith(arg.replace(/=.*/, ''))) ||
			(/^(?:-s|-d|--source|--destination|--src|--dst)$/.test(arg) &&
				!/^(?:!|[\d.:/,a-f]+)$/i.test(args[index + 1] ?? '')),
	);
}

/** Of iptables-restore(8), and of iptables-apply(8), which ends with it. */
function readRestore(
	args: readonly string[],
	input: Input | undefined,
	{read}: CommandContext,
	ending: string,
): Read | undefined {
	if (args.some((arg) => ['-t', '--test', '-h', '--help', '-V', '--version'].includes(arg))) {
		return undefined;
	}

	const file = args.findLast(
		(arg, index) =>
			!arg.startsWith('-') && !['-w', '-W', '-T', '-M'].includes(args[index - 1] ?? ''),
	);
	const text =
		file === undefined
			? input === undefined || input === 'unknown'
				? UNKNOWN
				: input.text
			: file.includes(UNKNOWN)
				? UNKNOWN
				: read(file);
	const loadable =
		ending === '-restore' &&
		[args, ...(text ?? '').split('\n').map((line) => line.split(/\s+/))].every(isHarmless);
	if (text === undefined) {
		// Nothing is loaded of a file that is not there.
		return {effect: 'other', loadable: false};
	}

	const keeps = args.some((arg) => /^(?:-\w*n\w*|--noflush)$/.test(arg));
	const from = file ?? (typeof input === 'object' ? input.file : undefined);
	const isNamed = from !== undefined && !from.includes(UNKNOWN);
	return {effect: effectOfRestore(text, keeps), loadable, ...(isNamed ? {file: from} : {})};
}

/** @param keeps what the file does not name stays (--noflush) */
function effectOfRestore(text: string, keeps: boolean): Effect {
	if (text.includes(UNKNOWN)) {
		return keeps ? 'decides' : 'removes';
	}

	const removes = keeps
		? new RegExp(`^-F(?:\\s*$| (?:INPUT|${OWN_PREFIX}))|^:${OWN_PREFIX}`, 'm')
		: /^\*(?:filter|raw|mangle)\s*$/m;
	return removes.test(text) ? 'removes' : /^\*/m.test(text) ? 'decides' : 'other';
}

/** Of nft(8), whose rules may stand in its arguments or in a file. */
function readNft(
	args: readonly string[],
	input: Input | undefined,
	{read, backend}: CommandContext,
): Read | undefined {
	const file = optionOf(args, '-f', '--file');
	const text =
		file === undefined
			? args.join(' ')
			: file === '-' || file === '/dev/stdin'
				? input === 'unknown' || input === undefined
					? UNKNOWN
					: (input.text ?? '')
				: file.includes(UNKNOWN)
					? UNKNOWN
					: read(file);
	const effect = text === undefined ? 'other' : effectOfNft(text, read);
	const loadable =
		text !== undefined && !args.some((arg) => /^(?:-i|--interactive|-c|--check)$/.test(arg));
	return effect === undefined
		? undefined
		: {effect: effect === 'removes' && backend === 'legacy' ? 'decides' : effect, loadable};
}

function optionOf(args: readonly string[], short: string, long: string): string | undefined {
	const at = args.findIndex((arg) => arg === short || arg === long);
	return at === -1
		? args.find((arg) => arg.startsWith(`${long}=`))?.slice(long.length + 1)
		: args[at + 1];
}
