import {programOfChain, programOfSharedRule} from '../services/known-programs/find.ts';
import type {KnownProgram} from '../services/known-programs/known-program.ts';

/**
 * The program that a rule belongs to, as iptables-save prints it: by the chain that it is in, by what
 * else it says, or by the chain that it leads to.
 */
export function programOfRule(rule: string): KnownProgram | undefined {
	const target = targetOf(rule);
	return (
		programOfChain(chainOf(rule)) ??
		(target === undefined ? undefined : programOfChain(target)) ??
		programOfSharedRule(rule)
	);
}

/** The chain that a rule is in, as iptables-save prints it. */
export function chainOf(rule: string): string {
	return rule.slice(3, rule.includes(' ', 3) ? rule.indexOf(' ', 3) : undefined);
}

/** The target of a rule: the last word behind -j or -g, if nothing follows it. */
export function targetOf(rule: string): string | undefined {
	const end = rule.lastIndexOf(' ');
	const option = rule.slice(end - 3, end);
	return option === ' -j' || option === ' -g' ? rule.slice(end + 1) || undefined : undefined;
}
