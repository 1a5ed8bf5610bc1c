import {type Family, printNetwork} from '../lib/network.ts';
import {isPort, onePort} from '../lib/port-ranges.ts';
import {PROTOCOL_NUMBERS, protocolNumbered, protocolOver, SCTP} from '../policy/ip-protocols.ts';
import {isDiscovery} from '../policy/opening.ts';
import type {Policy} from '../policy/policy.ts';
import {evaluate} from '../ruleset/evaluate.ts';
import {firstPacket} from '../ruleset/evaluate-ports.ts';
import type {FamilyRules, RuleSet} from '../ruleset/model.ts';
import type {Packet} from '../ruleset/packet.ts';
import {protocolOfNumber} from '../ruleset/protocol-names.ts';
import {spokenName} from '../services/protocol-use.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import {
	installProtocolCounters,
	installProtocolMaker,
	readProtocols,
	removeProtocolTables,
	resetProtocolCounters,
	type SeenProtocols,
} from '../testbed/protocol-packets.ts';
import type {Testbed} from '../testbed/testbed.ts';
import {type Check, check, untried} from './checks/check.ts';
import type {NamedVantagePoint} from './vantage-points.ts';

/** Lost packets are sent again, this often in all. */
const TRIES = 4;
/** A port of SCTP that is tried under every policy. */
const SCTP_SAMPLE = 9;
/**
 * Protocols that are not tried: those of ports and of ICMP, which have rules of their own, and in IPv6 59,
 * after which nothing comes. DCCP and UDP-Lite: conntrack takes only whole packets of them for NEW.
 */
const NOT_TRIED: Readonly<Record<Family, ReadonlySet<number>>> = {
	4: new Set([6, 17, 33, SCTP, 136]),
	6: new Set([6, 17, 33, 58, 59, SCTP, 136]),
};

/** The numbers of the protocols that packets are sent of, in a family. */
function triedNumbers(family: Family): readonly number[] {
	const {first, last} = PROTOCOL_NUMBERS;
	return Array.from({length: last - first + 1}, (_, index) => first + index).filter(
		(number) =>
			!NOT_TRIED[family].has(number) && protocolNumbered(number).families.includes(family),
	);
}

/**
 * Sends a packet of each protocol without ports, and to some ports of SCTP, and compares what passes to
 * what the policy opens: from strangers on each interface, from the networks that such openings name and
 * just outside of them, and from the remote client.
 */
export async function runProtocolChecks(
	testbed: Testbed,
	vantagePoints: readonly NamedVantagePoint[],
	policy: Policy,
	ruleSet: RuleSet,
	source: RulesUnderTest,
): Promise<ProtocolChecks> {
	const chosen = chooseVantagePoints(vantagePoints, policy);
	const name = 'only protocols that are opened pass';
	const numbers = {4: triedNumbers(4), 6: triedNumbers(6)};
	const {machine, outside} = testbed;
	const failure =
		(await installProtocolMaker(outside, numbers)) ??
		(await installProtocolCounters(machine, [
			...new Set(chosen.map(({inInterface}) => inInterface)),
		]));
	if (failure !== undefined) {
		return {
			checks: ruleSet.families.map(({family}) => untried(name, {family}, failure)),
			passed: new Map(),
		};
	}

	await testbed.seedNeighbours(chosen);
	const ports = sctpPortsOf(policy);
	const checks: Check[] = [];
	const passed = new Map<NamedVantagePoint, readonly string[]>();
	for (const vantagePoint of chosen) {
		const rules = ruleSet.families.find(({family}) => family === vantagePoint.family);
		const wanted = {numbers: numbers[vantagePoint.family], ports};
		const seen = await sendAll(testbed, vantagePoint, wanted);
		if (rules === undefined || seen === undefined) {
			checks.push(untried(name, vantagePoint, 'the packets did not arrive'));
		} else {
			const tried = compare(vantagePoint, wanted, seen, rules);
			checks.push(checkOf(vantagePoint, tried, source));
			passed.set(vantagePoint, textsOf(tried.filter(({passes}) => passes)));
		}
	}

	await removeProtocolTables(machine, outside);
	await testbed.forgetNeighbours();
	return {checks: [...checks, ...describeUntried(ruleSet, policy)], passed};
}

export type ProtocolChecks = {
	readonly checks: readonly Check[];
	/** The names of what passed, for the vantage points that were tried. */
	readonly passed: ReadonlyMap<NamedVantagePoint, readonly string[]>;
};

/** A policy may name hundreds of networks for ports: these tell nothing of other protocols. */
function chooseVantagePoints(
	vantagePoints: readonly NamedVantagePoint[],
	{openings}: Policy,
): readonly NamedVantagePoint[] {
	const networks = new Set(
		openings.flatMap((opening) =>
			!isDiscovery(opening) &&
			(opening.kind === 'protocol' || opening.protocol === 'sctp') &&
			opening.from
				? [printNetwork(opening.from)]
				: [],
		),
	);
	return vantagePoints.filter(
		({kind, name}) => kind === 'anywhere' || kind === 'client' || networks.has(name),
	);
}

