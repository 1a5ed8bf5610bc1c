import {
	contains,
	FAMILIES,
	type Family,
	familyOf,
	normalizeAddress,
	stripPrefixLength,
} from '../../lib/network.ts';
import {ALL_PORTS, intersectRanges, type PortRange} from '../../lib/port-ranges.ts';
import {printable} from '../../lib/printable.ts';
import type {Protocol} from '../../policy/services.ts';
import {programOfChain, programOfTable} from '../../services/known-programs/find.ts';

/** A port of this machine that is forwarded to a container or another machine: its packets do not pass INPUT. */
export type Published = {
	readonly families: readonly Family[];
	readonly protocol: Protocol;
	/** The address of this machine on which it is published; `0.0.0.0` or `::` for all. */
	readonly address: string;
	readonly port: number;
	/** The last port of a range. */
	readonly last?: number | undefined;
	/** The network whose packets alone are forwarded, CIDR. */
	readonly from?: string | undefined;
	/** The interface whose packets alone are forwarded. */
	readonly on?: string | undefined;
	/** The destination in the spelling of the rule: `172.17.0.2:80`; safe to print. */
	readonly to: string;
	/** The program that published it: `Docker`, `podman`, `Kubernetes`, …, or `a DNAT rule`. */
	readonly by: string;
	/** The container that it leads to, and its image, where they are known; safe to print. */
	readonly container?: string;
	readonly image?: string;
};

/** The conditions of a rule that are understood. A packet that does not meet them is not forwarded. */
export type Condition = {
	readonly families?: readonly Family[] | undefined;
	readonly protocols?: readonly Protocol[] | undefined;
	readonly ports?: readonly PortRange[] | undefined;
	/** CIDR. */
	readonly destination?: string | undefined;
	readonly source?: string | undefined;
	readonly on?: string | undefined;
};

/** A rule, or one branch of it. Conditions that are not understood are taken as met. */
export type NatStep = {
	readonly condition: Condition;
	readonly outcome:
		| {readonly kind: 'chain'; readonly name: string}
		/** `address` is undefined where only the port changes, or where the new address is not known. */
		| {readonly kind: 'forward'; readonly address: string | undefined; readonly to: string}
		/** To a port of this machine (REDIRECT); undefined: the same one. */
		| {readonly kind: 'redirect'; readonly port: number | undefined}
		/** Every packet leaves the chain here. */
		| {readonly kind: 'end'};
};

/** A nat table of iptables or of nftables. `entries` are the chains that packets from outside enter first. */
export type NatTable = {
	/** As nftables names it: `ip nat`. It tells which program has made the table. */
	readonly name: string;
	readonly families: readonly Family[];
	readonly entries: readonly string[];
	readonly chains: ReadonlyMap<string, readonly NatStep[]>;
};

/** Limits for a table whose chains lead to each other in circles, or have thousands of branches. */
const MOST_STEPS = 200_000;
const DEEPEST = 16;

/**
 * The ports of this machine that a nat table forwards elsewhere.
 * @param own the addresses of this machine without loopback: packets to others are not to its ports
 */
export function publishedIn(table: NatTable, own: readonly string[]): readonly Published[] {
	const found = new Map<string, Published>();
	walkNat(table, (condition, outcome, chains) => {
		if (outcome.kind === 'forward' && !isHere(outcome.address, own)) {
			const by = makerOf(chains, table.name);
			for (const published of expand(condition, table, outcome.to, by, own)) {
				found.set(JSON.stringify(published), published);
			}
		}
	});
	return [...found.values()];
}

/**
 * Calls back for each rule of a nat table that changes where packets from outside go.
 * @param visit gets the conditions of the rule and of all that lead to it, and these chains, the first one first
 */
