/** One word of a POSIX shell, taken as it is. */
export function quote(text: string): string {
	return `'${text.replaceAll("'", "'\\''")}'`;
}
