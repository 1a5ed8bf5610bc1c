import {ShellCases} from './shell-cases.ts';
import type {ShellCommand, ShellScript} from './shell-command.ts';
import {ASSIGNMENT, type Heredoc, UNKNOWN, type Word, WordReader} from './shell-words.ts';

/**
 * Reads a shell script without running anything. Variables that the script sets to literal values are
 * replaced; a branch of `case` that its known word does not choose is left out. Here-documents, quotes,
 * comments and continued lines are read as the shell does; command substitutions are read as commands of
 * their own.
 * @param parameters the known values of `$1`, `$2`, …
 */
export function parseShell(text: string, parameters: readonly string[] = []): ShellScript {
	const reader = new CommandReader(text, parameters);
	reader.read();
	return {commands: reader.commands, plain: reader.plain};
}

const RESERVED = new Set(
	'if then else elif fi for while until do done case esac in function select { } ! [[ ]] time'.split(
		' ',
	),
);
/** Behind these words a command begins. */
const OPENERS = new Set(['if', 'then', 'else', 'elif', 'while', 'until', 'do', '!', '{', 'time']);

class CommandReader {
	readonly commands: ShellCommand[] = [];
	plain = true;
	readonly #source: WordReader;
	readonly #cases = new ShellCases();
	readonly #functions: Array<{readonly name: string; readonly depth: number}> = [];
	#depth = 0;
	#words: Word[] = [];
	#begin = 1;
	#input: ShellCommand['input'];
	#after: ShellCommand['after'];
	#heredocs: Heredoc[] = [];
	/** Where the text of a here-document belongs, since its command may have ended before. */
	#waiting: number | undefined;