export function walkNat(
	table: NatTable,
	visit: (
		condition: Condition,
		outcome: Exclude<NatStep['outcome'], {readonly kind: 'chain' | 'end'}>,
		chains: readonly string[],
	) => void,
): void {
	let steps = 0;
	const walk = (name: string, before: Condition, path: readonly string[]) => {
		if (path.length > DEEPEST || path.includes(name)) {
			return;
		}

		const here = [...path, name];
		for (const {condition, outcome} of table.chains.get(name) ?? []) {
			steps += 1;
			const both = steps > MOST_STEPS ? undefined : join(before, condition);
			if (both === undefined) {
				continue;
			}

			if (outcome.kind === 'end') {
				return;
			}

			if (outcome.kind === 'chain') {
				walk(outcome.name, both, here);
			} else {
				visit(both, outcome, here);
			}
		}
	};
	for (const entry of table.entries) {
		walk(entry, {families: table.families}, []);
	}
}

/** Both conditions at once; undefined where no packet meets both. */
function join(a: Condition, b: Condition): Condition | undefined {
	const families = both(a.families, b.families);
	const protocols = both(a.protocols, b.protocols);
	const ports = bothRanges(a.ports, b.ports);
	const destination = narrower(a.destination, b.destination);
	const source = narrower(a.source, b.source);
	const impossible =
		[families, protocols, ports].some((list) => list?.length === 0) ||
		destination === null ||
		source === null ||
		(a.on !== undefined && b.on !== undefined && a.on !== b.on);
	return impossible
		? undefined
		: {families, protocols, ports, destination, source, on: a.on ?? b.on};
}

function both<T>(
	a: readonly T[] | undefined,
	b: readonly T[] | undefined,
): readonly T[] | undefined {
	return a && b ? a.filter((value) => b.includes(value)) : (a ?? b);
}

function bothRanges(
	a: readonly PortRange[] | undefined,
	b: readonly PortRange[] | undefined,
): readonly PortRange[] | undefined {
	return a && b ? intersectRanges(a, b) : (a ?? b);
}

/** The smaller of two networks; null where they have no address in common. */
function narrower(a: string | undefined, b: string | undefined): string | undefined | null {
	if (a === undefined || b === undefined || a === b) {
		return a ?? b;
	}

	return contains(a, stripPrefixLength(b)) ? b : contains(b, stripPrefixLength(a)) ? a : null;
}

/** Every address, protocol and port range of this machine that a condition comprises. */
function expand(
	{families = FAMILIES, protocols = ['tcp', 'udp'], ports, destination, source, on}: Condition,
	table: NatTable,
	to: string,
	by: string,
	own: readonly string[],
): readonly Published[] {
	const served = families.filter(
		(family) =>
			table.families.includes(family) &&
			[destination, source].every((cidr) => cidr === undefined || familyOf(cidr) === family),
	);
	const addresses =
		destination === undefined
			? [served.includes(4) ? '0.0.0.0' : '::']
			: own.filter((address) => contains(destination, address));
	return served.length === 0
		? []
		: addresses.flatMap((address) =>
				protocols.flatMap((protocol) =>
					(ports ?? [ALL_PORTS]).map(({first, last}) => ({
						families: served,
						protocol,
						address,
						port: first,
						...(last === first ? {} : {last}),
						...(source === undefined ? {} : {from: source}),
						...(on === undefined ? {} : {on: printable(on)}),
						to: printable(to),
						by,
					})),
				),
			);
}

/** @param chains the chains that lead to a rule, from the first to its own */
function makerOf(chains: readonly string[], table: string): string {
	const owner = chains.map(programOfChain).find(Boolean) ?? programOfTable(table);
	return owner?.name ?? 'a DNAT rule';
}

/** Whether packets to an address stay on this machine, and so pass INPUT after all. */
export function isHere(address: string | undefined, own: readonly string[]): boolean {
	if (address === undefined) {
		return false;
	}

	return own.includes(address) || address.startsWith('127.') || address === '::1';
}

/** The address in the destination of a DNAT rule: of `172.17.0.2:80`, `[fd00::2]:80`, `10.0.0.5`. Undefined where it has none. */
export function addressOf(to: string): string | undefined {
	const [, address] =
		/^\[([\da-f:.]+)\]/i.exec(to) ??
		/^(\d+(?:\.\d+){3})(?=[:-]|$)/.exec(to) ??
		/^([\da-f]*:[\da-f]*:[\da-f:.]*)$/i.exec(to) ??
		[];
	return address === undefined ? undefined : normalizeAddress(address);
}
