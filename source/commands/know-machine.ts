import type {Facts} from '../host/facts.ts';
import {findListeners} from '../host/listeners.ts';
import {within} from '../host/machine.ts';
import {findPublished} from '../host/published.ts';
import {netAdminHere, seesSockets} from '../host/system.ts';
import {type Recommendation, recommendRole} from '../policy/recommend.ts';
import {printDoor} from '../ruleset/way-in.ts';
import type {Known} from '../ui/flow-state.ts';

/** What the wizard's answers depend on. Never throws: what was not found out in time stays unknown. */
export async function knowMachine(facts: Facts): Promise<Known> {
	const [listeners, published] = await Promise.all([
		within(async () => (seesSockets() ? findListeners() : 'unknown')),
		within(async () => (netAdminHere() === true ? findPublished() : 'unknown')),
	]);
	const known = {listeners: orUndefined(listeners), published: orUndefined(published)};
	return {
		...known,
		recommendation:
			known.listeners && recommendFor(facts, recommendRole(known.listeners, known.published)),
		choices: [],
	};
}

function orUndefined<T>(value: T | 'unknown'): T | undefined {
	return value === 'unknown' ? undefined : value;
}

/** Who came from outside wants to come again, also where nothing but sshd listens. */
function recommendFor({session}: Facts, found: Recommendation): Recommendation {
	return found.role === 'workstation' && session.kind === 'remote'
		? {
				role: 'server',
				reason: `you came in through ${session.doors.map(printDoor).join(' and ')}, and want to come in again`,
			}
		: found;
}
