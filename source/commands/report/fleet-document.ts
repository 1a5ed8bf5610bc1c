import {printTime} from '../../app/inspect/describe-status.ts';
import {countOf, formatNumber} from '../../lib/format-number.ts';
import {joinSome, withRest} from '../../lib/list.ts';
import {type Block, type Cell, type Document, pairs} from './blocks.ts';
import type {FleetRow} from './read-fleet.ts';

/** So many names or problems are in one cell. */
const MOST = 12;

/** The report of several hosts. @param time of the report, ISO 8601 */
export function fleetDocument(rows: readonly FleetRow[], time: string): Document {
	const wrong = rows.filter(({problems}) => problems.length > 0);
	const unknown = rows.filter(({known}) => !known);
	return {
		title: `Firewall report: ${countOf(rows.length, 'host')}`,
		verdict:
			wrong.length === 0
				? {text: 'All well: each firewall is active and does what its policy says.', tone: 'good'}
				: {
						text: `Something is wrong on ${formatNumber(wrong.length)} of ${countOf(rows.length, 'host')}.`,
						tone: 'bad',
					},
		sections: [
			{
				title: 'Summary',
				blocks: [
					pairs([
						['Time', printTime(time)],
						['All well', formatNumber(rows.length - wrong.length)],
						['Something is wrong', formatNumber(wrong.length - unknown.length)],
						['Unknown', formatNumber(unknown.length)],
					]),
				],
			},
			{title: 'Hosts', blocks: [hostTable(rows)]},
			{title: 'Open ports', blocks: [openTable(rows)]},
		],
	};
}

function hostTable(rows: readonly FleetRow[]): Block {
	return {
		kind: 'table',
		head: ['Host', 'State', 'Openings', 'Next boot', 'Last check', 'What is wrong'],
		rows: rows.map(({host, known, problems, active, open, boot, checked}) => [
			{text: host},
			stateOf(known, active),
			{text: open === null ? '' : formatNumber(open.length)},
			boot === null
				? {text: ''}
				: boot
					? {text: 'ready', tone: 'good'}
					: {text: 'not ready', tone: 'bad'},
			{text: checked === null ? '' : printTime(checked)},
			problems.length === 0
				? {text: 'nothing', tone: 'muted'}
				: {text: withRest(problems, MOST).join('; '), tone: 'bad'},
		]),
	};
}

function stateOf(known: boolean, active: boolean | null): Cell {
	return active === null
		? {text: known ? '' : 'unknown', tone: 'bad'}
		: active
			? {text: 'active', tone: 'good'}
			: {text: 'inactive', tone: 'bad'};
}

/** What is open on which hosts: what few of them have first. */
function openTable(rows: readonly FleetRow[]): Block {
	const hosts = new Map<string, string[]>();
	for (const {host, open} of rows) {
		for (const opening of open ?? []) {
			const list = hosts.get(opening) ?? [];
			hosts.set(opening, list);
			list.push(host);
		}
	}

	const sorted = [...hosts].sort(([, a], [, b]) => a.length - b.length);
	return sorted.length === 0
		? {kind: 'text', text: 'No port is known to be open.'}
		: {
				kind: 'table',
				head: ['Open', 'Hosts', 'Which'],
				rows: sorted.map(([opening, names]) => [
					{text: opening, tone: 'code'},
					{text: formatNumber(names.length)},
					{text: joinSome(names, MOST)},
				]),
			};
}
