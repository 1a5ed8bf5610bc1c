import type {Family} from '../../lib/network.ts';
import {isPort, type PortRange} from '../../lib/port-ranges.ts';
import type {Policy} from '../../policy/policy.ts';
import type {RulesUnderTest} from '../../testbed/load-rules.ts';
import type {Testbed} from '../../testbed/testbed.ts';
import type {Ports} from '../count-nft.ts';
import type {NamedVantagePoint} from '../vantage-points.ts';

/** A property of a good rule set beside its open ports, checked with real packets. */
export type Check = {
	readonly name: string;
	readonly result: 'ok' | 'failed' | 'untried';
	/** Why it failed, or why it could not be tried. Empty where it is ok. */
	readonly detail: string;
	/** The check is whether the connected remote client can connect again. */
	readonly wayIn?: true;
};

/** What every check is given: an address of the machine, and one outside, of the same family. */
export type CheckContext = {
	readonly testbed: Testbed;
	readonly policy: Policy;
	/** The rules that are loaded in the testbed. */
	readonly loaded: RulesUnderTest;
	readonly vantagePoint: NamedVantagePoint;
	/** The machine's address. */
	readonly here: string;
	/** The address of the vantage point. */
	readonly there: string;
	/** The ports of this machine that the policy opens for the vantage point, without published ones. */
	readonly opened: Ports;
	/** The same with all published ports. */
	readonly notClosed: Ports;
	/** Milliseconds to wait for an answer. Between namespaces it takes less than one, but the machine may be busy. */
	readonly timeout: number;
};

/** Runs one check, or several of one subject. */
export type CheckRunner = (context: CheckContext) => Promise<readonly Check[]>;

/** Why a check could not be tried in a testbed that is not adjustable. */
export const READ_ONLY = '/proc/sys is read-only here';
export const ECHO_PORT = 7;

/** The result of a check. @param detail why it failed */
export function check(
	name: string,
	vantagePoint: {readonly family: Family},
	ok: boolean,
	detail: string,
): Check {
	return {name: named(name, vantagePoint), result: ok ? 'ok' : 'failed', detail: ok ? '' : detail};
}

/** The result of a check that could not be tried. @param detail why not */
export function untried(
	name: string,
	vantagePoint: {readonly family: Family},
	detail: string,
): Check {
	return {name: named(name, vantagePoint), result: 'untried', detail};
}

/** `IPv6: it answers ping` */
function named(name: string, {family}: {readonly family: Family}): string {
	return `IPv${family}: ${name}`;
}

/** The lowest port from 1 on that is not open; undefined where all are. */
export function firstClosed(open: readonly PortRange[]): number | undefined {
	const port = open.reduce(
		(next, {first, last}) => (next >= first ? Math.max(next, last + 1) : next),
		1,
	);
	return isPort(port) ? port : undefined;
}
