import {type Family, familyOf} from '../lib/network.ts';
import {printPorts, rangesOverlap} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import type {PortOpening} from '../policy/opening.ts';
import type {Protocol} from '../policy/services.ts';
import {type Decision, evaluate} from './evaluate.ts';
import {firstPacket, judgePorts, type VantagePoint} from './evaluate-ports.ts';
import type {RuleSet} from './model.ts';
import {STRANGER} from './packet.ts';

/** A port that a remote client needs for its next login. */
export type AccessPort = {
	readonly protocol: Protocol;
	readonly first: number;
	readonly last: number;
	/** The tunnel through which the client comes, where its packets arrive at this port. */
	readonly tunnel?: string;
	/** The other end of that tunnel, where it is known. */
	readonly peer?: string;
};

/** A client that is logged in from another machine, and must be able to log in again. */
export type RemoteClient = {
	/** Its address; undefined where it is not known. */
	readonly client: string | undefined;
	readonly inInterface: string | undefined;
	readonly accessPorts: readonly AccessPort[];
};

type AccessDecision = {
	readonly accessPort: AccessPort;
	readonly family: Family;
	readonly decision: Decision;
};

/**
 * What the rules do with the first packet of a new connection of a remote client, for each of its
 * access ports. For a range it is the worst decision on one of its ports. A client whose address is
 * not known may use either family.
 */
export function judgeAccessPorts(
	{families}: RuleSet,
	remoteClient: RemoteClient,
): readonly AccessDecision[] {
	return families.flatMap((rules) => {
		const {family} = rules;
		return remoteClient.accessPorts.flatMap((accessPort) => {
			const {client, inInterface} = senderTo(accessPort, remoteClient);
			if (client !== undefined && familyOf(client) !== family) {
				return [];
			}

			const vantagePoint: VantagePoint = {
				...{family, inInterface: inInterface ?? '', source: client ?? STRANGER[family]},
			};
			const stretches = judgePorts(rules, vantagePoint, accessPort.protocol).filter((stretch) =>
				rangesOverlap(stretch, accessPort),
			);
			const worst = stretches.find(({decision}) => decision.verdict !== 'ACCEPT') ?? stretches[0];
			return worst ? [{accessPort, family, decision: worst.decision}] : [];
		});
	});
}

/** Where packets to an access port come from: those of a tunnel from its other end, on no interface that is known. */
export function senderTo(
	{tunnel, peer}: AccessPort,
	{client, inInterface}: RemoteClient,
): Pick<RemoteClient, 'client' | 'inInterface'> {
	return tunnel === undefined ? {client, inInterface} : {client: peer, inInterface: undefined};
}

/** The access ports that the rules block. */
export function findLockouts(
	ruleSet: RuleSet,
	remoteClient: RemoteClient | undefined,
): readonly AccessPort[] {
	const closed = (remoteClient === undefined ? [] : judgeAccessPorts(ruleSet, remoteClient))
		.filter(({decision}) => decision.verdict !== 'ACCEPT')
		.map(({accessPort}) => accessPort);
	return [...new Set(closed)];
}

/** Whether the rules block a new TCP connection from an address to a port of this machine. */
export function isBlocked({families}: RuleSet, source: string, port: number): boolean {
	const rules = families.find(({family}) => familyOf(source) === family);
	if (rules === undefined) {
		return false;
	}

	const {family} = rules;
	const packet = firstPacket({family, inInterface: '', source}, 'tcp', port);
	return evaluate(rules, packet).verdict !== 'ACCEPT';
}

/** The opening that opens an access port for all sources. */
export function openingFor({protocol, first, last}: AccessPort): PortOpening {
	return {kind: 'port', protocol, first, last, limit: false};
}

/** `22/tcp`, `51820/udp (tunnel wg0)` */
export function printAccessPort({tunnel, ...accessPort}: AccessPort): string {
	const text = `${printPorts(accessPort, '-')}/${accessPort.protocol}`;
	return tunnel === undefined ? text : `${text} (tunnel ${printable(tunnel)})`;
}
