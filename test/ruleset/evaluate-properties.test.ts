import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {contains, FAMILIES} from '../../source/lib/network.ts';
import {isDiscovery, type Opening} from '../../source/policy/opening.ts';
import {completePolicy, type Policy} from '../../source/policy/policy.ts';
import {networksOf} from '../../source/policy/sources.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {evaluate} from '../../source/ruleset/evaluate.ts';
import type {Packet} from '../../source/ruleset/packet.ts';
import {protocolNumberOf} from '../../source/ruleset/protocol-names.ts';
import {crowdedOpenings, packetsNear, policies} from '../_helpers/samples/arbitraries.ts';

/** Whether a policy lets a packet in, said again without any rules. */
function isLetIn(policy: Policy, packet: Packet): boolean {
	const {family, state, protocol, inInterface, destination = ''} = packet;
	const isDhcp =
		family === 4
			? packet.sourcePort === 67 && packet.destinationPort === 68
			: packet.sourcePort === 547 &&
				packet.destinationPort === 546 &&
				contains('fe80::/10', destination);
	if (['ESTABLISHED', 'RELATED'].includes(state) || inInterface === 'lo') {
		return true;
	}

	if (protocol === (family === 4 ? 'icmp' : 'ipv6-icmp')) {
		return true;
	}

	return (
		state !== 'INVALID' &&
		((protocol === 'udp' && isDhcp) ||
			(!isBlocked(policy, packet) && policy.openings.some((opening) => opens(opening, packet))))
	);
}

function isBlocked({blocked = []}: Policy, {source}: Packet): boolean {
	return blocked.some(({cidr}) => contains(cidr, source));
}

/** Networks that are not routed on the internet. */
const LOCAL = [
	...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'],
	...['fe80::/10', 'fc00::/7'],
];

function opens(opening: Opening, packet: Packet): boolean {
	if (opening.on !== undefined && opening.on !== packet.inInterface) {
		return false;
	}

	const {protocol, destination = '', destinationPort = 0} = packet;
	if (isDiscovery(opening)) {
		const [port, ...groups] =
			opening.kind === 'mdns'
				? [5353, '224.0.0.251', 'ff02::fb']
				: [1900, '239.255.255.250', 'ff02::c', 'ff05::c'];
		const isQuery = protocol === 'udp' && destinationPort === port && groups.includes(destination);
		const isAnswer =
			opening.kind === 'ssdp' &&
			protocol === 'udp' &&
			packet.sourcePort === 1900 &&
			32_768 <= destinationPort &&
			destinationPort <= 60_999 &&
			LOCAL.some((network) => contains(network, packet.source));
		const isIgmp =
			packet.family === 4 && protocol === 'igmp' && contains('224.0.0.0/4', destination);
		return isQuery || isAnswer || isIgmp;
	}

	const isSource =
		(opening.from && networksOf(opening.from))?.some(({cidr}) => contains(cidr, packet.source)) ??
		true;
	if (opening.kind === 'protocol') {
		const {number, families} = opening.protocol;
		return isSource && families.includes(packet.family) && protocolNumberOf(protocol) === number;
	}

	return (
		isSource &&
		(opening.protocol === protocol ||
			(opening.protocol === 'both' && ['tcp', 'udp'].includes(protocol))) &&
		opening.first <= destinationPort &&
		destinationPort <= opening.last
	);
}

/** What the policy's verdict says of a packet that is not let in. */
function refusalOf(policy: Policy, packet: Packet): string {
	const {verdict} = policy;
	if (packet.state === 'INVALID' || isBlocked(policy, packet)) {
		return 'DROP';
	}

	if (verdict === 'drop') {
		return 'DROP';
	}

	const isReset = verdict === 'reset' && packet.protocol === 'tcp' && packet.syn === true;
	return isReset
		? 'tcp-reset'
		: packet.family === 4
			? 'icmp-port-unreachable'
			: 'icmp6-port-unreachable';
}

const crowded = fc
	.record({
		openings: fc.array(crowdedOpenings, {maxLength: 10}),
		verdict: fc.constantFrom('reject' as const, 'reset' as const, 'drop' as const),
	})
	.map((part) => completePolicy(part));

describe('the rules built from a policy', () => {
	it('do what the policy says, to every packet', () => {
		const cases = fc
			.tuple(fc.oneof(policies(), crowded), fc.constantFrom(...FAMILIES))
			.chain(([policy, family]) => fc.tuple(fc.constant(policy), packetsNear(policy, family)));
		fc.assert(
			fc.property(cases, ([policy, packet]) => {
				const [rules] = buildRuleSet(policy, {families: [packet.family]}).families;
				const decision = rules && evaluate(rules, packet);
				const target = decision?.by?.rule.target;
				const did = target?.kind === 'REJECT' ? target.with : target?.kind;
				expect(did).toBe(isLetIn(policy, packet) ? 'ACCEPT' : refusalOf(policy, packet));
			}),
			{numRuns: 2000},
		);
	});
});
