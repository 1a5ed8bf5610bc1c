import {programOfRule} from '../existing/rule-owner.ts';
import {joinRanges, onePort, type PortRange} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import {isInterface} from '../policy/interface-pattern.ts';
import type {Policy} from '../policy/policy.ts';
import {INNER_INTERFACES} from '../policy/published.ts';
import {type Protocol, perProtocol} from '../policy/services.ts';
import {programOfTable} from '../services/known-programs/find.ts';
import type {KnownProgram} from '../services/known-programs/known-program.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import type {Forwarded, Ports, SentOn} from './count-nft.ts';
import type {NamedVantagePoint} from './vantage-points.ts';

/** Ports that DNAT sends to a container or another machine. */
export type PublishedPorts = PortRange & {
	readonly protocol: Protocol;
	/** `172.17.0.2:80`, `[fd00::2]:8000-8010` */
	readonly to: string;
	/** Whether packets get there: all rules forward them. */
	readonly open: boolean;
};

/** The published ports that packets have shown, neighbouring ones together. */
export function publishedPorts({forwarded, published}: SentOn): readonly PublishedPorts[] {
	const keyOf = ({protocol, port, to}: Forwarded) => `${protocol} ${port} ${to}`;
	const open = new Set(forwarded.map(keyOf));
	const joined: Array<Omit<PublishedPorts, 'to'> & {address: string; from: number; till: number}> =
		[];
	for (const one of [...published].sort(byPort)) {
		const [, address = '', to] = /^(.*):(\d+)$/.exec(one.to) ?? [];
		const next = {...onePort(one.port), protocol: one.protocol, open: open.has(keyOf(one))};
		const before = joined.at(-1);
		const step = before === undefined ? 0 : Number(to) - before.till;
		if (
			before?.protocol === next.protocol &&
			before.open === next.open &&
			before.address === address &&
			before.last + 1 === next.first &&
			// All to one port, or each to the next one.
			(step === 0 ? before.from === before.till : step === 1) &&
			(before.first === before.last || (step === 1) === before.from < before.till)
		) {
			joined[joined.length - 1] = {...before, last: next.last, till: Number(to)};
		} else {
			joined.push({...next, address, from: Number(to), till: Number(to)});
		}
	}

	return joined.map(({address, from, till, ...rest}) => ({
		...rest,
		to: `${address}:${from === till ? from : `${from}-${till}`}`,
	}));
}

function byPort(a: Forwarded, b: Forwarded): number {
	return a.protocol.localeCompare(b.protocol) || a.port - b.port || a.to.localeCompare(b.to);
}

/** The ports whose packets go to a container or another machine. */
export function forwardedPorts({forwarded}: SentOn): Ports {
	return perProtocol((protocol) =>
		joinRanges(
			forwarded
				.filter((one) => one.protocol === protocol && !one.here)
				.map(({port}) => onePort(port)),
		),
	);
}

/** Whether a policy says what is forwarded of packets from a vantage point: containers' own are left. */
export function governs(
	{published, inner = INNER_INTERFACES}: Policy,
	{inInterface, kind}: NamedVantagePoint,
): boolean {
	return (
		published === 'policy' &&
		kind !== 'inside' &&
		!inner.some((name) => isInterface(name, inInterface))
	);
}

/**
 * Whether packets from a vantage point that are forwarded against a policy are a difference from it. Containers
 * and guests reach each other's published ports.
 */
export function judgesForwarded(policy: Policy, vantagePoint: NamedVantagePoint): boolean {
	return (
		vantagePoint.kind !== 'inside' &&
		(policy.published !== 'policy' || governs(policy, vantagePoint))
	);
}

/** What closes a port that whoever publishes it opens, at the end of a sentence. */
export const CURE = '; to close it: --published policy';

/** Adds to a cause how to close the port, where a policy can: not in a cluster, nor what Swarm opens on every node. */
export function withCure(cause: string, program: KnownProgram | undefined): string {
	return program?.kind === 'cluster' || cause.startsWith('-A DOCKER-INGRESS ')
		? cause
		: `${cause}${CURE}`;
}

/** The known program that publishes a port, and the rule with which it does; safe to print. */
export function publisherOf(
	{first}: PortRange,
	{loads}: RulesUnderTest,
): {readonly program: KnownProgram; readonly cause: string} | undefined {
	const port = new RegExp(`\\bdport (?:\\{[^}]*\\b)?${first}\\b`);
	for (const {program: loader, text} of loads) {
		const isNative = loader === 'nft';
		const table = isNative ? (/^table (\S+ \S+) \{/.exec(text)?.[1] ?? '') : 'nat';
		const line = text
			.split('\n')
			.find((one) => port.test(one) && (isNative || / -j DNAT /.test(one)));
		const program = line && (isNative ? programOfTable(table) : programOfRule(line));
		if (line && program) {
			const cause = `${printable(line.trim(), 200)}, in ${table} (${program.name})`;
			return {program, cause: withCure(cause, program)};
		}
	}

	return undefined;
}

/** The rule that publishes a port, as far as it is known; safe to print. */
export function publishedBy(port: PortRange, source: RulesUnderTest): string {
	return publisherOf(port, source)?.cause ?? withCure('a rule that publishes ports', undefined);
}
