/**
 * Stands for a line break inside a rule of a save, so that each rule is one line. No text of the kernel
 * has this character.
 */
export const LINE_BREAK = '\0';

/**
 * iptables-save prints a line break in a comment, in the name of an interface or in another name as it
 * is, so that what follows looks like a line of its own: a rule, COMMIT, a table. But the counters of a
 * rule are printed only on demand: a rule begins where two saves differ by them, and nowhere else.
 * @param plain what iptables-save prints
 * @param counted what iptables-save -c prints
 * @returns the plain save with one line for each rule (`LINE_BREAK`); undefined where the rules have
 * changed between the two
 */
export function joinRules(plain: string, counted: string): string | undefined {
	const [lines, withCounters] = [plain.split('\n'), counted.split('\n')];
	const begins = lines.map(
		(line, index) =>
			line.startsWith('-A ') &&
			withCounters[index]?.endsWith(line) === true &&
			/^\[\d+:\d+\] $/.test(withCounters[index].slice(0, -line.length)),
	);
	if (lines.length !== withCounters.length) {
		return undefined;
	}

	const joined: string[] = [];
	let inRules = false;
	for (const [index, line] of lines.entries()) {
		if (begins[index]) {
			joined.push(line);
			inRules = true;
		} else if (inRules ? isEnd(lines, begins, index) : !line.startsWith('-A ')) {
			joined.push(line);
			inRules = false;
		} else if (inRules && withCounters[index] === line) {
			joined.push(`${joined.pop()}${LINE_BREAK}${line}`);
		} else {
			return undefined;
		}
	}

	return joined.join('\n');
}

const [COMMENT, TABLE, CHAIN] = [/^#[^"]*$/, /^\*[a-z]+$/, /^:\S+ (?:[A-Z]+|-) \[\d+:\d+\]$/];

/** Whether a line ends its table: it is COMMIT, and nothing follows or another table begins. */
function isEnd(lines: readonly string[], begins: readonly boolean[], index: number): boolean {
	if (lines[index] !== 'COMMIT') {
		return false;
	}

	const skip = (pattern: RegExp, from: number) => {
		const found = lines.findIndex((line, at) => at >= from && !pattern.test(line));
		return found === -1 ? lines.length : found;
	};
	const table = skip(COMMENT, index + 1);
	if (table === lines.length || lines.slice(table).every((line) => line === '')) {
		return true;
	}

	const first = skip(CHAIN, table + 1);
	return TABLE.test(lines[table] ?? '') && (begins[first] === true || lines[first] === 'COMMIT');
}

/** The lines of one table of a save: its chains, then its rules. Only a line feed ends a line. */
export function tableLines(text: string, table: string): readonly string[] {
	const lines = text.split('\n');
	const first = lines.indexOf(`*${table}`) + 1;
	return first === 0 ? [] : lines.slice(first, lines.indexOf('COMMIT', first));
}

/** The rules of one table of a save, a line each. */
export function tableRules(text: string, table: string): readonly string[] {
	return tableLines(text, table).filter((line) => line.startsWith('-A '));
}

/**
 * Whether iptables-restore reads a rule as it is. It reads line by line; and bytes that are no UTF-8 were
 * replaced when the save was read (U+FFFD).
 */
export function canBeWrittenBack(rule: string): boolean {
	return !rule.includes(LINE_BREAK) && !rule.includes('\uFFFD');
}
