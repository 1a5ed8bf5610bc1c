/** Stands in a word for what only the shell would know: a variable, the output of a command, a pattern. */
export const UNKNOWN = '\0';

/** A word of a shell script without its quotes. */
export type Word = {readonly text: string; readonly quoted: boolean};

/** What the words before say of the word that is read. */
type WordPlace = {
	/** It names the program of a command. */
	readonly isFirst: boolean;
	/** It is a pattern of `case`. */
	readonly isPattern: boolean;
};

/** A here-document: what ends it, whether it is taken as it is (its end is quoted), and without tabs (`<<-`). */
export type Heredoc = {readonly end: string; readonly literal: boolean; readonly strip: boolean};

/** Looks up where a program is: `$(which iptables)`. */
const LOOKUP = /^\s*(?:which|command -v|type -[pP])\s+([\w.-]+)\s*(?:2>\s*\/dev\/null\s*)?$/;

export const ASSIGNMENT = /^([A-Za-z_]\w*)\+?=([\s\S]*)$/;

/** Reads the words of a shell script (POSIX.1-2017, 2.2 and 2.6), from its place on. */
export class WordReader {
	readonly text: string;
	/** Those that have a literal value. */
	readonly variables: Map<string, string>;
	/** The variables of loops, with the first of their values. */
	readonly loops = new Map<string, string>();
	/** The next character. */
	at = 0;
	/** Its line, counted from 1. */
	line = 1;
	readonly #onSubstitution: (commands: string, line: number) => void;

	/** @param onSubstitution gets the commands of each command substitution, and their line */
	constructor(
		text: string,
		parameters: readonly string[],
		onSubstitution: (commands: string, line: number) => void,
	) {
		this.text = text;
		this.variables = new Map(parameters.map((value, index) => [`${index + 1}`, value]));
		this.#onSubstitution = onSubstitution;
	}

	/** The next place of a text, or the end. */
	indexOf(what: string): number {
		const found = this.text.indexOf(what, this.at);
		return found === -1 ? this.text.length : found;
	}

	/** One word, which is several where an unquoted variable has spaces in its value. */
	readWord({isFirst, isPattern}: WordPlace): Word[] {
		let [text, quoted, split] = ['', false, false];
		while (this.at < this.text.length) {
			const sign = this.text[this.at] ?? '';
			if (/[\s;|&()<>]/.test(sign)) {
				break;
			}

			this.at += 1;
			if (sign === "'") {
				const end = this.indexOf("'");
				text += this.#pass(end);
				this.at = end + 1;
				quoted = true;
			} else if (sign === '"') {
				text += this.#readQuoted(isFirst);
				quoted = true;
			} else if (sign === '\\') {
				const next = this.text[this.at] ?? '';
				this.at += 1;
				this.line += next === '\n' ? 1 : 0;
				text += next === '\n' ? '' : next;
			} else if (sign === '$' || sign === '`') {
				const value = this.#readExpansion(sign, isFirst);
				split ||= /\s/.test(value) && !ASSIGNMENT.test(text);
				text += value;
			} else {
				text += !isPattern && this.#isLookedUp(sign, text) ? UNKNOWN : sign;
			}
		}

		const texts = split ? text.split(/\s+/).filter(Boolean) : [text];
		return texts.map((one) => ({text: one, quoted}));
	}

	/** Patterns of files, and lists in braces: what they stand for is not looked up. */
	#isLookedUp(sign: string, before: string): boolean {
		return (
			/[*?]/.test(sign) ||
			(sign === '[' && before !== '') ||
			(sign === '{' && /^\S+,/.test(this.text.slice(this.at, this.at + 80)))
		);
	}

	#readQuoted(isFirst: boolean): string {
		let text = '';
		while (this.at < this.text.length && this.text[this.at] !== '"') {
			const sign = this.text[this.at] ?? '';
			this.at += 1;
			if (sign === '\\' && /[$`"\\\n]/.test(this.text[this.at] ?? '')) {
				text += this.text[this.at] === '\n' ? '' : this.text[this.at];
				this.line += this.text[this.at] === '\n' ? 1 : 0;
				this.at += 1;
			} else if (sign === '$' || sign === '`') {
				text += this.#readExpansion(sign, isFirst);
			} else {
				this.line += sign === '\n' ? 1 : 0;
				text += sign;
			}
		}

		this.at += 1;
		return text;
	}

	/** Behind `$` or a backquote. */
	#readExpansion(sign: string, isFirst: boolean): string {
		const rest = this.text.slice(this.at);
		if (sign === '`' || rest.startsWith('(')) {
			const end = sign === '`' ? this.indexOf('`') : closing(this.text, this.at);
			const inner = this.text.slice(this.at + (sign === '`' ? 0 : 1), end);
			const line = this.line;
			const [, program] = LOOKUP.exec(inner) ?? [];
			if (program !== undefined) {
				this.at = end + 1;
				return program;
			}

			if (!rest.startsWith('((')) {
				this.#onSubstitution(inner, line);
			}

			this.#pass(end);
			this.at = end + 1;
			return UNKNOWN;
		}

		const [whole, braced, otherwise, plain] =
			/^(?:\{(\w+)(?::?[-=]([\w./ -]*))?\}|(\w+|[@*#?$!-])|\{[^}]*\}|'[^']*')/.exec(rest) ?? [];
		this.at += whole?.length ?? 0;
		const name = braced ?? plain ?? '';
		// A loop over programs does the same with each.
		const looped = isFirst ? this.loops.get(name) : undefined;
		return whole === undefined
			? '$'
			: (this.variables.get(name) ??
					looped ??
					(/^\d/.test(name) ? undefined : otherwise) ??
					UNKNOWN);
	}

	/** The text of a here-document, whose lines begin here. */
	readHeredoc({end, literal, strip}: Heredoc): string {
		const lines: string[] = [];
		while (this.at < this.text.length) {
			const stop = this.indexOf('\n');
			const line = this.text.slice(this.at, stop).replace(strip ? /^\t+/ : /^$/, '');
			this.at = Math.min(stop + 1, this.text.length);
			this.line += 1;
			if (line === end) {
				break;
			}

			lines.push(`${line}\n`);
		}

		return literal ? lines.join('') : this.#expand(lines.join(''));
	}

	#expand(body: string): string {
		return body.replaceAll(/\$\{?(\w+)\}?|\$\([^)]*\)|`[^`]*`/g, (_, name) =>
			name === undefined ? UNKNOWN : (this.variables.get(name) ?? UNKNOWN),
		);
	}

	/** Goes on to a place, and counts the lines on the way. */
	#pass(end: number): string {
		const text = this.text.slice(this.at, end);
		this.line += text.split('\n').length - 1;
		this.at = end;
		return text;
	}
}

/** The place of the bracket that closes the one at `from`. */
function closing(text: string, from: number): number {
	let depth = 0;
	for (let at = from; at < text.length; at += 1) {
		depth += text[at] === '(' ? 1 : text[at] === ')' ? -1 : 0;
		if (depth === 0) {
			return at;
		}
	}

	return text.length;
}
