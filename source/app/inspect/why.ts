import {readAppliedPolicy} from '../../change/applied.ts';
import {programOfRule} from '../../existing/rule-owner.ts';
import {ask} from '../../host/exec/run.ts';
import {hostFacts} from '../../host/machine/host-facts.ts';
import {detectIptables} from '../../host/netfilter/backend.ts';
import {findListeners} from '../../host/sockets/listeners.ts';
import {type Family, familyOf} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import type {PortOpening} from '../../policy/opening.ts';
import type {Policy} from '../../policy/policy.ts';
import {covers} from '../../policy/port-openings.ts';
import type {Protocol} from '../../policy/services.ts';
import {ownAddresses, pickStranger} from '../../proof/sample-addresses.ts';
import {buildRuleSet} from '../../ruleset/build.ts';
import {firstPacket} from '../../ruleset/evaluate-ports.ts';
import type {DecidingRule, PacketAnswer} from '../../ruleset/explain.ts';
import {printRule} from '../../ruleset/format-iptables.ts';
import {findChain, OWN_PREFIX, type Reason, type RuleSet} from '../../ruleset/model.ts';
import type {Packet} from '../../ruleset/packet.ts';
import {parseSave} from '../../ruleset/parse-save.ts';
import {programOfTable} from '../../services/known-programs/find.ts';
import {describePrograms, type Listener} from '../../services/listener.ts';
import {openPacketTrier, tryPackets} from '../try-packet.ts';

type Port = {readonly protocol: PortOpening['protocol']; readonly port: number};

/** A port, and the address that asks for it. */
export type PortQuestion = {
	readonly ports: readonly Port[];
	/** Absent: an address that no rule names, of each family. */
	readonly source?: string | undefined;
	/** The interface that the packet comes in on. Absent: the one to which answers to the source leave. */
	readonly on?: string | undefined;
	/** Whether a packet is sent in a copy of this machine as well. */
	readonly prove: boolean;
};

/** The rule that decides, with whose it is and what it is for; safe to print. */
type RuleOfPort = DecidingRule & {
	/** `fw-wizard`, `fail2ban`; absent where no known program makes such a rule. */
	readonly owner?: string;
	/** The command that lifts a ban of that program; the address follows it. */
	readonly unban?: string;
	/** Why fw-wizard has made it, by the policy that is applied. */
	readonly reason?: Reason;
};

/** What becomes of the first packet of a connection, and why. */
export type PortAnswer = Pick<PacketAnswer, 'packet' | 'fate' | 'outcome' | 'rules'> & {
	readonly rule?: RuleOfPort;
	/** The programs that listen on the port, for other machines or for this one alone; safe to print. */
	readonly programs: readonly string[];
	readonly loopbackOnly: boolean;
	/** What a packet in a copy of this machine met. */
	readonly proven?: Pick<PacketAnswer, 'fate' | 'outcome'>;
};

type PortAnswers = {
	readonly answers: readonly PortAnswer[];
	/** Whether a policy is applied. */
	readonly applied: boolean;
};

/** Says what the running rules, of all programs, do with the first packet to a port. @throws {HostError} */
export async function explainPorts({ports, source, on, prove}: PortQuestion): Promise<PortAnswers> {
	const facts = hostFacts();
	const {families, interfaces, root, services} = facts;
	const policy = root ? readAppliedPolicy(services) : undefined;
	const [listeners, trier] = await Promise.all([
		findListeners({brief: true}),
		detectIptables().then(async (iptables) => openPacketTrier({...facts, iptables}, undefined)),
	]);
	const own = ownAddresses(interfaces);
	const sources =
		source === undefined
			? families.flatMap((family) => {
					const isTaken = (address: string) => own.has(address) || trier.isNamed(address);
					return pickStranger(family, isTaken) ?? [];
				})
			: [source];
	const points = await Promise.all(
		sources.map(async (address) => ({
			family: familyOf(address),
			source: address,
			inInterface: on ?? (await interfaceTo(address)) ?? interfaces[0]?.name ?? 'eth0',
		})),
	);
	const packets = points.flatMap((point) =>
		ports.flatMap((one) =>
			protocolsOf(one, listeners, policy).map((protocol) => firstPacket(point, protocol, one.port)),
		),
	);
	const answers = await tryPackets(trier, packets);
	const proven = prove ? await trier.send(packets) : [];
	const ruleSet = policy && buildRuleSet(policy, {families});
	return {
		applied: policy !== undefined,
		answers: answers.map((answer, index) => {
			const {packet, fate, outcome, rules, decidedBy} = answer;
			const sent = proven[index];
			return {
				...{packet, fate, outcome, rules},
				...(decidedBy === undefined ? {} : {rule: describe(decidedBy, packet.family, ruleSet)}),
				...whoListens(packet, listeners),
				...(sent === undefined ? {} : {proven: {fate: sent.fate, outcome: sent.outcome}}),
			};
		}),
	};
}

