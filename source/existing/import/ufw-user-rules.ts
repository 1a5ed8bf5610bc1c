import type {Family} from '../../lib/network.ts';
import {isPort, type PortRange} from '../../lib/port-ranges.ts';
import {printable} from '../../lib/printable.ts';

/** A rule as ufw records it: the line `### tuple ###` in user.rules and user6.rules (ufw 0.36). */
export type UfwRule = {
	readonly family: Family;
	readonly action: 'allow' | 'limit' | 'deny' | 'reject';
	readonly logs: boolean;
	/** Whether it is about forwarded packets. */
	readonly route: boolean;
	readonly direction: 'in' | 'out';
	readonly in?: string;
	readonly out?: string;
	/** any, tcp, udp, or a protocol without ports. */
	readonly protocol: string;
	/** Absent: any. */
	readonly ports?: readonly PortRange[];
	readonly sourcePorts?: readonly PortRange[];
	/** In the words of ufw; absent: anywhere. */
	readonly source?: string;
	readonly destination?: string;
	/** The application profile that it was made from; its ports are in the record already. */
	readonly application?: string;
	/** The words behind `ufw` that make such a rule: `allow 22/tcp`. Printable. */
	readonly text: string;
};

/** A line of a file of ufw: a rule of ufw, or a line that ufw did not write. */
export type UfwEntry =
	| {readonly kind: 'rule'; readonly rule: UfwRule}
	/** A line of iptables-restore, written by hand. */
	| {readonly kind: 'line'; readonly line: string}
	/** A record that cannot be read. */
	| {readonly kind: 'unreadable'; readonly line: string};

const TUPLE = /^### tuple ###\s*/;

/** Reads the rules of user.rules or user6.rules, in their order: on incoming, outgoing and forwarded packets. */
export function readUserRules(text: string, family: Family): readonly UfwEntry[] {
	const entries: UfwEntry[] = [];
	// ufw made the lines of iptables that follow a record.
	let recorded = false;
	for (const line of text.split('\n').map((line) => line.trim())) {
		if (TUPLE.test(line)) {
			const rule = readTuple(line.replace(TUPLE, ''), family);
			entries.push(rule ? {kind: 'rule', rule} : {kind: 'unreadable', line});
			recorded = rule !== undefined;
		} else if (line === '') {
			recorded = false;
		} else if (!recorded && /^-[AI] ufw6?-user-input\b/.test(line)) {
			entries.push({kind: 'line', line});
		}
	}

	return entries;
}

const ACTION = /^(route:)?(allow|limit|deny|reject)(_log(?:-all)?)?$/;
const WHERE = /^(?:in|out|(in|out)_([^\s!]+)|in_([^\s!]+)!out_([^\s!]+))$/;

/** `ACTION PROTOCOL DPORT DST SPORT SRC [DAPP SAPP] [WHERE] [comment=HEX]` */
function readTuple(text: string, family: Family): UfwRule | undefined {
	const [words = '', comment] = text.split(/\s+comment=/);
	const fields = words.trim().split(/\s+/);
	const [actionText = '', protocol = '', dport = '', dst = '', sport = '', src = ''] = fields;
	const [dapp = '-', sapp = '-'] = fields.length >= 8 ? fields.slice(6, 8) : [];
	// Before 0.30 there was no direction.
	const place = fields.length % 2 === 1 ? (fields.at(-1) ?? '') : 'in';
	const [action, where] = [ACTION.exec(actionText), WHERE.exec(place)];
	const [ports, sourcePorts] = [readPorts(dport), readPorts(sport)];
	if (!action || !where || fields.length > 9 || ports === 'bad' || sourcePorts === 'bad') {
		return undefined;
	}

	const [, side, name, both, bothOut] = where;
	const [source, destination] = [src, dst].map((address) =>
		['0.0.0.0/0', '::/0', 'any'].includes(address) ? undefined : address,
	);
	const [application, sourceApplication] = [dapp, sapp].map((profile) =>
		profile === '-' ? undefined : profile.replaceAll('%20', ' '),
	);
	const inInterface = both ?? (side === 'in' ? name : undefined);
	const outInterface = bothOut ?? (side === 'out' ? name : undefined);
	const rule = {
		family,
		action: action[2] as UfwRule['action'],
		logs: action[3] !== undefined,
		route: action[1] !== undefined,
		direction: place.startsWith('out') ? ('out' as const) : ('in' as const),
		...(inInterface === undefined ? {} : {in: inInterface}),
		...(outInterface === undefined ? {} : {out: outInterface}),
		protocol,
		...(ports === undefined ? {} : {ports}),
		...(sourcePorts === undefined ? {} : {sourcePorts}),
		...(source === undefined ? {} : {source}),
		...(destination === undefined ? {} : {destination}),
		...(application === undefined ? {} : {application}),
	};
	return {...rule, text: print(rule, sourceApplication, comment)};
}

