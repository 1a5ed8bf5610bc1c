import {POLICY_FILE} from '../change/paths.ts';
import {sidesOf} from '../host/machine/inner-networks.ts';
import {commandLine} from '../lib/command-line.ts';
import {joinWords} from '../lib/list.ts';
import {printable} from '../lib/printable.ts';
import {isInterface} from '../policy/interface-pattern.ts';
import type {Policy} from '../policy/policy.ts';
import {INNER_INTERFACES} from '../policy/published.ts';
import type {InnerNetwork} from '../services/guest-service.ts';
import {failed, type Item, ok} from './checklist-item.ts';

const ID = 'inside';
const TITLE = 'the rules tell containers and guests from the outside';

/**
 * Checks the names of interfaces by which the rules for published ports tell containers and guests from
 * everybody else: a bridge that was made since may have a name that says otherwise.
 * @returns nothing where published ports are not governed
 */
export function checkInner(
	{published, inner = INNER_INTERFACES}: Policy,
	networks: readonly InnerNetwork[],
): readonly Item[] {
	if (published !== 'policy') {
		return [];
	}

	const isTaken = (name: string) => inner.some((pattern) => isInterface(pattern, name));
	const outside = sidesOf(networks)
		.filter((one) => !one.inner && isTaken(one.name))
		.map(({name}) => printable(name));
	const guests = networks
		.filter(({name, ofGuests}) => ofGuests && !isTaken(name))
		.map(({name}) => name);
	const causes = [
		...(outside.length === 0
			? []
			: [
					`others reach this machine through ${joinWords(outside)}, where every published port is open`,
				]),
		...(guests.length === 0
			? []
			: [`containers or guests behind ${joinWords(guests)} are taken for the outside`]),
	];
	return [
		causes.length === 0
			? ok(ID, TITLE)
			: failed(ID, TITLE, causes.join('; '), commandLine(`apply --policy ${POLICY_FILE}`)),
	];
}
