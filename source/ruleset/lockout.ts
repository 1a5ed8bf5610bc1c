import type {Family} from '../lib/network.ts';
import {type PortOpening, printPorts} from '../policy/parse-opening.ts';
import type {Protocol} from '../policy/services.ts';
import type {Decision} from './evaluate.ts';
import {judgePorts, type VantagePoint} from './evaluate-ports.ts';
import type {RuleSet} from './model.ts';
import {STRANGER} from './packet.ts';

/** A port that somebody who is connected now must reach again for a new connection. */
export type Door = {readonly protocol: Protocol; readonly first: number; readonly last: number};

/** Somebody who came in from outside and wants to come again. */
export type Visitor = {
	/** Unknown: anybody. */
	readonly client: string | undefined;
	readonly inInterface: string | undefined;
	readonly doors: readonly Door[];
};

export type WayIn = {readonly door: Door; readonly family: Family; readonly decision: Decision};

/**
 * What the rules do with the first packet of a new connection of the visitor, for each door: of a
 * range, the worst that happens. A visitor whose address is not known may come by either family.
 */
export function findWaysIn({families}: RuleSet, visitor: Visitor): readonly WayIn[] {
	const {client, inInterface = ''} = visitor;
	const mine = families.filter(
		({family}) => client === undefined || client.includes(':') === (family === 6),
	);
	return mine.flatMap((rules) => {
		const {family} = rules;
		const vantagePoint: VantagePoint = {family, inInterface, source: client ?? STRANGER[family]};
		return visitor.doors.flatMap((door) => {
			const stretches = judgePorts(rules, vantagePoint, door.protocol).filter(
				({first, last}) => first <= door.last && door.first <= last,
			);
			const worst = stretches.find(({decision}) => decision.verdict !== 'ACCEPT') ?? stretches[0];
			return worst ? [{door, family, decision: worst.decision}] : [];
		});
	});
}

/** The doors that the rules shut. */
export function shutDoors(ruleSet: RuleSet, visitor: Visitor | undefined): readonly Door[] {
	const shut = (visitor === undefined ? [] : findWaysIn(ruleSet, visitor))
		.filter(({decision}) => decision.verdict !== 'ACCEPT')
		.map(({door}) => door);
	return [...new Set(shut)];
}

/** The opening that lets everybody through a door. */
export function openingFor({protocol, first, last}: Door): PortOpening {
	return {kind: 'port', protocol, first, last, limit: false};
}

/** `22/tcp` */
export function printDoor(door: Door): string {
	return `${printPorts(door, '-')}/${door.protocol}`;
}
