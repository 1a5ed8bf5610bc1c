import type {BlockedLog, LoggedPort} from '../../app/inspect/log.ts';
import {countOf, formatNumber} from '../../lib/format-number.ts';
import {joinSome, joinWords} from '../../lib/list.ts';
import {type Line, wrapLines} from './wrap.ts';

/** Sources that are named. */
const MOST_SOURCES = 4;

/** What the wizard says of blocked packets above the ports that can be opened. @param log absent until it was read */
export function blockedLines(
	log: BlockedLog | 'unreadable' | undefined,
	width: number,
): readonly Line[] {
	if (log === 'unreadable') {
		return wrapLines('What was blocked cannot be read here.', width, 'attention');
	}

	if (log === undefined) {
		return wrapLines('Reading what was blocked.', width, 'muted');
	}

	const {counted, logging, lines, sources} = log;
	const counts = `Blocked since the rules were loaded: ${countOf(counted.packets, 'packet')}.`;
	const logged =
		lines === null
			? 'The log of the kernel cannot be read here.'
			: logging === true
				? `Logged in the last 24 hours, at most 10 a minute: ${countOf(lines, 'packet')}.`
				: 'Blocked packets are not logged, so the ports are not known.';
	const from = sources.map(
		({address, ports, scan}) =>
			`${address} (${countOf(ports, 'port')}${scan ? ', a port scan' : ''})`,
	);
	return [
		...wrapLines(counts, width, 'plain'),
		...wrapLines(logged, width, logging === true ? 'plain' : 'attention'),
		...(from.length === 0
			? []
			: wrapLines(`From: ${joinSome(from, MOST_SOURCES)}`, width, 'plain')),
		...(log.ports.length === 0
			? []
			: wrapLines(
					'A port that is chosen is typed in at Ports. Nothing changes yet.',
					width,
					'muted',
				)),
	];
}

/** `Open 8080/tcp: 12 from 3 addresses, java listens` */
export function blockedChoice({protocol, port, lines, sources, programs}: LoggedPort): {
	readonly label: string;
} {
	const who =
		programs.length === 0
			? 'nothing listens'
			: `${joinWords(programs)} ${programs.length === 1 ? 'listens' : 'listen'}`;
	return {
		label: `Open ${port}/${protocol}: ${formatNumber(lines)} from ${countOf(sources, 'address', 'addresses')}, ${who}`,
	};
}
