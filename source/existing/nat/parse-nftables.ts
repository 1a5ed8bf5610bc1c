import {parseJson} from '../../lib/json.ts';
import {FAMILIES, type Family, familyOf, printEndpoint} from '../../lib/network.ts';
import type {PortRange} from '../../lib/port-ranges.ts';
import type {Protocol} from '../../policy/services.ts';
import type {Condition, NatStep, NatTable} from './published-ports.ts';

/** A value of libnftables-json(5). Any field may be missing, or have a form that only a newer nft prints. */
type Json = {readonly [key: string]: Json | undefined} | readonly Json[] | string | number | null;

const FAMILIES_OF: Readonly<Record<string, readonly Family[]>> = {
	ip: [4],
	ip6: [6],
	inet: FAMILIES,
};

/**
 * Reads the nat tables in the output of `nft -j list table` or `nft -j list ruleset`. Rules that
 * iptables-nft made are `xt` there, without what they do; iptables-save prints these.
 */
export function natOfNftables(text: string): readonly NatTable[] {
	const objects = listOf(get(parseJson(text) as Json | undefined, 'nftables'));
	const kind = (name: string) => objects.flatMap((object) => get(object, name) ?? []);
	return kind('table').flatMap((table) => {
		const families = FAMILIES_OF[textOf(get(table, 'family'))];
		const isInTable = (object: Json) =>
			get(object, 'family') === get(table, 'family') && get(object, 'table') === get(table, 'name');
		const chains = kind('chain').filter(isInTable);
		const entries = chains
			.filter((chain) => get(chain, 'type') === 'nat' && get(chain, 'hook') === 'prerouting')
			.map((chain) => textOf(get(chain, 'name')));
		const rules = kind('rule').filter(isInTable);
		const sets: Sets = new Map(
			[...kind('set'), ...kind('map')]
				.filter(isInTable)
				.map((set) => [`@${textOf(get(set, 'name'))}`, listOf(get(set, 'elem'))]),
		);
		return families === undefined || entries.length === 0
			? []
			: [
					{
						name: `${textOf(get(table, 'family'))} ${textOf(get(table, 'name'))}`,
						families,
						entries,
						chains: new Map(
							chains.map((chain) => {
								const name = get(chain, 'name');
								const own = rules.filter((rule) => get(rule, 'chain') === name);
								return [
									textOf(name),
									own.flatMap((rule) => stepsOf(listOf(get(rule, 'expr')), sets)),
								];
							}),
						),
					},
				];
	});
}

/** The families and names of the tables with a nat chain at prerouting, from `nft -j list chains`. */
export function natTablesIn(text: string): ReadonlyArray<readonly [family: string, name: string]> {
	const names = listOf(get(parseJson(text) as Json | undefined, 'nftables'))
		.flatMap((object) => get(object, 'chain') ?? [])
		.filter((chain) => get(chain, 'type') === 'nat' && get(chain, 'hook') === 'prerouting')
		.map((chain) => [textOf(get(chain, 'family')), textOf(get(chain, 'table'))] as const);
	return [...new Map(names.map((name) => [name.join(' '), name])).values()];
}

/** The elements of named sets and maps, by `@name`. */
type Sets = ReadonlyMap<string, readonly Json[]>;

function stepsOf(expressions: readonly Json[], sets: Sets): readonly NatStep[] {
	let condition: Condition = {};
	// Whether all conditions of the rule are understood: only then does its verdict end the chain for certain.
	let whole = true;
	for (const expression of expressions) {
		const match = get(expression, 'match');
		const target = get(expression, 'jump') ?? get(expression, 'goto');
		const forward = get(expression, 'dnat');
		const choice = get(expression, 'vmap');
		if (match !== undefined) {
			const more = matchOf(match, sets);
			whole &&= more !== undefined;
			condition = {...condition, ...more};
		} else if (target !== undefined) {
			return [{condition, outcome: {kind: 'chain', name: textOf(get(target, 'target'))}}];
		} else if (choice !== undefined) {
			return branches(choice, sets).flatMap(([more, value]) => {
				const chain = get(get(value, 'jump') ?? get(value, 'goto'), 'target');
				const outcome = {kind: 'chain', name: textOf(chain)} as const;
				return chain === undefined ? [] : [{condition: {...condition, ...more}, outcome}];
			});
		} else if (forward !== undefined) {
			return forwards(forward, condition, sets);
		} else if (get(expression, 'accept') !== undefined || get(expression, 'return') !== undefined) {
			return whole && Object.keys(condition).length === 0
				? [{condition, outcome: {kind: 'end'}}]
				: [];
		}
	}

	return [];
}

