/** One word of a POSIX shell, taken as it is. */
export function quote(text: string): string {
	return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A function of POSIX sh for scripts that are run long after they were written. */
export const FALL_BACK = `# The iptables $1, or where an upgrade has moved it or taken its backend away, what bears its name now.
choose() {
	tool=$1
	[ -x "$tool-restore" ] && [ -x "$tool" ] && return
	tool=\${tool##*/}
	command -v "$tool-restore" >/dev/null && return
	tool=\${tool%%-*}
}
`;

/** Makes `$tool` the iptables of that path. */
export function printTool(program: string): string {
	return `choose ${quote(program)}\n`;
}
