import {printable} from '../lib/printable.ts';
import type {Rule} from '../ruleset/model.ts';

/** Matches whose meaning is in the rule alone (iptables-extensions(8)). */
const PLAIN_MATCHES =
	/^(?:tcp|udp|icmp|icmp6|conntrack|state|multiport|limit|hashlimit|addrtype|pkttype|iprange)$/;
const PLAIN_PROTOCOLS = /^(?:tcp|udp|icmp|ipv6-icmp)$/;
const PLAIN_TARGETS = /^(?:ACCEPT|DROP|REJECT|RETURN|LOG|NFLOG)$/;

/** Names of network cards (systemd.net-naming-scheme(7)). Interfaces that programs make have others. */
const CARD = /^(?:eth|en|wl|ww|ib)[\w.]*$/;

/** Matches that get a reason of their own; of others the name is the reason. */
const REASONS: Readonly<Record<string, string>> = {
	comment: 'carries a comment',
	set: 'matches a set of addresses',
	policy: 'matches an IPsec policy',
};

/**
 * What a rule of INPUT depends on outside of itself, or what shows that somebody needs it, as half a
 * sentence; undefined for a plain rule, as a person types it for a firewall in INPUT alone.
 * @param line the rule as iptables-save prints it
 * @param filled the chains that have rules
 * @param cards the interfaces that any rule of INPUT names: of two, one may lead inside
 */
export function dependencyOf(
	{line, rule}: {readonly line: string; readonly rule: Rule},
	filled: ReadonlySet<string>,
	cards: ReadonlySet<string>,
): string | undefined {
	// What is in quotes is a value, even where it looks like an option.
	const words = line.replace(/"(?:\\.|[^"\\])*"/g, '""').split(' ');
	const after = (option: RegExp) => words.filter((_, at) => option.test(words[at - 1] ?? ''));
	const [target] = after(/^-[jg]$/);
	if (target !== undefined && filled.has(target)) {
		return `leads to the chain ${printable(target, 40)}`;
	}

	const match = after(/^-m$/).find((name) => !PLAIN_MATCHES.test(name));
	if (match !== undefined) {
		return REASONS[match] ?? `has the condition "${printable(match, 20)}"`;
	}

	// Tunnels and clusters of routers have protocols of their own.
	const {protocol} = rule.match;
	if (protocol !== undefined && !PLAIN_PROTOCOLS.test(protocol)) {
		return `is about the protocol ${printable(protocol, 20)}`;
	}

	const [name] = interfacesIn(line);
	if (name !== undefined && (!CARD.test(name) || cards.size > 1 || acceptsAll(rule))) {
		return `is about the interface ${printable(name, 20)}`;
	}

	// A chain without rules does nothing, as any target of the name of a chain that has none.
	const empty = rule.target.kind === 'chain';
	return empty || PLAIN_TARGETS.test(target ?? '')
		? undefined
		: target === undefined
			? 'counts packets'
			: `has the target ${printable(target, 20)}`;
}

/** The interfaces but loopback that a rule is about, also where it is about all but one. */
export function interfacesIn(line: string): readonly string[] {
	const [, name] = / (?:! )?-i (\S+)/.exec(line) ?? [];
	return name === undefined || name === 'lo' ? [] : [name];
}

/** Whether a rule accepts whatever comes from an interface, as a person allows it for an inner network. */
function acceptsAll({match, target}: Rule): boolean {
	return target.kind === 'ACCEPT' && match.protocol === undefined && match.states === undefined;
}