/** The interface through which packets to an address leave. */
async function interfaceTo(address: string): Promise<string | undefined> {
	const route = await ask('ip', ['-o', 'route', 'get', address]).catch(() => '');
	return /^local /.test(route) ? 'lo' : /\bdev (\S+)/.exec(route)?.[1];
}

function describe(
	{table, chain, text, index}: DecidingRule,
	family: Family,
	ruleSet: RuleSet | undefined,
): RuleOfPort {
	const isOwn = chain.startsWith(OWN_PREFIX);
	const program = isOwn ? undefined : (programOfRule(text) ?? programOfTable(table));
	const owner = isOwn ? 'fw-wizard' : program?.name;
	const reason = isOwn ? reasonOf({table, chain, text}, family, ruleSet) : undefined;
	return {
		...{table: printable(table), chain: printable(chain), text: printable(text, 300)},
		...(index === undefined ? {} : {index}),
		...(owner === undefined ? {} : {owner}),
		...(program?.unban === undefined ? {} : {unban: program.unban}),
		...(reason === undefined ? {} : {reason}),
	};
}

/** Why a rule of our own is there: that of the same words among the rules of the policy. */
export function reasonOf(
	{table, chain, text}: DecidingRule,
	family: Family,
	ruleSet: RuleSet | undefined,
): Reason | undefined {
	const save = `*${table}\n:${chain} - [0:0]\n${text}\nCOMMIT\n`;
	const [rule] = findChain(parseSave(save, family), table, chain)?.rules ?? [];
	const built = ruleSet?.families.find((one) => one.family === family);
	const words = rule && printRule(rule, family);
	return (
		built &&
		findChain(built, table, chain)?.rules.find(
			// Rules are read without their comments.
			({comment: _, ...one}) => printRule(one, family) === words,
		)?.reason
	);
}

function whoListens(
	{protocol, destinationPort = 0, family, inInterface}: Packet,
	listeners: readonly Listener[],
): Pick<PortAnswer, 'programs' | 'loopbackOnly'> {
	const mine = listeners.filter(
		(one) =>
			one.protocol === protocol && one.port === destinationPort && one.families.includes(family),
	);
	const reached = mine.filter(({reach}) => reach === 'outside' || inInterface === 'lo');
	const shown = reached.length > 0 ? reached : mine;
	return {
		programs: describePrograms(shown),
		loopbackOnly: mine.length > 0 && reached.length === 0,
	};
}

/** What a port without a protocol means: TCP, and UDP where something listens there or the policy opens it. */
function protocolsOf(
	{protocol, port}: Port,
	listeners: readonly Listener[],
	policy: Policy | undefined,
): ReadonlyArray<Protocol | 'sctp'> {
	if (protocol !== 'both') {
		return [protocol];
	}

	const isUdp =
		listeners.some((one) => one.protocol === 'udp' && one.port === port) ||
		policy?.openings.some(
			(opening) =>
				opening.kind === 'port' &&
				opening.protocol === 'udp' &&
				covers(opening, {protocol: 'udp', port}),
		);
	return isUdp ? ['tcp', 'udp'] : ['tcp'];
}
