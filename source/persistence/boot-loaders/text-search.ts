import {isRuleProgram} from './rule-command.ts';

/** A place in a program that is no shell script, where it seems to call something that changes rules. */
type Mention = {
	readonly line: number;
	readonly text: string;
	/** The program, and what follows it on the line. */
	readonly words: readonly string[];
};

/** Looks for calls in the text of a program in another language, as in `run(["iptables", "-F"])`. */
export function mentionsIn(text: string): readonly Mention[] {
	return text.split('\n').flatMap((line, index) => {
		if (/^\s*(?:#|\/\/|\*)/.test(line)) {
			return [];
		}

		const words = line
			.replaceAll(/["'`,()[\]{};]/g, ' ')
			.split(/\s+/)
			.filter(Boolean);
		const at = words.findIndex((word) => isRuleProgram(word.split('/').at(-1) ?? ''));
		return at === -1 ? [] : [{line: index + 1, text: line.trim(), words: words.slice(at)}];
	});
}
