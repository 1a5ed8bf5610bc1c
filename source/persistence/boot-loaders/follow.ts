import path from 'node:path';
import {findProgram} from '../../host/exec/find-program.ts';
import {listFolder} from '../../host/files/read-text.ts';
import {parseShell} from '../../lib/parse-shell.ts';
import {printable} from '../../lib/printable.ts';
import type {ShellCommand} from '../../lib/shell-command.ts';
import {quote} from '../../lib/shell-quote.ts';
import {UNKNOWN} from '../../lib/shell-words.ts';
import type {CommandLine, FoundCommand} from './model.ts';
import {type CommandContext, isOfSystem, isRuleProgram, readRuleCommand} from './rule-command.ts';
import {readScript} from './script-file.ts';
import {mentionsIn} from './text-search.ts';
import {commandBehind} from './wrappers.ts';

/** How deep scripts that call scripts are followed, and how many. */
const DEEPEST = 6;
const MOST_SCRIPTS = 100;

/** Commands that change no rules: between those that do, they leave a plain sequence plain. */
const HARMLESS = new Set(
	'true : echo printf sleep set export modprobe sysctl logger ip ulimit umask touch sync date cd log_daemon_msg log_end_msg log_action_msg iptables-save ip6tables-save'.split(
		' ',
	),
);

/** What openrc-run(8) calls to start a service. */
const SERVICE_FUNCTIONS = ['start_pre', 'start', 'start_post'];

/** Scripts of systems and of other programs that do nothing to rules at boot, or what is known. */
const KNOWN_SCRIPTS =
	/\/(?:systemctl|service|invoke-rc\.d|update-rc\.d|init-functions|wg-quick|ufw|firewall-cmd|dpkg|apt\S*|fw-wizard\S*)$/;

/** Programs that run the script which follows them, in languages that are only searched for calls. */
const INTERPRETERS = /^(?:python|perl|ruby|php|lua|node|tclsh|expect)[\d.]*$/;

/** Whether a program runs what it is given: a script, or commands. */
export function isInterpreter(name: string): boolean {
	return INTERPRETERS.test(name) || /^(?:ba|da|k|z)?sh$/.test(name);
}

type Followed = {
	readonly found: readonly FoundCommand[];
	/** Whether running the found commands one after the other does what this does to rules. */
	readonly plain: boolean;
};

/** Finds the commands that change rules, in lines of a shell and in the scripts that they call. */
export function followCommands(lines: readonly CommandLine[], context: CommandContext): Followed {
	const follower = new Follower(context);
	for (const {file, line, text} of lines) {
		follower.readShell(text, {file, line, depth: 0}, []);
	}

	return {found: follower.found, plain: follower.plain};
}

type Place = {readonly file: string; readonly line: number; readonly depth: number};

/** A script that is being read. */
type Reading = {
	readonly place: Place;
	readonly commands: readonly ShellCommand[];
	readonly lines: readonly string[];
	/** Nothing in it decides what runs. */
	readonly straight: boolean;
	readonly called: Set<string>;
	/** It has come to an end: `exit`. */
	ended: boolean;
};

class Follower {
	readonly found: FoundCommand[] = [];
	plain = true;
	readonly #context: CommandContext;
	#scripts = 0;

	constructor(context: CommandContext) {
		this.#context = context;
	}

	/** @param roots functions that are called from outside, as those of a service of OpenRC */
	readShell(
		text: string,
		place: Place,
		args: readonly string[],
		roots: readonly string[] = [],
	): void {
		const {commands, plain: straight} = parseShell(text, args);
		const before = this.found.length;
		const lines = text.split('\n');
		const reading = {place, commands, lines, straight, called: new Set<string>(), ended: false};
		const plain = [undefined, ...roots].map((root) => this.#run(reading, root)).every(Boolean);
		// A condition or a loop around nothing that changes rules is no matter.
		if (this.found.length > before) {
			this.plain &&= straight && plain;
		}
	}

	/** Runs through the commands of a function, or through those outside of all. @returns whether they are a plain sequence */
	#run(reading: Reading, within: string | undefined): boolean {
		let plain = true;
		for (const [index, command] of reading.commands.entries()) {
			if (command.within === within && !reading.ended) {
				plain = this.#runOne(reading, index, command) && plain;
			}
		}

		return plain;
	}

	#runOne(reading: Reading, index: number, command: ShellCommand): boolean {
		const {place, commands} = reading;
		const wrapped = commandBehind(command.words);
		if (wrapped === undefined) {
			return true;
		}