/** `22`, `80,443,8000:8010`, `any` */
function readPorts(text: string): readonly PortRange[] | undefined | 'bad' {
	if (text === 'any') {
		return undefined;
	}

	const ranges = text.split(',').map((range) => {
		const [first = '', last = first] = range.split(':');
		return {first: Number(first), last: Number(last)};
	});
	const fine = ranges.every(({first, last}) => isPort(first) && isPort(last) && first <= last);
	return fine && /^[\d,:]+$/.test(text) ? ranges : 'bad';
}

function print(
	rule: Omit<UfwRule, 'text'>,
	sourceApplication: string | undefined,
	comment: string | undefined,
): string {
	const {protocol, ports, source, destination, application} = rule;
	const inInterface = rule.in === undefined ? '' : ` in on ${rule.in}`;
	const outInterface = rule.out === undefined ? '' : ` out on ${rule.out}`;
	const outgoing = rule.direction === 'out' && rule.out === undefined ? ' out' : '';
	const log = rule.logs ? ' log' : '';
	const head = `${rule.route ? 'route ' : ''}${rule.action}${inInterface}${outInterface}${outgoing}${log}`;
	const numbers = ports === undefined ? undefined : printRanges(ports);
	const origin = [
		...(source === undefined && rule.sourcePorts === undefined && sourceApplication === undefined
			? []
			: ['from', source ?? 'any']),
		...(sourceApplication === undefined ? [] : ['app', sourceApplication]),
		...(rule.sourcePorts === undefined || sourceApplication !== undefined
			? []
			: ['port', printRanges(rule.sourcePorts)]),
	];
	const isAnyInterface = inInterface === '' && outInterface === '';
	const isShort = origin.length === 0 && destination === undefined && isAnyInterface;
	const suffix = protocol === 'any' ? '' : `/${protocol}`;
	const target =
		application === undefined
			? [
					...(isShort || (destination === undefined && numbers === undefined)
						? []
						: ['to', destination ?? 'any']),
					...(numbers === undefined ? [] : isShort ? [`${numbers}${suffix}`] : ['port', numbers]),
				]
			: [
					...(isShort ? [] : ['to', destination ?? 'any', 'app']),
					`${application}${numbers === undefined ? '' : ` (${numbers}${suffix})`}`,
				];
	const isNamed =
		protocol === 'any' || application !== undefined || (isShort && numbers !== undefined);
	const words = [head, ...(isNamed ? [] : ['proto', protocol]), ...origin, ...target];
	if (words.length === 1 && isAnyInterface) {
		words.push('from any');
	}

	const note = comment === undefined ? '' : ` # ${Buffer.from(comment.trim(), 'hex').toString()}`;
	return printable(`${words.join(' ')}${note}`, 160);
}

function printRanges(ranges: readonly PortRange[]): string {
	return ranges
		.map(({first, last}) => (first === last ? `${first}` : `${first}:${last}`))
		.join(',');
}