	constructor(text: string, parameters: readonly string[]) {
		this.#source = new WordReader(text, parameters, (inner, line) => {
			this.plain = false;
			for (const command of this.#cases.isSkipped ? [] : parseShell(inner).commands) {
				this.commands.push({...command, line: command.line + line - 1});
			}
		});
	}

	read(): void {
		while (this.#source.at < this.#source.text.length) {
			const rest = this.#source.text.slice(this.#source.at, this.#source.at + 3);
			if (rest.startsWith('\\\n')) {
				this.#source.at += 2;
				this.#source.line += 1;
			} else if (/^[ \t\r]/.test(rest)) {
				this.#source.at += 1;
			} else if (rest.startsWith('\n')) {
				this.#end(undefined);
				this.#source.at += 1;
				this.#source.line += 1;
				this.#readHeredocs();
			} else if (rest.startsWith('#')) {
				this.#source.at = this.#source.indexOf('\n');
			} else if (!this.#readOperator(rest)) {
				this.#readArgument();
			}
		}

		this.#end(undefined);
	}

	#readOperator(rest: string): boolean {
		const redirection = /^(?:\d*(?:<<-?|<<<|<>|<&|<|>>|>&|>\||>)|&>>?)/.exec(
			this.#source.text.slice(this.#source.at, this.#source.at + 8),
		)?.[0];
		if (redirection !== undefined && (this.#words.length > 0 || !/^\d/.test(redirection))) {
			this.#source.at += redirection.length;
			this.#readRedirection(redirection.replace(/^\d+/, ''));
			return true;
		}

		const operator = /^(?:&&|\|\||;;|;&|[;|&()])/.exec(rest)?.[0];
		if (operator === undefined) {
			return false;
		}

		this.#source.at += operator.length;
		if (this.#inPattern(operator)) {
			return true;
		}

		if (
			operator === '(' &&
			this.#words.length === 1 &&
			/^\s*\)/.test(this.#source.text.slice(this.#source.at))
		) {
			this.#source.at = this.#source.indexOf(')') + 1;
			this.#beginFunction(this.#words[0]?.text ?? '');
			this.#words = [];
			return true;
		}

		const command = this.#end(operator === '||' || operator === '&&' ? operator : undefined);
		if (operator === ';;' || operator === ';&') {
			this.#cases.endBranch();
		}

		if (operator === '|') {
			this.#input = command === undefined ? {file: UNKNOWN} : {from: command};
		}

		// A pipe is plain where whatever uses it says so.
		this.plain &&= !['&', '(', ')'].includes(operator);
		return true;
	}

	/** Patterns of `case`, up to their bracket. */
	#inPattern(operator: string): boolean {
		if (!this.#cases.inPattern || !['(', '|', ')'].includes(operator)) {
			return false;
		}

		if (operator === ')') {
			this.#cases.beginBranch(this.#words.map(({text}) => text));
			this.#words = [];
		}

		return true;
	}

	#readRedirection(operator: string): void {
		this.#source.at += /^[ \t]*/.exec(this.#source.text.slice(this.#source.at))?.[0].length ?? 0;
		const raw = this.#source.at;
		const [word = {text: '', quoted: false}] = this.#readWord(false);
		if (operator === '<<' || operator === '<<-') {
			const literal = /['"\\]/.test(this.#source.text.slice(raw, this.#source.at));
			this.#heredocs.push({end: word.text, literal, strip: operator === '<<-'});
			this.#waiting = this.commands.length;
		} else if (operator === '<') {
			this.#input = {file: word.text};
		} else if (operator === '<<<') {
			this.#input = {text: `${word.text}\n`};
		}
	}

	#readWord(isFirst: boolean): Word[] {
		return this.#source.readWord({isFirst, isPattern: this.#cases.inPattern});
	}

	#readHeredocs(): void {
		for (const heredoc of this.#heredocs.splice(0)) {
			const text = this.#source.readHeredoc(heredoc);
			const target = this.commands[this.#waiting ?? -1];
			if (target) {
				this.commands[this.#waiting ?? -1] = {...target, input: {text}};
			}
		}
	}

	#readArgument(): void {
		if (this.#words.length === 0) {
			this.#begin = this.#source.line;
		}

		const read = this.#readWord(this.#words.length === 0);
		const [first] = read;
		if (this.#words.length === 0 && first && !first.quoted && RESERVED.has(first.text)) {
			this.#readReserved(first.text);
			return;
		}

		const subject = this.#words[0];
		if (subject?.text === 'case' && first?.text === 'in' && this.#words.length === 2) {
			const text = this.#words[1]?.text ?? UNKNOWN;
			this.#cases.begin(text);
			this.#words = [];
			return;
		}

		this.#words.push(...read);
	}

	#readReserved(word: string): void {
		if (word === 'esac') {
			this.#cases.end();
		} else if (word === '{') {
			this.#depth += 1;
		} else if (word === '}') {
			this.#depth -= 1;
			if (this.#functions.at(-1)?.depth === this.#depth) {
				this.#functions.pop();
			}
		} else if (word === 'function') {
			const [, name = ''] =
				/^\s*([^\s({]+)\s*(?:\(\s*\))?/.exec(this.#source.text.slice(this.#source.at)) ?? [];
			this.#source.at +=
				/^\s*[^\s({]+\s*(?:\(\s*\))?/.exec(this.#source.text.slice(this.#source.at))?.[0].length ??
				0;
			this.#beginFunction(name);
		} else if (!OPENERS.has(word) && word !== 'in') {
			// "case", "for" and "[[" have words of their own, which are no command.
			this.#words = ['fi', 'done'].includes(word) ? [] : [{text: word, quoted: false}];
		}

		this.plain &&= word === 'time';
	}

	/** The body of a function may be a subshell as well: then its commands count as run. */
	#beginFunction(name: string): void {
		this.plain = false;
		if (/^\s*\{/.test(this.#source.text.slice(this.#source.at))) {
			this.#functions.push({name, depth: this.#depth});
		}
	}

	/** Ends a simple command. @returns its place in the list, where it is one */
	#end(next: ShellCommand['after']): number | undefined {
		const words = this.#words;
		const [input, after] = [this.#input, this.#after];
		this.#words = [];
		this.#input = undefined;
		this.#after = next;
		while (words[0] && ASSIGNMENT.test(words[0].text)) {
			this.#assign(words[0].text);
			words.shift();
		}

		const [first, second] = words;
		if (first === undefined) {
			return undefined;
		}

		if (['for', 'select'].includes(first.text)) {
			this.#source.variables.delete(second?.text ?? '');
			this.#source.loops.set(second?.text ?? '', words[3]?.text ?? UNKNOWN);
			return undefined;
		}

		if (['export', 'local', 'readonly', 'declare', 'typeset'].includes(first.text)) {
			for (const {text} of words.slice(1).filter(({text}) => ASSIGNMENT.test(text))) {
				this.#assign(text);
			}

			return undefined;
		}

		if (first.text === '[[' || this.#cases.isSkipped) {
			return undefined;
		}

		const within = this.#functions.at(-1)?.name;
		this.commands.push({
			line: this.#begin,
			words: words.map(({text}) => text),
			...(input === undefined ? {} : {input}),
			...(after === undefined ? {} : {after}),
			...(within === undefined ? {} : {within}),
		});
		return this.commands.length - 1;
	}

	#assign(word: string): void {
		const [, name = '', value = ''] = ASSIGNMENT.exec(word) ?? [];
		if (value.includes(UNKNOWN) || word.startsWith(`${name}+=`)) {
			this.#source.variables.delete(name);
		} else {
			this.#source.variables.set(name, value);
		}
	}
}
