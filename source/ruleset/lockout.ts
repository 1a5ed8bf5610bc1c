import type {Family} from '../lib/network.ts';
import {printPorts, rangesOverlap} from '../lib/port-ranges.ts';
import type {PortOpening} from '../policy/opening.ts';
import type {Protocol} from '../policy/services.ts';
import {type Decision, evaluate} from './evaluate.ts';
import {firstPacket, judgePorts, type VantagePoint} from './evaluate-ports.ts';
import type {RuleSet} from './model.ts';
import {STRANGER} from './packet.ts';

/** A port that somebody who is connected now must reach again for a new connection. */
export type AccessPort = {
	readonly protocol: Protocol;
	readonly first: number;
	readonly last: number;
};

/** Somebody who came in from outside and wants to come again. */
export type RemoteClient = {
	/** Unknown: anybody. */
	readonly client: string | undefined;
	readonly inInterface: string | undefined;
	readonly accessPorts: readonly AccessPort[];
};

export type AccessDecision = {
	readonly accessPort: AccessPort;
	readonly family: Family;
	readonly decision: Decision;
};

/**
 * What the rules do with the first packet of a new connection of the visitor, for each door: of a
 * range, the worst that happens. A visitor whose address is not known may come by either family.
 */
export function judgeAccessPorts(
	{families}: RuleSet,
	remoteClient: RemoteClient,
): readonly AccessDecision[] {
	const {client, inInterface = ''} = remoteClient;
	const mine = families.filter(
		({family}) => client === undefined || client.includes(':') === (family === 6),
	);
	return mine.flatMap((rules) => {
		const {family} = rules;
		const vantagePoint: VantagePoint = {family, inInterface, source: client ?? STRANGER[family]};
		return remoteClient.accessPorts.flatMap((accessPort) => {
			const stretches = judgePorts(rules, vantagePoint, accessPort.protocol).filter((stretch) =>
				rangesOverlap(stretch, accessPort),
			);
			const worst = stretches.find(({decision}) => decision.verdict !== 'ACCEPT') ?? stretches[0];
			return worst ? [{accessPort, family, decision: worst.decision}] : [];
		});
	});
}

/** The doors that the rules shut. */
export function findLockouts(
	ruleSet: RuleSet,
	remoteClient: RemoteClient | undefined,
): readonly AccessPort[] {
	const shut = (remoteClient === undefined ? [] : judgeAccessPorts(ruleSet, remoteClient))
		.filter(({decision}) => decision.verdict !== 'ACCEPT')
		.map(({accessPort}) => accessPort);
	return [...new Set(shut)];
}

/** Whether the rules block a new TCP connection from an address to a port of this machine. */
export function isBlocked({families}: RuleSet, source: string, port: number): boolean {
	const rules = families.find(({family}) => source.includes(':') === (family === 6));
	if (rules === undefined) {
		return false;
	}

	const {family} = rules;
	const packet = firstPacket({family, inInterface: '', source}, 'tcp', port);
	return evaluate(rules, packet).verdict !== 'ACCEPT';
}

/** The opening that lets everybody through a door. */
export function openingFor({protocol, first, last}: AccessPort): PortOpening {
	return {kind: 'port', protocol, first, last, limit: false};
}

/** `22/tcp` */
export function printAccessPort(accessPort: AccessPort): string {
	return `${printPorts(accessPort, '-')}/${accessPort.protocol}`;
}