		const [program = ''] = wrapped.words;
		const name = path.basename(program);
		const {after} = command;
		const line = place.line + command.line - 1;
		if (name === 'exit' || name === 'return') {
			reading.ended ||= after === undefined && reading.straight;
			return after !== '&&';
		}

		if (wrapped.script !== undefined) {
			this.readShell(wrapped.script, {...place, line}, []);
			return after === undefined && !wrapped.odd;
		}

		// Somebody's script may have the name of such a program: /etc/init.d/iptables.
		if (isRuleProgram(name) && (isOfSystem(program) || readScript(program, false) === undefined)) {
			const input = this.#inputOf(command, commands);
			const ruleCommand = readRuleCommand(wrapped, input, this.#context);
			if (ruleCommand !== undefined) {
				const text = printable((reading.lines[command.line - 1] ?? '').trim(), 200);
				this.found.push({file: place.file, line, text, ...ruleCommand});
			}

			return after !== '||' && !wrapped.odd;
		}

		if (commands.some(({within}) => within === name)) {
			if (!reading.called.has(name)) {
				reading.called.add(name);
				this.#run(reading, name);
			}

			return false;
		}

		const next = commands[index + 1];
		const isTest = name === '[' || name === 'test';
		if (HARMLESS.has(name) || (isTest && next?.after === '||')) {
			return true;
		}

		const before = this.found.length;
		this.#callScript(wrapped.words, place);
		return this.found.length > before ? after !== '||' && !wrapped.odd : next?.after === undefined;
	}

	/** What a command reads on its standard input. */
	#inputOf({input}: ShellCommand, commands: readonly ShellCommand[]) {
		if (input === undefined || 'text' in input) {
			return input === undefined || !input.text.includes(UNKNOWN) ? input : ('unknown' as const);
		}

		if ('file' in input) {
			return input.file.includes(UNKNOWN)
				? ('unknown' as const)
				: {text: this.#context.read(input.file), file: input.file};
		}

		const {words: [program = '', file = '', ...more] = []} = commands[input.from] ?? {};
		return path.basename(program) === 'cat' && more.length === 0 && !file.includes(UNKNOWN)
			? {text: this.#context.read(file), file}
			: ('unknown' as const);
	}

	/** Follows a script: one that is run, or read with `.`, or all of a folder (run-parts(8)). */
	#callScript([program = '', ...args]: readonly string[], {depth}: Place): void {
		if (program === 'run-parts') {
			const folder = args.findLast((arg) => arg.startsWith('/')) ?? '';
			for (const name of [...listFolder(folder)].sort()) {
				this.#callScript([path.join(folder, name)], {file: '', line: 1, depth});
			}

			return;
		}

		const isInterpreted = INTERPRETERS.test(path.basename(program));
		const isRead = isInterpreted || program === '.' || program === 'source';
		const at = isInterpreted ? args.findIndex((arg) => !arg.startsWith('-')) : 0;
		const [file, parameters] = isRead ? [args[at] ?? '', args.slice(at + 1)] : [program, args];
		const found = file.startsWith('/') ? file : file.includes('/') ? undefined : findProgram(file);
		if (
			found === undefined ||
			found.includes(UNKNOWN) ||
			KNOWN_SCRIPTS.test(found) ||
			depth >= DEEPEST ||
			this.#scripts >= MOST_SCRIPTS
		) {
			return;
		}

		const script = readScript(found, isRead);
		if (script === undefined) {
			return;
		}

		this.#scripts += 1;
		const place = {file: found, line: 1, depth: depth + 1};
		if (isRuleProgram(path.basename(script.interpreter.split(/\s/)[0] ?? ''))) {
			// Rules that are run: `#!/usr/sbin/nft -f`.
			this.readShell(`${script.interpreter} ${quote(found)}`, place, []);
		} else if (script.language === 'shell' && !isInterpreted) {
			this.readShell(script.text, place, parameters, script.isService ? SERVICE_FUNCTIONS : []);
		} else {
			for (const {line, text, words} of mentionsIn(script.text)) {
				const ruleCommand = readRuleCommand({words}, 'unknown', this.#context);
				if (ruleCommand !== undefined) {
					this.plain = false;
					this.found.push({
						file: found,
						line,
						text: printable(text, 200),
						effect: ruleCommand.effect,
					});
				}
			}
		}
	}
}
