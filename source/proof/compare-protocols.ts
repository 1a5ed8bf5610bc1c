import {joinSome} from '../lib/list.ts';
import type {Family} from '../lib/network.ts';
import {protocolOver} from '../policy/ip-protocols.ts';
import {evaluate} from '../ruleset/evaluate.ts';
import {firstPacket} from '../ruleset/evaluate-ports.ts';
import type {FamilyRules} from '../ruleset/model.ts';
import type {Packet} from '../ruleset/packet.ts';
import {protocolOfNumber} from '../ruleset/protocol-names.ts';
import {spokenName} from '../services/protocol-use.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import type {SeenProtocols} from '../testbed/protocol-packets.ts';
import {type Check, check} from './checks/check.ts';
import {type NamedVantagePoint, placeOf} from './vantage-points.ts';

/** A protocol, and a multicast group that its packets go to. */
export type Group = {readonly number: number; readonly group: string};

/** What packets are sent of, and to. */
export type Wanted = {
	readonly numbers: readonly number[];
	readonly ports: readonly number[];
	/** Only of protocols that the policy opens. */
	readonly groups: readonly Group[];
};

/** A packet, whether it passed, and whether the policy opens what it was sent to. */
type Tried = {
	/** `VRRP`, `2905/sctp` */
	readonly text: string;
	readonly packet: Packet;
	readonly passes: boolean;
	readonly opened: boolean;
	/** The packet went to a multicast group. */
	readonly toGroup?: true;
};

/** The first packet of a protocol without ports. */
export function packetOf(vantagePoint: NamedVantagePoint, number: number): Packet {
	return {...vantagePoint, protocol: protocolOfNumber(number), state: 'NEW'};
}

/** Whether each packet passed, and whether the rules of the policy accept it. */
export function compareProtocols(
	vantagePoint: NamedVantagePoint,
	{numbers, ports, groups}: Wanted,
	passed: SeenProtocols,
	rules: FamilyRules,
): readonly Tried[] {
	const {family} = vantagePoint;
	return [
		...numbers.map((number) => ({
			text: spokenName(protocolOver(number, family)),
			packet: packetOf(vantagePoint, number),
			passes: passed.numbers.has(number),
		})),
		...groups.map(({number, group}) => ({
			text: `${spokenName(protocolOver(number, family))} to ${group}`,
			packet: {...packetOf(vantagePoint, number), destination: group},
			passes: passed.groups.has(`${number} ${group}`),
			toGroup: true as const,
		})),
		...ports.map((port) => ({
			text: `${port}/sctp`,
			packet: firstPacket(vantagePoint, 'sctp', port),
			passes: passed.sctpPorts.has(port),
		})),
	].map((one) => ({...one, opened: evaluate(rules, one.packet).verdict === 'ACCEPT'}));
}

/** A packet that passed against the policy, or did not. */
export type ProtocolDifference = {
	readonly family: Family;
	readonly passes: boolean;
	/** `VRRP does not pass (rule 1 of INPUT)` */
	readonly text: string;
};

/** What differs from the policy, with the rule of INPUT that does it. */
export function differencesOf(
	tried: readonly Tried[],
	{rules}: RulesUnderTest,
): readonly ProtocolDifference[] {
	return tried
		.filter(({opened, passes}) => opened !== passes)
		.map(({text, passes, packet}) => {
			const {family} = packet;
			const by = rules
				.filter((one) => one.family === family)
				.map((one) => evaluate(one, packet))
				.find(({verdict}) => (verdict === 'ACCEPT') === passes)?.by;
			const cause = by === undefined ? '' : ` (rule ${by.index} of ${by.chain})`;
			return {family, passes, text: `${text} ${passes ? 'passes' : 'does not pass'}${cause}`};
		});
}

/** The check of one vantage point, with the rule that differs. */
export function checkProtocols(
	vantagePoint: NamedVantagePoint,
	tried: readonly Tried[],
	source: RulesUnderTest,
): Check {
	const opened = namesOf(tried.filter((one) => one.opened));
	const wrong = differencesOf(tried, source).map(({text}) => text);
	return check(
		`from ${placeOf(vantagePoint)}, ${opened.length === 0 ? 'no protocol without ports passes' : `of protocols without ports only ${list(opened)} ${opened.length === 1 ? 'passes' : 'pass'}`}`,
		vantagePoint,
		wrong.length === 0,
		list(wrong),
	);
}

/** Their names. A protocol that goes to groups as well is named once. */
export function namesOf(tried: readonly Tried[]): readonly string[] {
	return tried.filter(({toGroup}) => !toGroup).map(({text}) => text);
}

/** At most eight texts: "GRE, ESP and 3 more". */
function list(texts: readonly string[]): string {
	return joinSome(texts, 8);
}
