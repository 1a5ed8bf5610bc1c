import {describeHidden} from '../exposure/find.ts';
import {referencesIn} from '../exposure/sources-in-rules.ts';
import {withoutRateLimits} from '../exposure/strip-rate-limits.ts';
import type {Facts} from '../host/machine/facts.ts';
import {type Interface, interfacesHere} from '../host/machine/interfaces.ts';
import {asHostError, HostError} from '../lib/errors.ts';
import {familyOf, findGlobal, isMulticast, stripPrefixLength} from '../lib/network.ts';
import {ownAddresses} from '../proof/sample-addresses.ts';
import {obstacleTo, tryInCopy} from '../proof/try-packet.ts';
import {evaluate, evaluateAll} from '../ruleset/evaluate.ts';
import {explainDecision, type PacketAnswer} from '../ruleset/explain.ts';
import type {RuleSet} from '../ruleset/model.ts';
import type {Packet} from '../ruleset/packet.ts';
import {runningSource} from '../testbed/load-rules.ts';
import {type PlannedChange, sourceAfter} from '../testbed/planned-change.ts';

/** Says what becomes of packets after a change. */
export type PacketTrier = {
	/** From the rules alone; undefined where only packets can tell. */
	readonly evaluate: (packet: Packet) => PacketAnswer | undefined;
	/** By packets in a copy of this machine, within about a second. Unknown where that is not possible. */
	readonly send: (packets: readonly Packet[]) => Promise<readonly PacketAnswer[]>;
};

/** The same with what is known of the rules. */
type RulesTrier = PacketTrier & {
	/** Whether some rule names an address, or a network that it is in. */
	readonly isNamed: (address: string) => boolean;
};

/**
 * Reads all rules that will run after a change: what stays of the running ones, and the new ones.
 * @param change absent: the rules that run now
 */
export async function openPacketTrier(
	{root, families, iptables}: Pick<Facts, 'root' | 'families' | 'iptables'>,
	change: PlannedChange | undefined,
): Promise<RulesTrier> {
	const interfaces = interfacesHere();
	const running = root ? await runningSource(families, iptables).catch(asHostError) : NOT_ROOT;
	if (running instanceof HostError) {
		const answer = (packet: Packet) =>
			withNotes(unknown(packet, running.message), change ? byOurRules(packet, change.ruleSet) : []);
		return {
			evaluate: answer,
			send: async (packets) => packets.map(answer),
			isNamed: () => false,
		};
	}

	const after = change === undefined ? running : sourceAfter(running, change);
	const notes = await describeHidden(after, false);
	let named: ((address: string) => boolean) | undefined;
	return {
		isNamed(address) {
			named ??= referencesIn(after.loads.map(({text}) => text));
			return named(address);
		},
		evaluate(packet) {
			const {destination = addressOn(packet, interfaces)} = packet;
			const own = ownAddresses(interfaces);
			const isHere =
				(destination === undefined || isMulticast(destination) || own.has(destination)) &&
				(!own.has(packet.source) || packet.inInterface === 'lo');
			const decision =
				isHere && after.nativeTables.length === 0
					? evaluateAll(after.rules, destination === undefined ? packet : {...packet, destination})
					: undefined;
			return decision && withNotes(explainDecision(decision, packet), notes);
		},
		async send(packets) {
			const answers = new Map<Packet, PacketAnswer>();
			for (const packet of packets) {
				const obstacle = obstacleTo(packet, interfaces);
				if (obstacle !== undefined) {
					answers.set(packet, unknown(packet, obstacle));
				}
			}

			const sent = packets.filter((packet) => !answers.has(packet));
			// A packet may use up the rate limit of the next one.
			const isLimited = after.loads.some(({text}) => withoutRateLimits(text) !== text);
			for (const group of isLimited ? sent.map((packet) => [packet]) : [sent]) {
				const found = await tryInCopy(group, after, interfaces).catch((error: unknown) => {
					const {message} = asHostError(error);
					return group.map((packet) => unknown(packet, message));
				});
				for (const answer of found) {
					const isDated = answer.rules.some((rule) => / -m recent .*--seconds/.test(rule));
					answers.set(answer.packet, withNotes(answer, [...notes, ...(isDated ? [DATED] : [])]));
				}
			}

			return packets.flatMap((packet) => answers.get(packet) ?? []);
		},
	};
}

const DATED = 'The time since the source came before is taken as none.';
const NOT_ROOT = new HostError(
	'only root can read the loaded rules',
	'Start fw-wizard as root',
	3,
	'not-root',
);

function unknown(packet: Packet, why: string): PacketAnswer {
	return {packet, fate: 'unknown', outcome: `unknown: ${why}`, rules: []};
}

/** What our own rules do, where it is unknown what rules that stay do. */
function byOurRules(packet: Packet, {families}: RuleSet): readonly string[] {
	const rules = families.find(({family}) => family === packet.family);
	if (rules === undefined) {
		return [];
	}

	const {outcome, rules: by} = explainDecision(evaluate(rules, packet), packet);
	return [`By the new rules alone: ${outcome}`, ...by];
}

function withNotes(answer: PacketAnswer, notes: readonly string[]): PacketAnswer {
	return {...answer, rules: [...answer.rules, ...notes]};
}

/** The address that a packet goes to where the user names none. */
function addressOn(
	{family, inInterface}: Packet,
	interfaces: readonly Interface[],
): string | undefined {
	const cidrs = interfaces.find(({name}) => name === inInterface)?.addresses ?? [];
	const own = findGlobal(cidrs, family) ?? cidrs.find((cidr) => familyOf(cidr) === family);
	return own && stripPrefixLength(own);
}

/** What becomes of packets: from the rules alone where they say it of all, otherwise by sending them. */
export async function tryPackets(
	{evaluate: judge, send}: PacketTrier,
	packets: readonly Packet[],
): Promise<readonly PacketAnswer[]> {
	const known = packets.map((packet) => judge(packet));
	const sent = await send(packets.filter((_, index) => known[index] === undefined));
	const rest = [...sent];
	return known.flatMap((answer) => answer ?? rest.shift() ?? []);
}
