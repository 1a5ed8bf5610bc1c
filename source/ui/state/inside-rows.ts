import {groupBy} from '../../lib/group-by.ts';
import {isInterface} from '../../policy/interface-pattern.ts';
import {type Opening, printOpening} from '../../policy/opening.ts';
import {covers} from '../../policy/port-openings.ts';
import {
	type GuestService,
	isAlsoForOthers,
	openingsForGuests,
} from '../../services/guest-service.ts';
import type {Listener} from '../../services/listener.ts';

/** A service for everybody that containers or guests of this machine use now: it can be opened to them alone. */
export type InsideRow = {
	readonly kind: 'inside';
	readonly key: string;
	/** What opens it to them. */
	readonly opening: Opening;
	/** One for each of their networks. */
	readonly services: readonly GuestService[];
	/** The openings that are for their networks; one for everybody is shown with the port itself. */
	readonly openings: readonly Opening[];
};

/** A line for each service that containers and guests use, by network. */
export function insideRows(
	openings: readonly Opening[],
	listeners: readonly Listener[],
	guests: readonly GuestService[],
): readonly InsideRow[] {
	const used = guests.filter((one) => one.users.length > 0 && isAlsoForOthers(one, listeners));
	const keyOf = ({protocol, port, network}: GuestService) =>
		`${port}/${protocol} ${network.pattern}`;
	return groupBy(used, keyOf).flatMap((services) =>
		openingsForGuests(services).map((opening) => ({
			...({kind: 'inside', key: `inside ${printOpening(opening)}`} as const),
			...{opening, services},
			openings: openings.filter((one) =>
				services.some((service) => covers(one, service) && isForNetworkOf(one, service)),
			),
		})),
	);
}

function isForNetworkOf({on}: Opening, {network}: GuestService): boolean {
	return on !== undefined && isInterface(on, network.name);
}
