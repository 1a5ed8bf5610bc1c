import {mergeOpenings} from '../../policy/merge-openings.ts';
import type {Opening} from '../../policy/opening.ts';
import {defaultPolicy} from '../../policy/policy.ts';
import {openingFor} from '../../ruleset/lockout.ts';
import {basicOf, openingOfListeners, openingsForGuests} from '../../services/guest-service.ts';
import {audienceOf} from '../../services/public-ports.ts';
import {rowsOf} from './ports.ts';
import {openingsForPublic} from './published.ts';
import type {Flow} from './state.ts';

/**
 * The openings that the wizard starts with: the ports through which the user is connected; address
 * and names of the guests of this machine; and on a server the services that listen now and are
 * meant for everybody, and published ports that are. Where no SSH server was found, that is the
 * recommended opening of the role.
 */
export function recommendedOpenings(flow: Flow): readonly Opening[] {
	const {access, known, policy} = flow;
	const guests = known.guests.value ?? [];
	const listening = policy.role === 'server' ? openingsForEverybody(flow) : [];
	const remote = [...access.map(openingFor), ...listening.filter(({ssh}) => ssh)];
	return mergeOpenings([
		...(remote.length === 0 ? defaultPolicy(policy.role).openings : access.map(openingFor)),
		...listening.flatMap(({openings}) => openings),
		...openingsForGuests(basicOf(guests)),
		...openingsForPublic(flow),
	]);
}

/** The openings of the ports on which a service listens that is meant for everybody. */
function openingsForEverybody(
	flow: Flow,
): ReadonlyArray<{readonly openings: readonly Opening[]; readonly ssh: boolean}> {
	return rowsOf({...flow, policy: {...flow.policy, openings: []}}).flatMap((row) => {
		if (row.kind !== 'listener') {
			return [];
		}

		const audiences = row.listeners.map(audienceOf);
		const openings = openingOfListeners(row.port, row.listeners, flow.known.guests.value ?? []);
		return audiences.some(({everybody}) => everybody) && openings.every(({on}) => on === undefined)
			? [{openings, ssh: audiences.some(({service}) => service === 'ssh')}]
			: [];
	});
}
