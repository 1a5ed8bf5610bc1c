import {UNIT} from '../init/systemd.ts';
import {LOADERS, SCRIPTS} from '../init/sysvinit.ts';
import {findOpenrcServices, findSysvScripts, type StartedScript} from './init-scripts.ts';
import type {When} from './model.ts';
import type {UnitOrder} from './unit-order.ts';

/** When services start, in relation to that of fw-wizard. */
export type BootOrder = {
	readonly whenOf: (service: string) => When;
	/** A number that is higher for what starts later, as far as that is known. */
	readonly placeOf: (service: string) => number;
};

/** By the dependencies of units. */
export function orderOfUnits(order: UnitOrder): BootOrder {
	// Before the first change there is no unit of fw-wizard: it will start before the network.
	const own = order.starts(UNIT) ? UNIT : 'network-pre.target';
	const START = 'sysinit.target';
	const isLate = (name: string) => order.isAfter(name, START);
	return {
		whenOf(service) {
			if (!order.starts(service) || order.isAfter(service, own)) {
				return 'after';
			}

			// What waits for the basic system starts a while after what does not.
			return order.isAfter(own, service)
				? 'before'
				: isLate(service) && !isLate(own)
					? 'after'
					: 'unknown';
		},
		placeOf: (service) =>
			[...order.units.keys()].filter((one) => order.isAfter(service, one)).length,
	};
}

/** Of a machine that sysvinit or OpenRC boots, by the places of the scripts. */
function orderOfScripts(
	scripts: readonly StartedScript[],
	startsBefore: readonly string[] = [],
): BootOrder {
	const places = new Map(scripts.map(({name, place}) => [name, place]));
	const own = Math.max(...SCRIPTS.map((name) => places.get(name) ?? -1));
	const placeOf = (service: string) => {
		const name = service.replace(/\.service$/, '');
		return places.get(name) ?? Number.POSITIVE_INFINITY;
	};
	return {
		whenOf(service) {
			const place = placeOf(service);
			if (own === -1) {
				return 'unknown';
			}

			return place > own
				? 'after'
				: place < own || startsBefore.includes(service.replace(/\.service$/, ''))
					? 'before'
					: 'unknown';
		},
		placeOf,
	};
}

export function orderOfSysv(): BootOrder {
	return orderOfScripts(findSysvScripts());
}

/** Within a runlevel our last service asks to be started after these. */
export function orderOfOpenrc(): BootOrder {
	return orderOfScripts(findOpenrcServices(), LOADERS.split(' '));
}
