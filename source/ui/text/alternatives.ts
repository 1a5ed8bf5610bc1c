import type {Published} from '../../existing/nat/published-ports.ts';
import {quoteIfNeeded} from '../../lib/shell-quote.ts';
import {printOpening, shortOpening} from '../../policy/opening.ts';
import {adviseOn} from '../../services/advice.ts';
import {programNamed} from '../../services/known-programs/find.ts';
import type {PortRow} from '../state/port-rows.ts';
import {portKey} from '../state/published-rows.ts';
import {advicesOf, describeListeners, describeUses, printPort, rowNote, unique} from './ports.ts';
import {describePublishedRow, publishingNote} from './published.ts';

/** The alternatives to opening a port, each with its command. The wizard runs none of them. */
export function alternativesTo(row: PortRow | undefined, nat: string): readonly string[] {
	switch (row?.kind) {
		case 'listener':
		case 'loopback':
			return [
				`${printPort(row.port)}: ${describeListeners(row.listeners)}`,
				...unique(row.listeners.flatMap((listener) => adviceLines(listener, row.kind))),
				...(row.kind === 'listener' ? [`NAT: ${nat}.`] : []),
				'These are yours to run: the wizard runs none of them.',
			];
		case 'protocol':
			return [
				`${printOpening(row.opening)}: ${describeUses(row.uses)}.`,
				...unique(
					row.uses.map(({unit, by, how}) =>
						unit !== undefined
							? `Stop it: systemctl disable --now ${quoteIfNeeded(unit)}`
							: how === 'tunnel' || how === 'IPsec' || how === 'multicast'
								? `Stop it: end what has set up ${by}`
								: `Stop it: start method unknown; end ${by}`,
					),
				),
				...advicesOf(row.opening),
				'These are yours to run: the wizard runs none of them.',
			];
		case 'publishing':
			return [`Published ports: ${publishingNote(row)}.`];
		case 'published':
			return [
				`${portKey(row.ports)}: ${describePublishedRow(row)}.`,
				...unique(row.published.flatMap(waysWithout)),
				'These are yours to run: the wizard runs none of them.',
			];
		case 'inside':
		case 'opening':
			return [`${shortOpening(row.opening)}: ${rowNote(row)}.`];
		default:
			return [];
	}
}

/** How the program that publishes a port is told not to, or to publish it for this machine alone. */
function waysWithout({protocol, port, by}: Published): readonly string[] {
	const [process] = programNamed(by)?.proxies ?? [];
	return process === undefined
		? ['To close it without this policy, remove the DNAT rule, or filter in the FORWARD chain.']
		: adviceLines({protocol, port, container: by, process}, 'listener');
}

function adviceLines(
	listener: Parameters<typeof adviseOn>[0],
	kind: 'listener' | 'loopback',
): readonly string[] {
	const {stop, loopback, note, portByChance} = adviseOn(listener);
	return [
		...(portByChance === undefined || kind === 'loopback' ? [] : [`${portByChance}.`]),
		`Stop it: ${stop ?? 'start method unknown; end the program that you do not need'}`,
		...(kind === 'loopback'
			? []
			: [
					loopback === undefined
						? 'Bind it to loopback: its own configuration says where it listens'
						: `Bind it to loopback: in ${loopback.file} write: ${loopback.setting}`,
				]),
		...(note === undefined ? [] : [`${note}.`]),
	];
}
