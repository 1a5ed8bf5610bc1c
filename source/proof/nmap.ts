import {XMLParser} from 'fast-xml-parser';
import {InputError} from '../lib/errors.ts';
import type {Family} from '../lib/network.ts';
import {hasPort, LAST_PORT} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import type {Verdict} from '../policy/policy.ts';
import type {Protocol} from '../policy/services.ts';
import {openPorts, type VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {RuleSet} from '../ruleset/model.ts';

/** Of an IPv6 address as text (INET6_ADDRSTRLEN, without its end). */
const LONGEST_ADDRESS = 45;

/** The states that nmap gives a port (nmap(1), "Port scanning basics"). */
export type PortState =
	| 'open'
	| 'closed'
	| 'filtered'
	| 'unfiltered'
	| 'open|filtered'
	| 'closed|filtered';

/** What nmap saw of one address: the ports that it lists, and one state for those that it leaves out. */
export type Scan = {
	readonly family: Family;
	readonly address: string;
	readonly ports: ReadonlyArray<{
		readonly protocol: Protocol;
		readonly port: number;
		readonly state: PortState;
	}>;
};

/** The scans to be made from another machine: the article's full one, and a fast one. */
export function nmapCommands(
	addresses: readonly string[],
): ReadonlyArray<{what: string; command: string}> {
	return addresses.flatMap((address) => {
		const family = address.includes(':') ? '-6 ' : '';
		return [
			{
				what: 'all ports, slow',
				command: `nmap ${family}-sS -sU -p 0-${LAST_PORT} -oX scan.xml ${address}`,
			},
			{what: 'TCP only, fast', command: `nmap ${family}-sS -p- -T4 -oX scan.xml ${address}`},
		];
	});
}

/** What a right answer looks like. */
export const RIGHT_ANSWERS: Readonly<Record<Verdict, string>> = {
	reject: 'ports let in: open or closed (TCP); all others: filtered (TCP), closed (UDP)',
	reset: 'ports let in with a program behind them: open; all others: closed',
	drop: 'ports let in: open or closed; all others: filtered (TCP), open|filtered (UDP)',
};

/**
 * Reads nmap's XML output (-oX).
 * @throws {InputError} when it is none
 */
export function readNmap(xml: string): readonly Scan[] {
	const parser = new XMLParser({
		ignoreAttributes: false,
		attributeNamePrefix: '',
		isArray: (name) => ['host', 'address', 'port'].includes(name),
		processEntities: false,
	});
	let document: NmapDocument;
	try {
		document = parser.parse(xml, true) as NmapDocument;
	} catch {
		document = {};
	}

	if (document.nmaprun === undefined) {
		throw new InputError(
			'This is not the XML output of nmap',
			'Make it with: nmap -oX scan.xml ...',
		);
	}

	return (document.nmaprun.host ?? []).flatMap(({address = [], ports}) => {
		const [found] = address.filter(({addrtype}) => addrtype === 'ipv4' || addrtype === 'ipv6');
		return found === undefined
			? []
			: [
					{
						family: found.addrtype === 'ipv4' ? (4 as const) : (6 as const),
						address: printable(found.addr ?? '', LONGEST_ADDRESS),
						ports: (ports?.port ?? []).flatMap(({protocol, portid, state}) =>
							(protocol === 'tcp' || protocol === 'udp') &&
							/^\d{1,5}$/.test(portid ?? '') &&
							Number(portid) <= LAST_PORT &&
							state?.state !== undefined
								? [{protocol, port: Number(portid), state: state.state as PortState}]
								: [],
						),
					},
				];
	});
}

/** Where a scan contradicts the rules. States that fit both an open and a shut port contradict nothing. */
export function compareScan(
	scan: Scan,
	ruleSet: RuleSet,
	verdict: Verdict,
	vantagePoint: Omit<VantagePoint, 'family'>,
): readonly string[] {
	const rules = ruleSet.families.find(({family}) => family === scan.family);
	if (!rules) {
		return [`IPv${scan.family} is not filtered, but ${scan.address} was scanned`];
	}

	const from = {...vantagePoint, family: scan.family};
	const open = {tcp: openPorts(rules, from, 'tcp'), udp: openPorts(rules, from, 'udp')};
	return scan.ports.flatMap(({protocol, port, state}) => {
		const wanted = hasPort(open[protocol], port);
		const seen = meaningOf(state, protocol, verdict);
		return seen === 'either' || (seen === 'let in') === wanted
			? []
			: [
					`${port}/${protocol} of ${scan.address} is ${state}: ${wanted ? 'the policy lets it in' : 'the policy shuts it'}`,
				];
	});
}

function meaningOf(
	state: PortState,
	protocol: Protocol,
	verdict: Verdict,
): 'let in' | 'shut' | 'either' {
	switch (state) {
		case 'open':
			return 'let in';
		case 'closed':
			// An answer of the machine itself, or of the verdict that imitates it.
			return verdict === 'reset' || (verdict === 'reject' && protocol === 'udp')
				? 'either'
				: 'let in';
		case 'filtered':
			return 'shut';
		default:
			return 'either';
	}
}

type NmapDocument = {
	readonly nmaprun?: {
		readonly host?: ReadonlyArray<{
			readonly address?: ReadonlyArray<{readonly addr?: string; readonly addrtype?: string}>;
			readonly ports?: {
				readonly port?: ReadonlyArray<{
					readonly protocol?: string;
					readonly portid?: string;
					readonly state?: {readonly state?: string};
				}>;
			};
		}>;
	};
};
