import {type Family, normalizeAddress} from '../lib/network.ts';
import type {PortRange} from '../lib/port-ranges.ts';
import {CT_STATES, type Match} from './model.ts';
import {canonicalProtocol} from './protocol-names.ts';

/** Turns the value of an option into a part of a match; undefined where fw-wizard does not model it. */
type Reader = (value: string, family: Family, match: Match) => Partial<Match> | undefined;

const READERS: Readonly<Record<string, Reader>> = {
	'-s': (value, family) => withAddress(value, family, (source) => ({source})),
	'-d': (value, family) => withAddress(value, family, (destination) => ({destination})),
	'-i': (inInterface) => ({inInterface}),
	'-o': (outInterface) => ({outInterface}),
	'-p': (value) => ({protocol: canonicalProtocol(value)}),
	'--sport': (value) => withPorts(value, (sourcePorts) => ({sourcePorts})),
	'--sports': (value) => withPorts(value, (sourcePorts) => ({sourcePorts})),
	'--dport': (value) => withPorts(value, (destinationPorts) => ({destinationPorts})),
	'--dports': (value) => withPorts(value, (destinationPorts) => ({destinationPorts})),
	'--ctstate': withStates,
	'--state': withStates,
	'--ctdir': (value) => (value === 'ORIGINAL' ? {direction: value} : undefined),
	'--ctorigdstport': (value) =>
		withPorts(value, ([originalPorts]) => (originalPorts ? {originalPorts} : {})),
	'--limit': (rate, _, {limit}) => ({limit: {burst: 5, ...limit, rate}}),
	'--limit-burst': (burst, _, {limit}) => ({
		limit: {rate: '3/hour', ...limit, burst: Number(burst)},
	}),
	'--hashlimit-upto': (rate, _, match) => withHashlimit(match, {rate}),
	'--hashlimit-burst': (burst, _, match) => withHashlimit(match, {burst: Number(burst)}),
	'--hashlimit-name': (name, _, match) => withHashlimit(match, {name}),
	'--hashlimit-srcmask': (bits, _, match) => withHashlimit(match, {sourceMask: Number(bits)}),
	'--hashlimit-mode': (value) => (value === 'srcip' ? {} : undefined),
	'--comment': () => ({}),
	// Other options of the match, as --kerneltz, are not modelled.
	'--datestop': (value) =>
		/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(value) ? {until: `${value}Z`} : undefined,
};

const MODELLED_MATCHES = new Set([
	'tcp',
	'udp',
	'sctp',
	'multiport',
	'conntrack',
	'state',
	'limit',
	'hashlimit',
	'comment',
	'time',
]);

/** Whether fw-wizard models a match. It does not where a rule has it twice, nor a hashlimit that counts all sources together. */
export function isModelled(name: string, match: Match, words: readonly string[]): boolean {
	return (
		MODELLED_MATCHES.has(name) &&
		!(name in match) &&
		(name !== 'hashlimit' || words.includes('--hashlimit-mode'))
	);
}

/** The part of a match that an option adds; undefined where it is not modelled, or where the match has it already. */
export function readOption(
	option: string,
	value: string,
	family: Family,
	match: Match,
): Partial<Match> | undefined {
	const read = Object.hasOwn(READERS, option) ? READERS[option]?.(value, family, match) : undefined;
	const twice = Object.keys(read ?? {}).some(
		(key) => key in match && key !== 'limit' && key !== 'hashlimit',
	);
	return twice ? undefined : read;
}

function withAddress(
	value: string,
	family: Family,
	build: (cidr: string) => Partial<Match>,
): Partial<Match> | undefined {
	const [text = '', prefix = family === 4 ? '32' : '128'] = value.split('/');
	const address = normalizeAddress(text);
	// A netmask that is no prefix is not modelled: iptables can have one, and CIDR cannot express it.
	return address !== undefined && /^\d+$/.test(prefix) ? build(`${address}/${prefix}`) : undefined;
}

function withHashlimit(
	{hashlimit}: Match,
	part: Partial<NonNullable<Match['hashlimit']>>,
): Partial<Match> {
	return {hashlimit: {rate: '', burst: 5, name: '', ...hashlimit, ...part}};
}

function withPorts(
	value: string,
	build: (ranges: readonly PortRange[]) => Partial<Match>,
): Partial<Match> | undefined {
	const ranges = value.split(',').map((range) => {
		const [first = '', last = first] = range.split(':');
		return {first: Number(first), last: Number(last)};
	});
	return /^\d+(:\d+)?(,\d+(:\d+)?)*$/.test(value) ? build(ranges) : undefined;
}

/** SNAT and DNAT of `--ctstate` are no states: only DNAT alone is modelled. */
function withStates(value: string): Partial<Match> | undefined {
	if (value === 'DNAT') {
		return {translated: true};
	}

	const names = value.split(',');
	const states = CT_STATES.filter((state) => names.includes(state));
	return states.length === names.length ? {states} : undefined;
}
