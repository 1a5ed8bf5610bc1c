import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import {hasInterfaces} from './interface-pattern.ts';
import {mergeOpenings} from './merge-openings.ts';
import {isDiscovery, type Opening, printOpened, shortOpening, shortSources} from './opening.ts';
import {divideOpening} from './port-openings.ts';
import {isNamed, isWithin, networksOf, type Source, type Sources} from './sources.ts';

/** Openings after some ports were closed, and what of them is closed now. */
type ClosedOpenings = {
	readonly openings: readonly Opening[];
	readonly closed: readonly Opening[];
};

/**
 * Takes ports from openings. What is to be closed has the form of an opening: without sources it closes the
 * ports for all sources, with sources for these alone; the same for an interface. A range, or an opening of both
 * protocols, keeps its other ports.
 * @throws {InputError} where one of them closes nothing, or the ports would stay open to some of its sources
 */
export function closeOpenings(
	openings: readonly Opening[],
	toClose: readonly Opening[],
): ClosedOpenings {
	const left = toClose.reduce<ClosedOpenings>(
		(before, one) => {
			const parts = before.openings.map((opening) => cut(opening, one));
			const closed = parts.flatMap((part) => part?.closed ?? []);
			if (closed.length === 0) {
				throw notOpen(one, openings);
			}

			return {
				openings: before.openings.flatMap((opening, index) => parts[index]?.left ?? [opening]),
				closed: [...before.closed, ...closed],
			};
		},
		{openings, closed: []},
	);
	return {openings: mergeOpenings(left.openings), closed: mergeOpenings(left.closed)};
}

type Cut = {readonly left: readonly Opening[]; readonly closed: readonly Opening[]};

/** What is left of an opening, and what is closed of it; undefined where it stays whole. @throws {InputError} */
function cut(opening: Opening, toClose: Opening): Cut | undefined {
	const {left, closed} = divide(opening, toClose);
	const isOnMore = !hasInterfaces(toClose.on, opening.on);
	const [has, takes] = [sourcesOf(opening), sourcesOf(toClose)];
	const {taken, kept, wider} = divideSources(has, takes);
	if (
		closed.length === 0 ||
		(isOnMore && !hasInterfaces(opening.on, toClose.on)) ||
		(taken?.length === 0 && wider.length === 0)
	) {
		return undefined;
	}

	if (isOnMore) {
		const on = opening.on === undefined ? 'on all interfaces' : `on ${opening.on}`;
		throw openToMore(closed, `${on}, not only on ${toClose.on}`);
	}

	if (takes !== undefined && (has === undefined || wider.length > 0)) {
		const to = has === undefined ? 'all addresses' : shortSources(wider);
		throw openToMore(closed, `to ${to}, not only to ${shortSources(takes)}`);
	}

	return {
		left: [...left, ...closed.flatMap((part) => (kept.length > 0 ? [{...part, from: kept}] : []))],
		closed: closed.map((part) => (taken === undefined ? part : {...part, from: taken})),
	};
}

type Sorted = {
	/** What is closed; undefined where all addresses are. */
	readonly taken: Sources | undefined;
	readonly kept: Sources;
	/** What of these contains what is to be closed. A group may, and is closed only as a whole. */
	readonly wider: Sources;
};

function divideSources(has: Sources | undefined, takes: Sources | undefined): Sorted {
	if (takes === undefined || has === undefined) {
		return {taken: has, kept: [], wider: []};
	}

	const networks = networksOf(takes);
	const named = networksOf(takes.filter((one) => !isNamed(one)));
	const isTaken = (source: Source) =>
		(isNamed(source) ? takes : networks).some((one) => isWithin(source, one));
	const isWider = (source: Source) =>
		isNamed(source)
			? named.some((one) => source.networks.some((two) => isWithin(one, two) || isWithin(two, one)))
			: networks.some((one) => isWithin(one, source));
	const kept = has.filter((source) => !isTaken(source));
	return {taken: has.filter(isTaken), kept, wider: kept.filter(isWider)};
}

/** What of an opening has the ports or the protocol of another one, and the rest. */
function divide(opening: Opening, toClose: Opening): Cut {
	if (opening.kind === 'port' && toClose.kind === 'port') {
		const {inside, outside} = divideOpening(opening, toClose);
		return {left: outside, closed: inside};
	}

	const isSame =
		opening.kind === 'protocol' && toClose.kind === 'protocol'
			? opening.protocol.number === toClose.protocol.number
			: opening.kind === toClose.kind;
	return isSame ? {left: [], closed: [opening]} : {left: [opening], closed: []};
}

function sourcesOf(opening: Opening): Sources | undefined {
	return isDiscovery(opening) ? undefined : opening.from;
}

/** @param closed what would be closed of an opening */
function openToMore(closed: readonly Opening[], how: string): InputError {
	const [whole] = mergeOpenings(closed) as readonly [Opening];
	return new InputError(
		`${shortOpening(whole)} is open ${how}`,
		`Close it, and open the rest again: ${commandLine(`close ${quoteIfNeeded(printOpened(whole))}`)}`,
	);
}

function notOpen(toClose: Opening, openings: readonly Opening[]): InputError {
	const names = openings.map(shortOpening);
	const shown = [...names.slice(0, 8), ...(names.length > 8 ? [`${names.length - 8} more`] : [])];
	return new InputError(
		`The policy does not open ${shortOpening(toClose)}: nothing is closed`,
		`Open: ${shown.join('; ') || 'nothing'}`,
	);
}
