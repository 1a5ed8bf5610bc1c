import {intersectRanges, onePort} from '../../lib/port-ranges.ts';
import {
	type DiscoveryOpening,
	isDiscovery,
	type Opening,
	printOpening,
} from '../../policy/opening.ts';
import {openingOf, type Ports, restOf, touches} from '../../policy/port-openings.ts';
import type {PortRow} from './port-rows.ts';
import {openingOfPublished} from './published.ts';

/** The openings of the policy that a line of the list in Ports stands for. */
function openingsOfRow(row: PortRow | undefined): readonly Opening[] {
	return row === undefined || row.kind === 'publishing' || row.kind === 'loopback'
		? []
		: row.kind === 'opening'
			? [row.opening]
			: row.openings;
}

/** What opens the line to all, whatever opens it now. Undefined where no opening decides about it. */
export function wholeOpening(row: PortRow | undefined): Opening | undefined {
	switch (row?.kind) {
		case 'listener':
			return openingOf(row.port);
		case 'published':
			return row.governed ? openingOfPublished(row.ports) : undefined;
		case 'protocol':
			return row.opening;
		case 'opening':
			return withoutClients(row.opening);

		default:
			return undefined;
	}
}

/** An opening for all, on every interface. */
export function withoutClients(opening: Opening): Opening {
	const {on: _, ...anywhere} = opening;
	if (isDiscovery(anywhere)) {
		return anywhere;
	}

	const {from: __, ...whole} = anywhere as Exclude<Opening, DiscoveryOpening>;
	return whole;
}

/** Whether the number of new connections to a line can be limited: it is open, and has ports of TCP or UDP. */
export function canLimit(row: PortRow | undefined): boolean {
	return openingsOfRow(row).some(({kind}) => kind === 'port') && wholeOpening(row) !== undefined;
}

/** Whether all that opens a line has a limit. */
export function isLimited(row: PortRow | undefined): boolean {
	return openingsOfRow(row).every((opening) => opening.kind !== 'port' || opening.limit);
}

/** The openings of the policy with those of a line under a limit, or without one. Their other ports stay as they are. */
export function withLimit(
	openings: readonly Opening[],
	row: PortRow | undefined,
	limit: boolean,
): readonly Opening[] {
	const mine = openingsOfRow(row);
	const ports = portsOf(row);
	return openings.flatMap((opening): readonly Opening[] => {
		if (!mine.includes(opening) || opening.kind !== 'port' || opening.protocol === 'sctp') {
			return [opening];
		}

		return ports === undefined || !touches(opening, ports)
			? [{...opening, limit}]
			: [
					...intersectRanges([opening], [ports]).map((range) => ({
						...opening,
						...range,
						protocol: ports.protocol,
						limit,
					})),
					...restOf(opening, ports),
				];
	});
}

/** Whether a line is open through one interface alone. */
export function isOnlyOn(row: PortRow | undefined, on: string): boolean {
	const openings = openingsOfRow(row);
	return openings.length > 0 && openings.every((opening) => opening.on === on);
}

/** What opens a line on one interface alone; with a limit where it has one. */
export function openingOn(row: PortRow | undefined, on: string): Opening | undefined {
	const whole = wholeOpening(row);
	return whole?.kind === 'port'
		? {...whole, on, limit: canLimit(row) && isLimited(row)}
		: whole && {...whole, on};
}

/** The text that opens a line for some clients: `22/tcp limit from 10.0.0.0/8`. Undefined where none can be named. */
export function textFor(row: PortRow | undefined, clients: readonly string[]): string | undefined {
	const whole = wholeOpening(row);
	const where =
		whole && isDiscovery(whole) ? clients.find((text) => text.startsWith('on ')) : clients[0];
	const limited = whole?.kind === 'port' && canLimit(row) && isLimited(row);
	return (
		whole &&
		`${printOpening(whole.kind === 'port' ? {...whole, limit: limited} : whole)} ${where ?? 'from '}`
	);
}

/** The ports of a line, where its openings may have others besides. */
export function portsOf(row: PortRow | undefined): Ports | undefined {
	return row?.kind === 'listener'
		? {protocol: row.port.protocol, ...onePort(row.port.port)}
		: row?.kind === 'published'
			? row.ports
			: undefined;
}
