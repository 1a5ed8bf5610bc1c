import {InputError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {
	describeEvery,
	readWatchChoice,
	USUAL_WATCH,
	WATCH_SECONDS,
	type WatchChoice,
} from '../persistence/watch/choice.ts';
import {readFindings, type WatchFindings} from '../persistence/watch/findings.ts';
import {isWatching} from '../persistence/watch/plan-watch.ts';
import {setWatch} from '../persistence/watch/set-watch.ts';
import {requireRoot} from './require-root.ts';

export type WatchFlags = {
	readonly repair?: boolean;
	readonly every?: string;
	readonly json?: boolean;
};

/**
 * `fw-wizard watch`: has the loaded rules watched, or says what was found.
 * @returns what to print, and whether nothing is wrong
 * @throws {InputError} @throws {HostError} where there is nothing to watch
 */
export async function watch(
	what: 'on' | 'off' | 'status' = 'status',
	{repair = false, every, json = false}: WatchFlags,
): Promise<{text: string; well: boolean}> {
	if (what !== 'on' && (repair || every !== undefined)) {
		throw new InputError(
			`${repair ? '--repair' : '--every'} says how the rules are watched`,
			'Write: fw-wizard watch on --repair --every 5min',
		);
	}

	requireRoot('fw-wizard watch');
	if (what !== 'status') {
		const on = what === 'on';
		await setWatch({
			on,
			repair,
			every: every === undefined ? USUAL_WATCH.every : parseEvery(every),
		});
	}

	const choice = readWatchChoice() ?? USUAL_WATCH;
	const now = {...choice, on: choice.on && isWatching()};
	const found = readFindings();
	const well = found.open.length === 0;
	return {
		well,
		text: json
			? `${JSON.stringify({...now, ...found, looked: found.looked?.toISOString()}, undefined, '\t')}\n`
			: `${[describeChoice(now), ...describeFindings(found)].join('\n')}\n`,
	};
}

function describeChoice({on, repair, every}: WatchChoice): string {
	const times = `every ${describeEvery(every)}`;
	return !on
		? 'The loaded rules are not watched. To have them watched: fw-wizard watch on'
		: `The loaded rules are watched: in the minutes after a boot, where they are loaded again if they are gone, and ${times}, where ${repair ? 'they are loaded again as well' : 'that is only told'}.`;
}

function describeFindings({
	open,
	since,
	repaired,
	repairs,
	looked,
}: WatchFindings): readonly string[] {
	return [
		...(looked === undefined ? [] : [`It has looked last at ${looked.toISOString()}.`]),
		...(open.length === 0
			? []
			: [`Wrong since ${since}:`, ...open.map((line) => `  ${line}`), 'See: fw-wizard check']),
		...(repaired === undefined
			? []
			: [`Repaired since the boot: ${repairs}. The last time: ${repaired}`]),
	];
}

/** The seconds of `5min`, `90s`, `1h`, or a number of seconds. @throws {InputError} */
function parseEvery(text: string): number {
	const [, count, unit = 's'] = /^(\d{1,4}) ?(s|sec|min|m|h)?$/.exec(text) ?? [];
	const seconds = Number(count) * (unit.startsWith('m') ? 60 : unit === 'h' ? 3600 : 1);
	const {least, most} = WATCH_SECONDS;
	if (count === undefined || seconds < least || seconds > most) {
		throw new InputError(
			`"${printable(text)}" is not a time between two looks`,
			'Write 1min to 60min, as in: fw-wizard watch on --every 5min',
		);
	}

	return seconds;
}
