import {formatNumber} from '../lib/format-number.ts';
import {type Group, groupBy} from '../lib/group-by.ts';
import type {Family} from '../lib/network.ts';
import {
	countPorts,
	cutPorts,
	hasPort,
	joinRanges,
	type PortRange,
	printPorts,
	rangesOverlap,
} from '../lib/port-ranges.ts';
import type {Ports} from '../policy/port-openings.ts';
import {PROTOCOLS, type Protocol} from '../policy/services.ts';
import {openIn, type Proof, type View} from './report.ts';

/** Ports with what serves them. */
export type NamedPorts = Ports & {readonly name: string};

/** What packets from one vantage point found, and whether that is what the policy says. */
export type Cell = {readonly open: boolean; readonly wrong: boolean};

type MatrixColumn = {
	/** Unlike `name` it is cut nowhere. */
	readonly key: string;
	readonly name: string;
	readonly families: readonly Family[];
	/** Columns of the screen, with the space ahead of it. */
	readonly width: number;
};

export type MatrixRow = {
	readonly port: string;
	readonly who: string;
	/** A list for each column, with a cell for each of its families. */
	readonly cells: ReadonlyArray<readonly Cell[]>;
};

export type ProofMatrix = {
	readonly columns: readonly MatrixColumn[];
	readonly rows: readonly MatrixRow[];
	/** The vantage points for which there is no room. */
	readonly hidden: number;
};

export const PORT_COLUMNS = 17;
const LEAST_WHO = 12;

/** Ports that all views treat alike, of one protocol. */
type Stretch = Ports & {readonly name?: string; readonly cells: readonly Cell[]};

/**
 * What a proof found: a line for each port that something serves or that is open to somebody, then one for all
 * others; a column for each vantage point, as many as fit.
 * @param named the ports that something serves; undefined where that is not known
 * @param shorten cuts the name of a column
 */
export function proofMatrix(
	{views}: Pick<Proof, 'views'>,
	named: readonly NamedPorts[] | undefined,
	width: number,
	shorten = (name: string) => name,
): ProofMatrix {
	const shown = views.filter(({vantagePoint}) => vantagePoint.kind !== 'beside');
	const keyOf = ({vantagePoint: {kind, name, destination = ''}}: View) =>
		`${kind} ${name} ${isRepeated(shown, name) ? destination : ''}`;
	const groups = groupBy(shown, keyOf);
	let room = width - PORT_COLUMNS - LEAST_WHO;
	const fitting = groups.flatMap((group) => {
		const column = {...columnOf(group, shorten), key: keyOf(group[0])};
		room -= column.width;
		return room < 0 ? [] : [{column, group}];
	});
	const all = fitting.flatMap(({group}) => group);
	const stretches = PROTOCOLS.flatMap((protocol) => stretchesOf(protocol, all, named ?? []));
	const split = (cells: readonly Cell[]) =>
		fitting.map(({group}) => group.map((view) => cells[all.indexOf(view)] as Cell));
	return {
		columns: fitting.map(({column}) => column),
		rows: [
			...groupRows(stretches, named === undefined ? '' : 'nothing listens'),
			...protocolRows(all),
		]
			.sort((a, b) => Number(isWrong(b)) - Number(isWrong(a)))
			.map((row) => ({...row, cells: split(row.cells)})),
		hidden: groups.length - fitting.length,
	};
}

/** Whether packets go to several addresses of this machine from one name, by one family. */
function isRepeated(views: readonly View[], name: string): boolean {
	const same = views.filter(({vantagePoint}) => vantagePoint.name === name);
	return new Set(same.map(({vantagePoint}) => vantagePoint.family)).size < same.length;
}

function columnOf(
	group: Group<View>,
	shorten: (name: string) => string,
): Omit<MatrixColumn, 'key'> {
	const {kind, name: whole} = group[0].vantagePoint;
	const short = kind === 'client' ? whole.replace(/,.*/, '') : whole.replace(/^.* (?:on|of) /, '');
	const name = shorten(short);
	const families = group.map(({vantagePoint}) => vantagePoint.family);
	return {name, families, width: 2 + Math.max(name.length, 3 * families.length - 1)};
}

/** The ports of a protocol in stretches that all views treat alike, and that one name or none is for. */
function stretchesOf(
	protocol: Protocol,
	views: readonly View[],
	named: readonly NamedPorts[],
): readonly Stretch[] {
	const names = named.filter((ports) => ports.protocol === protocol);
	const seen = views.map((view) => ({
		open: openIn(view)[protocol],
		wrong: view.differences.flatMap((one) => (one.protocol === protocol ? one.ports : [])),
	}));
	const edges = [...names, ...seen.flatMap(({open, wrong}) => [...open, ...wrong])];
	return cutPorts(edges.flatMap(({first, last}) => [first, last + 1])).map((range) => {
		const who = names.filter((ports) => rangesOverlap(ports, range)).map(({name}) => name);
		return {
			...{protocol, ...range},
			...(who.length === 0 ? {} : {name: [...new Set(who)].join(', ')}),
			cells: seen.map(({open, wrong}) => ({
				open: hasPort(open, range.first),
				wrong: hasPort(wrong, range.first),
			})),
		};
	});
}

function isWrong({cells}: {readonly cells: readonly Cell[]}): boolean {
	return cells.some(({wrong}) => wrong);
}

/** Named ports by number; then those without a name that are open to somebody or wrong; then how many others there are. */
function groupRows(stretches: readonly Stretch[], silent: string) {
	const isPlain = ({name, cells}: Stretch) =>
		name === undefined && cells.every(({open, wrong}) => !open && !wrong);
	const nameless = groupBy(
		stretches.filter((one) => one.name === undefined && !isPlain(one)),
		({protocol, cells}) => JSON.stringify([protocol, cells]),
	);
	const others = groupBy(stretches.filter(isPlain), ({protocol}) => protocol);
	return [
		...stretches
			.filter(({name}) => name !== undefined)
			.map(({name = '', cells, ...ports}) => ({port: portText([ports]), who: name, cells})),
		...nameless.map((group) => ({
			port: portText(group),
			who: silent,
			cells: group[0].cells,
		})),
		...others.map((group) => {
			const [{protocol, cells}] = group;
			const listed = stretches.some((one) => one.protocol === protocol && !isPlain(one));
			const count = formatNumber(countPorts(group));
			return {
				port: `${count} ${listed ? 'other ' : ''}${protocol.toUpperCase()} ports`,
				who: '',
				cells,
			};
		}),
	];
}

function portText(ports: ReadonlyArray<PortRange & {readonly protocol: Protocol}>): string {
	const ranges = joinRanges(ports);
	return `${ranges.map((range) => printPorts(range, '-')).join(', ')}/${ports[0]?.protocol}`;
}

/** The protocols without ports that passed from somewhere. */
function protocolRows(views: readonly View[]) {
	return [...new Set(views.flatMap(({protocols = []}) => protocols))].map((port) => ({
		...{port, who: ''},
		cells: views.map(({protocols = []}) => ({open: protocols.includes(port), wrong: false})),
	}));
}
