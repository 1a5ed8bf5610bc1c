import {quote} from '../../lib/shell-quote.ts';

/** A function of POSIX sh for scripts that are run long after they were written. */
export const CHOOSE_IPTABLES = `# The iptables $1, or where an upgrade has moved it or taken its backend away, what bears its name now.
choose() {
	tool=$1
	[ -x "$tool-restore" ] && [ -x "$tool" ] && return
	tool=\${tool##*/}
	command -v "$tool-restore" >/dev/null && return
	tool=\${tool%%-*}
}
`;

/**
 * A line of sh, for a script with the function above, that makes `$tool` the iptables of a path.
 * @param program absolute, as `/usr/sbin/iptables-nft`
 */
export function printChoice(program: string): string {
	return `choose ${quote(program)}\n`;
}
