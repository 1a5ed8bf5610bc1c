/**
 * The name of an interface as the kernel allows it (dev_valid_name), without what iptables reads as an option
 * or negation. `+` at the end stands for any rest, as for iptables(8), which takes 15 characters with it.
 */
export const INTERFACE_PATTERN = /^(?=.{1,15}$)(?!-|[.-]+$)[\w.@-]+\+?$/;

/** Whether all interfaces of one pattern are among those of another one; without a pattern they are all. */
export function hasInterfaces(outer: string | undefined, inner: string | undefined): boolean {
	return outer === undefined || (inner !== undefined && isInterface(outer, inner));
}

/** Whether such a name stands for an interface. */
export function isInterface(pattern: string, name: string): boolean {
	return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
