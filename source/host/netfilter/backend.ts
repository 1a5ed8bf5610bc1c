import {HostError} from '../../lib/errors.ts';
import {printable} from '../../lib/printable.ts';
import type {Backend} from '../../ruleset/model.ts';
import {findProgram} from '../exec/find-program.ts';
import {firstLine, runToEnd} from '../exec/run.ts';
import {iptablesMissing} from '../machine/packages.ts';

/** The iptables of a machine, as `iptables -V` describes it. */
export type Iptables = {
	/** As in "1.8.9". */
	readonly version: string;
	/** Which part of the kernel `iptables` and `ip6tables` write their rules to. */
	readonly backend: Backend;
};

/** Whether iptables, and its IPv6 half, is installed. */
export function hasIptables(): boolean {
	return ['iptables-restore', 'ip6tables-restore'].every(findProgram);
}

/**
 * The iptables of this machine, or undefined where it, or its IPv6 half, is not installed. Nothing
 * else may decide which backend is in use: a guess would write rules that the next boot reads elsewhere.
 * @throws {HostError} where iptables does not work
 */
export async function detectIptables(): Promise<Iptables | undefined> {
	if (!hasIptables()) {
		return undefined;
	}

	// "iptables v1.8.9 (nf_tables)"; below 1.8 there is only legacy, and nothing in brackets.
	const {status, stdout, stderr} = await runToEnd('iptables', ['-V']);
	const version = /v([\d.]+)/.exec(stdout)?.[1];
	if (status !== 0 || version === undefined) {
		throw new HostError(
			`iptables does not say its version: ${printable(firstLine(stderr), 120)}`,
			'See what is wrong with it: iptables -V',
		);
	}

	return {
		version,
		backend: stdout.includes('nf_tables') ? 'nft' : 'legacy',
	};
}

/** Facts of which one is that iptables is installed. @throws {HostError} where it is not */
export function requireIptables<Facts extends {readonly iptables: Iptables | undefined}>(
	facts: Facts,
): Facts & {readonly iptables: Iptables} {
	const {iptables} = facts;
	if (iptables === undefined) {
		throw iptablesMissing();
	}

	return {...facts, iptables};
}