/** The destinations of a dnat statement: one address, or one for each key of a map. */
function forwards(dnat: Json, condition: Condition, sets: Sets): readonly NatStep[] {
	const address = get(dnat, 'addr');
	if (address === undefined) {
		return [];
	}

	const family = FAMILIES_OF[textOf(get(dnat, 'family'))];
	const base = {...condition, ...(family === undefined ? {} : {families: family})};
	const map = get(address, 'map');
	const choices: ReadonlyArray<readonly [Condition, Json]> =
		map === undefined ? [[{}, address]] : branches(map, sets);
	return choices.map(([more, value]) => {
		const [host, port = get(dnat, 'port')] =
			get(value, 'concat') === undefined ? [value] : listOf(get(value, 'concat'));
		const text = typeof host === 'string' && /^[\da-f.:]+$/.test(host) ? host : undefined;
		return {
			condition: {...base, ...more},
			outcome: {kind: 'forward', address: text, to: formatEndpoint(text, port)},
		};
	});
}

/** The keys of a map as conditions, each with its value. A key that is not understood has no condition. */
function branches(map: Json, sets: Sets): ReadonlyArray<readonly [Condition, Json]> {
	const key = get(map, 'key') ?? null;
	const keys = get(key, 'concat') === undefined ? [key] : listOf(get(key, 'concat'));
	const data = get(map, 'data') ?? null;
	const elements = typeof data === 'string' ? (sets.get(data) ?? []) : listOf(get(data, 'set'));
	return elements.map((element) => {
		const [from = null, value = null] = listOf(element);
		const plain = get(get(from, 'elem'), 'val') ?? from;
		const parts = get(plain, 'concat') === undefined ? [plain] : listOf(get(plain, 'concat'));
		const condition: Condition = Object.assign(
			{},
			...keys.map((left, index) => fieldOf(left, parts.slice(index, index + 1))),
		);
		return [condition, value];
	});
}

function matchOf(match: Json, sets: Sets): Condition | undefined {
	const right = get(match, 'right') ?? null;
	const values =
		typeof right === 'string' && right.startsWith('@')
			? (sets.get(right) ?? [])
			: get(right, 'set') === undefined
				? [right]
				: listOf(get(right, 'set'));
	// `in` tests a set of flags.
	return get(match, 'op') === '==' ? fieldOf(get(match, 'left') ?? null, values) : undefined;
}

/** The condition that a field of the packet has one of these values; undefined where it is not understood. */
function fieldOf(left: Json, values: readonly Json[]): Condition | undefined {
	const payload = get(left, 'payload');
	const [protocol, field] = [textOf(get(payload, 'protocol')), textOf(get(payload, 'field'))];
	const meta = textOf(get(get(left, 'meta'), 'key'));
	if (field === 'dport') {
		const ports = values.flatMap((value) => rangeOf(value) ?? []);
		const protocols = isProtocol(protocol) ? {protocols: [protocol]} : undefined;
		return ports.length === values.length ? {ports, ...protocols} : protocols;
	}

	if (meta === 'l4proto' || field === 'protocol' || field === 'nexthdr') {
		return {protocols: values.filter(isProtocol)};
	}

	if (meta === 'nfproto') {
		return {
			families: values.flatMap(
				(value) => FAMILIES_OF[`${value}`.replace('ipv4', 'ip').replace('ipv6', 'ip6')] ?? [],
			),
		};
	}

	// A condition has one address or interface at most.
	const [value = null] = values.length === 1 ? values : [];
	if ((meta === 'iifname' || meta === 'iif') && typeof value === 'string' && !value.endsWith('*')) {
		return {on: value};
	}

	const cidr = cidrOf(value);
	const family = FAMILIES_OF[protocol];
	return cidr === undefined
		? family && {families: family}
		: field === 'daddr'
			? {destination: cidr, families: family}
			: field === 'saddr'
				? {source: cidr, families: family}
				: undefined;
}

function isProtocol(value: Json): value is Protocol {
	return value === 'tcp' || value === 'udp';
}

function rangeOf(value: Json): PortRange | undefined {
	const [first, last] = listOf(get(value, 'range') ?? [value, value]);
	return typeof first === 'number' && typeof last === 'number' ? {first, last} : undefined;
}

function cidrOf(value: Json): string | undefined {
	const prefix = get(value, 'prefix');
	const [address, length] =
		prefix === undefined ? [value] : [get(prefix, 'addr'), get(prefix, 'len')];
	return typeof address === 'string' && /^[\da-f.:]+$/.test(address)
		? `${address}/${length ?? (familyOf(address) === 6 ? 128 : 32)}`
		: undefined;
}

function formatEndpoint(address: string | undefined, port: Json | undefined): string {
	const host = address ?? 'an address of a map';
	const range = port === undefined ? undefined : rangeOf(port);
	if (range === undefined) {
		return host;
	}

	const ports = range.first === range.last ? `${range.first}` : `${range.first}-${range.last}`;
	return printEndpoint(host, ports);
}

function get(value: Json | undefined, key: string): Json | undefined {
	return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
		? (value as {readonly [key: string]: Json | undefined})[key]
		: undefined;
}

function listOf(value: Json | undefined): readonly Json[] {
	return Array.isArray(value) ? value : [];
}

function textOf(value: Json | undefined): string {
	return typeof value === 'string' ? value : '';
}
