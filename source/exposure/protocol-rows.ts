import {groupBy} from '../lib/group-by.ts';
import {protocolNumbered} from '../policy/ip-protocols.ts';
import {triedNumbers} from '../proof/protocols.ts';
import {type ProtocolUse, spokenName} from '../services/protocol-use.ts';
import {statesFrom, summarize, type VisibilityFrom} from './aggregate.ts';
import type {ExposedProtocol} from './model.ts';

/** More names are counted. */
const MOST_NAMES = 6;

/**
 * A row for each protocol without ports that something here receives, and one for all others that strangers
 * can send. SCTP has ports, and is left out.
 */
export function protocolRows(
	visibilities: readonly VisibilityFrom[],
	uses: readonly ProtocolUse[],
): readonly ExposedProtocol[] {
	const strangers = visibilities.filter(({kind}) => kind === 'anywhere');
	const numbers = new Set([...triedNumbers(4), ...triedNumbers(6)]);
	const rows = [...numbers].flatMap((number) => {
		const by = [
			...new Set(uses.filter(({protocol}) => protocol.number === number).map(({by}) => by)),
		];
		const named = protocolNumbered(number);
		return summarize(
			strangers
				.filter(({family}) => triedNumbers(family).includes(number))
				.map((one) =>
					statesFrom(one, ({protocols}) =>
						protocols === undefined ? 'unknown' : protocols.has(number) ? 'open' : 'shut',
					),
				),
		).map((states) => ({
			...states,
			...{name: spokenName(named), isNamed: !named.name.startsWith('protocol ')},
			...(by.length === 0 ? {} : {by: by.join(', ')}),
		}));
	});
	const shown = rows.filter(
		({by, before, after = before}) => by !== undefined || before === 'open' || after === 'open',
	);
	return groupBy(shown, ({by, name, families, from, before, after}) =>
		JSON.stringify([by && name, families, from, before, after]),
	).map((group) => {
		const [{isNamed: _, ...row}] = group;
		const known = group.filter(({isNamed}) => isNamed).map(({name}) => name);
		const names = (known.length === 0 ? [row.name] : known).slice(0, MOST_NAMES);
		const more = group.length - names.length;
		return {...row, name: `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`};
	});
}
