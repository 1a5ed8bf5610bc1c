/**
 * One word of a POSIX shell (XCU 2.2.2, "Single-Quotes"): the shell reads back exactly the text,
 * whatever stands in it. bash, zsh and dash read it alike.
 */
export function quote(text: string): string {
	return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The same for commands that people read: a word in which nothing is special stays as it is. */
export function quoteIfNeeded(text: string): string {
	return /^[\w@./:-]+$/.test(text) ? text : quote(text);
}
