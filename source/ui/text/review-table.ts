import {
	type Exposed,
	type ExposedProtocol,
	type Exposure,
	REACH_WORDS,
} from '../../exposure/model.ts';
import {groupBy} from '../../lib/group-by.ts';
import {printPorts} from '../../lib/port-ranges.ts';
import type {Policy, Verdict} from '../../policy/policy.ts';
import {touches} from '../../policy/port-openings.ts';
import type {PortRow} from '../state/port-rows.ts';
import {portKey} from '../state/published-rows.ts';
import {screenReader, type Tone} from '../theme.ts';
import {isOpen, openingOf, serverOf} from './served.ts';
import {type Line, wrapLines} from './wrap.ts';

/** A port, or several of the same fate, now and after the change. */
type Row = {
	readonly ports: string;
	/** Empty where it is not known yet. */
	readonly now: string;
	readonly after: string;
	readonly who: string;
	readonly tone: Tone;
};

/** What happens to packets to a blocked port, by the answer that their sender gets. */
const BLOCKED: Readonly<Record<Verdict, string>> = {
	reject: 'rejected',
	reset: 'reset',
	drop: 'dropped',
};
const LEAST_PORT_COLUMNS = 11;
const MOST_PORT_COLUMNS = 22;
const NOW_COLUMNS = 9;
const LEAST_WHO_COLUMNS = 12;

/**
 * The ports that matter, now and after the change: those that something serves or that are open afterwards, each in a
 * line, ports of one program and one fate together; then one line for all others.
 * @param found what packets found; undefined while they are sent: then the answers tell what the change will do
 */
export function tableLines(
	found: Exposure | undefined,
	rows: readonly PortRow[],
	policy: Policy,
	width: number,
): readonly Line[] {
	const others = {
		...{ports: 'all others', after: BLOCKED[policy.verdict], who: '', tone: 'muted' as const},
		now: found === undefined ? '' : othersNow(found),
	};
	const all = [
		...(found === undefined
			? rows.flatMap((row) => plannedRow(row) ?? [])
			: foundRows(found, policy)),
		others,
	];
	const columns = Math.min(
		MOST_PORT_COLUMNS,
		Math.max(LEAST_PORT_COLUMNS, ...all.map(({ports}) => ports.length)),
	);
	const head = lineOf({ports: '', now: 'now', after: 'after', who: ''}, columns);
	return screenReader || width < head.length + LEAST_WHO_COLUMNS
		? all.flatMap((row) => sentence(row, width))
		: [
				...wrapLines(head.trimEnd(), width, 'muted'),
				...all.flatMap((row) => rowLines(row, columns, width)),
			];
}

/** A row where there is no room for columns, and for a screen reader. */
function sentence({ports, now, after, who, tone}: Row, width: number): readonly Line[] {
	const states = [...(now === '' ? [] : [`now ${now}`]), `after ${after}`].join(', ');
	return wrapLines(`${ports}: ${states}${who === '' ? '' : `; ${who}`}`, width, tone);
}

function rowLines(row: Row, columns: number, width: number): readonly Line[] {
	const {ports, who, tone} = row;
	// A list of ports that is too long for its column gets lines of its own.
	return ports.length <= columns
		? wrapLines(who, width, tone, lineOf({...row, who: ''}, columns))
		: [
				...wrapLines(ports, width, tone),
				...wrapLines(who, width, tone, lineOf({...row, ports: '', who: ''}, columns)),
			];
}

function lineOf({ports, now, after, who}: Omit<Row, 'tone'>, columns: number): string {
	return ` ${ports.padEnd(columns)}  ${now.padEnd(NOW_COLUMNS)}${after.padEnd(NOW_COLUMNS + 1)}${who}`;
}

/** What nothing listens on: closed, whatever the rules say; else what the rules do with it. */
function othersNow({rows}: Exposure): string {
	const silent = rows.filter(({listens, from}) => !listens && from === 'anywhere');
	return silent.some(({before}) => before === 'open') ? 'closed' : 'blocked';
}

function foundRows({rows, protocols = []}: Exposure, policy: Policy): readonly Row[] {
	const shown = rows.filter(
		({through, listens, after}) =>
			through !== 'loopback' && (listens || (after !== undefined && after !== 'shut')),
	);
	const ports = groupBy(shown, (row) =>
		JSON.stringify([
			row.protocol,
			row.before,
			row.after,
			row.families,
			describe(row),
			toneOf(row, policy),
		]),
	).map((group): Row => {
		const [first] = group;
		const ranges = group.flatMap((row) => row.ports).sort((a, b) => a.first - b.first);
		const names = [...new Set(ranges.map((range) => printPorts(range, '-')))];
		return {
			ports: `${names.join(', ')}/${first.protocol}${familyOf(first)}`,
			...statesOf(first),
			who: describe(first),
			tone: toneOf(first, policy),
		};
	});
	const others = protocols
		.filter(({by, after}) => by !== undefined || after === 'open')
		.map(
			(row): Row => ({
				ports: `${row.name}${familyOf(row)}`,
				...statesOf(row),
				who: [row.by ?? 'nothing is known to receive it', ...sourceOf(row)].join(', '),
				tone: row.after === 'open' ? 'good' : row.before === 'open' ? 'attention' : 'plain',
			}),
		);
	return [...ports, ...others];
}

function statesOf({before, after}: Pick<Exposed, 'before' | 'after'>): Pick<Row, 'now' | 'after'> {
	return {now: REACH_WORDS[before], after: after === undefined ? '' : REACH_WORDS[after]};
}

function familyOf({families}: Pick<Exposed, 'families'>): string {
	return families.length === 1 ? ` IPv${families[0]}` : '';
}

function sourceOf({from}: Pick<Exposed | ExposedProtocol, 'from'>): readonly string[] {
	return from === 'anywhere' ? [] : [`from ${from}`];
}

function describe(row: Exposed): string {
	const {process, through, to, by, container, listens} = row;
	const who =
		through === 'a container'
			? `${container ?? `to ${to ?? 'a container'}`}${by === undefined ? '' : ` (${by})`}`
			: (process ?? (listens ? 'an unknown program' : 'nothing listens'));
	return [who, ...sourceOf(row)].join(', ');
}

/** Reachable as chosen, reachable against the choice, or no longer reachable though something serves it. */
function toneOf({protocol, ports, from, through, before, after}: Exposed, policy: Policy): Tone {
	if (after === 'open') {
		const chosen = policy.openings.some((opening) =>
			opening.kind === 'port'
				? ports.every((range) => touches(opening, {protocol, ...range}))
				: opening.kind !== 'protocol' && protocol === 'udp',
		);
		const left = through === 'a container' && policy.published !== 'policy';
		return chosen ? 'good' : left || from !== 'anywhere' ? 'attention' : 'danger';
	}

	return after === 'unknown' || before === 'open' ? 'attention' : 'plain';
}

/** What the answers say of a port, before packets have told. */
function plannedRow(row: PortRow): Row | undefined {
	if (row.kind === 'loopback' || row.kind === 'publishing') {
		return undefined;
	}

	if (row.kind === 'published' && !row.governed) {
		const who = `${serverOf(row)}, not under this policy`;
		return {ports: portKey(row.ports), now: '', after: 'open', who, tone: 'attention'};
	}

	const open = isOpen(row);
	return {
		...{ports: openingOf(row), now: '', after: open ? 'open' : 'blocked', who: serverOf(row)},
		tone: open ? 'good' : 'attention',
	};
}
