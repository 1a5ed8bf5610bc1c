import type {Exposed, ExposedProtocol, Reach} from '../../exposure/model.ts';
import {printPorts} from '../../lib/port-ranges.ts';
import type {ExposureState} from '../hooks/use-exposure.ts';
import {screenReader, type Tone} from '../theme.ts';
import {type Line, wrapLines} from './wrap.ts';

const PORT_COLUMNS = 18;
const REACH_COLUMNS = 9;

/** The lines of the exposure: which ports other hosts can reach now, and with the new rules. */
export function exposureLines(state: ExposureState, width: number): readonly Line[] {
	switch (state.status) {
		case 'looking':
			return [{text: 'Looking what the outside can reach now, and what it could.', tone: 'muted'}];
		case 'failed':
			return wrapLines(`This was not found out: ${state.message}.`, width, 'warning');
		case 'found': {
			const {rows, protocols = [], unread, tried} = state.exposure;
			return [
				...(screenReader ? [] : wrapLines(head(), width, 'accent')),
				...rows.flatMap((row) => rowLines(portOf(row), describe(row), row, width)),
				...protocols.flatMap((row) =>
					rowLines(`${row.name}${familyOf(row)}`, describeProtocol(row), row, width),
				),
				...(rows.length === 0 && unread.length === 0
					? wrapLines('Nothing listens here for others, and nothing is let in.', width, 'plain')
					: []),
				...unread.flatMap((line) => wrapLines(`Not judged: ${line}`, width, 'warning')),
				...wrapLines(
					tried
						? 'Tried with packets to a copy of this machine.'
						: 'Read from the rules, not tried with packets.',
					width,
					'muted',
				),
			];
		}
	}
}

function head(): string {
	return `${'Port'.padEnd(PORT_COLUMNS)}${'now'.padEnd(REACH_COLUMNS)}${'after'.padEnd(REACH_COLUMNS)}who`;
}

function portOf(row: Exposed): string {
	const ports = row.ports.map((range) => printPorts(range, '-')).join(',');
	return `${ports}/${row.protocol}${familyOf(row)}`;
}

function familyOf({families}: Pick<Exposed, 'families'>): string {
	return families.length === 1 ? ` IPv${families[0]}` : '';
}

function rowLines(
	port: string,
	who: string,
	row: Pick<Exposed, 'before' | 'after'>,
	width: number,
): readonly Line[] {
	const prefix = `${row.before.padEnd(REACH_COLUMNS)}${(row.after ?? '').padEnd(REACH_COLUMNS)}`;
	const tone = toneOf(row.after ?? row.before);
	if (screenReader) {
		const after = row.after === undefined ? '' : `, after ${row.after}`;
		return wrapLines(`${port}: now ${row.before}${after}; ${who}`, width, tone);
	}

	// A list of ports that is too long for its column gets lines of its own.
	return port.length < PORT_COLUMNS
		? wrapLines(who, width, tone, `${port.padEnd(PORT_COLUMNS)}${prefix}`)
		: [
				...wrapLines(port, width, tone),
				...wrapLines(who, width, tone, `${' '.repeat(PORT_COLUMNS)}${prefix}`),
			];
}

function describe({process, through, to, by, from, listens}: Exposed): string {
	const who =
		through === 'a container'
			? `${by ?? 'a container'}, to ${to ?? 'a container'}, past INPUT`
			: (process ?? (listens ? 'an unknown process' : 'nothing listens'));
	return [
		who,
		...(through === 'loopback' ? ['loopback only'] : from === 'anywhere' ? [] : [`from ${from}`]),
	].join(', ');
}

function describeProtocol({by, from}: ExposedProtocol): string {
	const who = by ?? 'nothing is known to receive it';
	return from === 'anywhere' ? who : `${who}, from ${from}`;
}

function toneOf(reach: Reach): Tone {
	return ({open: 'accept', shut: 'plain', unknown: 'warning'} as const)[reach];
}