/** The first and the last port of each opening of SCTP, their neighbours, and one that is always tried. */
function sctpPortsOf({openings}: Policy): readonly number[] {
	const edges = openings.flatMap((opening) =>
		opening.kind === 'port' && opening.protocol === 'sctp'
			? [opening.first - 1, opening.first, opening.last, opening.last + 1]
			: [],
	);
	return [...new Set([SCTP_SAMPLE, ...edges])].filter(isPort).sort((a, b) => a - b);
}

type Wanted = {readonly numbers: readonly number[]; readonly ports: readonly number[]};

/** @returns what passed; undefined where packets did not arrive */
async function sendAll(
	testbed: Testbed,
	vantagePoint: NamedVantagePoint,
	{numbers, ports}: Wanted,
): Promise<SeenProtocols | undefined> {
	const {machine, senders} = testbed;
	const {family, source} = vantagePoint;
	const target = testbed.targetFor(vantagePoint);
	await resetProtocolCounters(machine);
	let missing: Wanted = {numbers, ports};
	for (let tries = 0; tries < TRIES; tries += 1) {
		for (const [protocol, list] of [
			['other', missing.numbers],
			['sctp', missing.ports],
		] as const) {
			await senders[family].run('sweep', {protocol, source, target, ports: list.map(onePort)});
		}

		const arrived = await readProtocols(machine, 'arrived', family);
		missing = {
			numbers: missing.numbers.filter((number) => !arrived.numbers.has(number)),
			ports: missing.ports.filter((port) => !arrived.sctpPorts.has(port)),
		};
		if (missing.numbers.length + missing.ports.length === 0) {
			return readProtocols(machine, 'passed', family);
		}
	}

	return undefined;
}

/** A packet, whether it passed, and whether the policy opens what it was sent to. */
type Tried = {
	/** `VRRP`, `2905/sctp` */
	readonly text: string;
	readonly packet: Packet;
	readonly passes: boolean;
	readonly opened: boolean;
};

function compare(
	vantagePoint: NamedVantagePoint,
	{numbers, ports}: Wanted,
	passed: SeenProtocols,
	rules: FamilyRules,
): readonly Tried[] {
	const {family} = vantagePoint;
	return [
		...numbers.map((number) => ({
			text: spokenName(protocolOver(number, family)),
			packet: {...vantagePoint, protocol: protocolOfNumber(number), state: 'NEW' as const},
			passes: passed.numbers.has(number),
		})),
		...ports.map((port) => ({
			text: `${port}/sctp`,
			packet: firstPacket(vantagePoint, 'sctp', port),
			passes: passed.sctpPorts.has(port),
		})),
	].map((one) => ({...one, opened: evaluate(rules, one.packet).verdict === 'ACCEPT'}));
}

function checkOf(
	vantagePoint: NamedVantagePoint,
	tried: readonly Tried[],
	source: RulesUnderTest,
): Check {
	const {family, kind, name} = vantagePoint;
	const opened = textsOf(tried.filter((one) => one.opened));
	const foreign = source.rules.filter((one) => one.family === family);
	const wrong = tried
		.filter(({opened, passes}) => opened !== passes)
		.map(({text, passes, packet}) => {
			const by = foreign
				.map((one) => evaluate(one, packet))
				.find(({verdict}) => (verdict === 'ACCEPT') === passes)?.by;
			return `${text} ${passes ? 'passes' : 'does not pass'}${by === undefined ? '' : ` (rule ${by.index} of ${by.chain})`}`;
		});
	const where = `from ${kind === 'beside' ? 'just outside of ' : ''}${name}`;
	return check(
		`${where}, ${opened.length === 0 ? 'no protocol without ports passes' : `of protocols without ports only ${list(opened)} ${opened.length === 1 ? 'passes' : 'pass'}`}`,
		vantagePoint,
		wrong.length === 0,
		list(wrong),
	);
}

function textsOf(tried: readonly Tried[]): readonly string[] {
	return tried.map(({text}) => text);
}

/** The protocols that a policy opens and that cannot be tried, for each family. */
function describeUntried({families}: RuleSet, {openings}: Policy): readonly Check[] {
	return families.flatMap(({family}) => {
		const names = openings.flatMap((opening) =>
			opening.kind === 'protocol' &&
			opening.protocol.families.includes(family) &&
			opening.protocol.number !== SCTP &&
			NOT_TRIED[family].has(opening.protocol.number)
				? [spokenName(opening.protocol)]
				: [],
		);
		return [...new Set(names)].map((name) =>
			untried(`${name} passes where it is opened`, {family}, 'packets of it cannot be made here'),
		);
	});
}

/** At most eight texts: "GRE, ESP and 3 more". */
function list(texts: readonly string[]): string {
	const shown = texts.slice(0, 8);
	const more = texts.length - shown.length;
	return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
