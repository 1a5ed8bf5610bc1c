import {type Family, isMulticast, parseNetwork, prefixBits} from '../../lib/network.ts';
import {ALL_PORTS, type PortRange} from '../../lib/port-ranges.ts';
import {printable} from '../../lib/printable.ts';
import {PROTOCOLS, type Protocol} from '../../policy/services.ts';
import {isNonTerminating} from '../../ruleset/evaluate.ts';
import type {Rule} from '../../ruleset/model.ts';
import {parseSave} from '../../ruleset/parse-save.ts';
import type {Region} from './port-space.ts';
import type {ForeignRule} from './to-openings.ts';

/** The rules of a file of iptables-restore, line by line. */
export function linesOf(text: string): readonly string[] {
	return text
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => /^-[AI] /.test(line));
}

/** The conditions of a rule of another firewall. */
export type Scope = {
	readonly family: Family;
	/** Default: both. */
	readonly protocols?: readonly Protocol[];
	/** Default: all. */
	readonly ports?: readonly PortRange[];
	/** An address or a network; absent: anywhere. */
	readonly source?: string;
	readonly destination?: string;
	readonly on?: string;
	/** Why openings cannot express all of its conditions. */
	readonly inexact?: string;
};

/** The regions that a scope covers, and why they do not express all of its conditions. */
export function regionsOf(scope: Scope): Pick<ForeignRule, 'regions' | 'inexact'> {
	const {family, ports = [ALL_PORTS], source, destination, on} = scope;
	const sourceBits = source === undefined ? `${family}` : readSourceBits(source, family);
	const isNamable = on === undefined || isInterface(on);
	// TCP has no multicast connections.
	const udpOnly = destination !== undefined && isMulticast(destination);
	const protocols = (scope.protocols ?? PROTOCOLS).filter(
		(protocol) => !udpOnly || protocol === 'udp',
	);
	const inexact =
		scope.inexact ??
		(destination === undefined ? undefined : 'openings know no destination address') ??
		(sourceBits === undefined ? 'openings know no such source' : undefined) ??
		(isNamable ? undefined : 'openings know no such interface');
	return {
		regions: protocols.flatMap((protocol) =>
			ports.map(
				({first, last}): Region => ({
					protocol,
					first,
					last,
					sourceBits: sourceBits ?? `${family}`,
					...(on !== undefined && isNamable ? {on} : {}),
				}),
			),
		),
		...(inexact === undefined ? {} : {inexact}),
	};
}

/**
 * Reads a line of iptables-restore that somebody added to a chain by hand.
 * @returns the rule; or why it is none, in half a sentence; undefined where it neither allows nor
 * blocks new connections
 */
export function readLine(line: string, family: Family): ForeignRule | string | undefined {
	const text = printable(line, 160);
	const [, chain = ''] = /^-[AI] (\S+)/.exec(line) ?? [];
	const save = `*filter\n:${chain} - [0:0]\n${line.replace(/^-I (\S+)( \d+)?/, '-A $1')}\nCOMMIT\n`;
	const rule = parseSave(save, family).tables[0]?.chains[0]?.rules[0];
	if (rule === undefined) {
		return 'it is not understood';
	}

	const {match, target} = rule;
	if (
		target.kind === 'LOG' ||
		(target.kind === 'other' && isNonTerminating(target.words)) ||
		match.inInterface === 'lo' ||
		(match.states !== undefined && !match.states.includes('NEW'))
	) {
		return undefined;
	}

	const protocols = PROTOCOLS.filter(
		(protocol) => match.protocol === undefined || match.protocol === protocol,
	);
	const decides = ['ACCEPT', 'DROP', 'REJECT'].includes(target.kind);
	if (protocols.length === 0) {
		return decides ? `openings are of TCP and UDP, not of ${match.protocol}` : undefined;
	}

	const inexact = decides ? inexactness(match) : 'where it leads is not judged';
	const listed = /^-m set --match-set \S+ src$/.test(match.unknown?.join(' ') ?? '');
	return {
		text,
		...(listed && decides && target.kind !== 'ACCEPT' ? {listed} : {}),
		action: target.kind === 'ACCEPT' ? 'allow' : 'deny',
		...regionsOf({
			family,
			protocols,
			...(match.destinationPorts === undefined ? {} : {ports: match.destinationPorts}),
			...(match.source === undefined ? {} : {source: match.source}),
			...(match.destination === undefined ? {} : {destination: match.destination}),
			...(match.inInterface === undefined ? {} : {on: match.inInterface}),
			...(inexact === undefined ? {} : {inexact}),
		}),
	};
}

function inexactness(match: Rule['match']): string | undefined {
	const {unknown, sourcePorts, limit, hashlimit, inInterface, outInterface} = match;
	const end = inInterface?.endsWith('+')
		? `-i ${inInterface}`
		: outInterface && `-o ${outInterface}`;
	if (end !== undefined) {
		return `openings know no "${printable(end, 20)}"`;
	}

	if (match.translated ?? match.originalPorts ?? match.direction) {
		return 'openings know nothing of nat';
	}

	if (unknown !== undefined) {
		return `openings know no "${printable(unknown.slice(0, 4).join(' '), 40)}"`;
	}

	if (sourcePorts !== undefined) {
		return 'openings know no source port';
	}

	return limit === undefined && hashlimit === undefined ? undefined : 'it has a limit of its own';
}

function readSourceBits(text: string, family: Family): string | undefined {
	try {
		const network = parseNetwork(text);
		return network.family === family ? prefixBits(network) : undefined;
	} catch {
		return undefined;
	}
}

/** Whether an opening can have this interface: a name, and not a pattern. */
function isInterface(name: string): boolean {
	return /^[\w.@][\w.@-]{0,14}$/.test(name) && !/^[.-]+$/.test(name);
}
