import {type Network, parseNetwork} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {
	PROTOCOL_NUMBERS,
	protocolNamed,
	protocolNumbered,
	WITH_OWN_RULES,
} from '../../policy/ip-protocols.ts';
import type {Opening} from '../../policy/opening.ts';
import type {Verdict} from '../../policy/policy.ts';

/** A rule, or a part of one, that openings cannot express. */
export type Untranslatable = {
	/** The rule in the words of its own program. */
	readonly text: string;
	/** The reason, and what happens to these packets now. */
	readonly why: string;
	/**
	 * What changes where the other firewall is switched off: packets that it blocked pass, or packets that
	 * it allowed are blocked. The user must accept that. Absent: nothing that matters.
	 */
	readonly effect?: 'opens' | 'closes';
	/** It is not about connections to this machine: it is lost whatever the user opens. */
	readonly elsewhere?: true;
	/** Openings that allow it, but also some of what the other firewall blocked: the user may choose them. */
	readonly wider?: readonly Opening[];
};

/**
 * What another firewall allows, as a start for a policy. What it allows beyond that is named. All text
 * is printable.
 */
export type Translation = {
	readonly openings: readonly Opening[];
	/** Addresses that it denies everything, ahead of what it allows. */
	readonly blocked?: readonly Network[];
	/** The verdict most like what that firewall does with all other packets. */
	readonly verdict: Verdict;
	/** Whether it logs packets that it blocks. */
	readonly log: boolean;
	readonly untranslatable: readonly Untranslatable[];
	/** Small differences that open no port, one sentence each. */
	readonly remarks: readonly string[];
};

/** Each one once: most rules exist for both families. */
export function unique(all: readonly Untranslatable[]): readonly Untranslatable[] {
	return [...new Map(all.map((one) => [`${one.text}\n${one.why}`, one])).values()];
}

/** The names that other firewalls have for protocols, where openings have another one (protocols(5)). */
const NUMBERS: Readonly<Record<string, number>> = {ipv6: 41, dccp: 33};

/**
 * What is said of a rule about a protocol other than TCP and UDP, with the opening that allows it.
 * @param protocol its name or number
 */
export function describeProtocol(
	protocol: string,
	{source, on}: {readonly source?: string | undefined; readonly on?: string | undefined},
): Pick<Untranslatable, 'why' | 'wider'> {
	const name = protocol.toLowerCase();
	const number = NUMBERS[name] ?? (/^\d{1,3}$/.test(name) ? Number(name) : undefined);
	const known = number === undefined ? protocolNamed(name) : protocolNumbered(number);
	const from = source === undefined ? undefined : readNetwork(source);
	const isKnown = from !== null && known !== undefined && isOpenable(known.number);
	return {
		why: `only TCP and UDP are imported, not ${printable(protocol, 20)}`,
		...(isKnown
			? {
					wider: [
						{
							...{kind: 'protocol', protocol: known},
							...(from === undefined || from === null ? {} : {from: [from]}),
							...(on === undefined ? {} : {on}),
						},
					],
				}
			: {}),
	};
}

/** A source may also be a set or a hardware address: null. */
function readNetwork(source: string): Network | null {
	try {
		return parseNetwork(source);
	} catch {
		return null;
	}
}

function isOpenable(number: number): boolean {
	return (
		number >= PROTOCOL_NUMBERS.first &&
		number <= PROTOCOL_NUMBERS.last &&
		!WITH_OWN_RULES.has(number)
	);
}
