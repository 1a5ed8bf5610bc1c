import {lstatSync, statSync} from 'node:fs';
import path from 'node:path';
import {readText} from '../host/files/read-text.ts';
import {findUntrusted} from '../host/files/trust.ts';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {printJson} from '../lib/json.ts';
import {printable} from '../lib/printable.ts';
import {
	describeEvery,
	PLAIN_PATH,
	readWatchChoice,
	USUAL_WATCH,
	WATCH_SECONDS,
	type WatchChoice,
} from '../persistence/watch/choice.ts';
import {readFindings, type WatchFindings} from '../persistence/watch/findings.ts';
import {METRICS_HEAD} from '../persistence/watch/pass-on-findings.ts';
import {isWatching} from '../persistence/watch/plan-watch.ts';
import {setWatch} from '../persistence/watch/set-watch.ts';
import {requireRoot} from './require-root.ts';
import type {Output} from './run-action.ts';

type WatchFlags = {
	readonly repair?: boolean;
	readonly every?: string;
	/** False: no longer. */
	readonly notify?: string | false;
	readonly textfile?: string | false;
	readonly json?: boolean;
};

/**
 * `fw-wizard watch`: has the loaded rules watched, or says what was found.
 * @returns what to print, and 0 where nothing is wrong, otherwise 1
 * @throws {InputError} @throws {HostError} where there is nothing to watch
 */
export async function watch(
	what: 'on' | 'off' | 'status' = 'status',
	{json = false, ...flags}: WatchFlags,
): Promise<Output> {
	const flag = (['repair', 'every', 'notify', 'textfile'] as const).find((name) => name in flags);
	if (what !== 'on' && flag !== undefined) {
		throw new InputError(
			`--${flag} says how the rules are watched`,
			`Write: ${commandLine('watch on --repair --every 5min')}`,
		);
	}

	requireRoot('watch');
	if (what !== 'status') {
		await setWatch(chooseWatch(what === 'on', flags));
	}

	const choice = readWatchChoice() ?? USUAL_WATCH;
	const now = {...choice, on: choice.on && isWatching()};
	const found = readFindings();
	return {
		code: found.open.length === 0 ? 0 : 1,
		text: json
			? printJson({...now, ...found, looked: found.looked?.toISOString()})
			: `${[...describeChoice(now), ...describeFindings(found)].join('\n')}\n`,
	};
}

/** What the flags say, and for the rest what was said before. @throws {InputError} */
function chooseWatch(on: boolean, {repair, every, notify, textfile}: WatchFlags): WatchChoice {
	const before = readWatchChoice() ?? USUAL_WATCH;
	const [program, file] = [notify ?? before.notify, textfile ?? before.textfile];
	return {
		on,
		repair: repair ?? before.repair,
		every: every === undefined ? before.every : parseEvery(every),
		...(program ? {notify: notify ? parseProgram(notify) : program} : {}),
		...(file ? {textfile: textfile ? parseTextfile(textfile) : file} : {}),
	};
}

function describeChoice({on, repair, every, notify, textfile}: WatchChoice): readonly string[] {
	const times = `every ${describeEvery(every)}`;
	return !on
		? [`The loaded rules are not watched. To have them watched: ${commandLine('watch on')}`]
		: [
				`The loaded rules are watched: in the minutes after a boot, where they are loaded again if they are gone, and ${times}, where ${repair ? 'they are loaded again as well' : 'that is only told'}.`,
				...(notify === undefined
					? []
					: [`${notify} is run when something is wrong, at most once an hour for the same.`]),
				...(textfile === undefined ? [] : [`Metrics for Prometheus: ${textfile}`]),
			];
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
			: [
					`Wrong since ${since}:`,
					...open.map((line) => `  ${line}`),
					`See: ${commandLine('check')}`,
				]),
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
			`Write 1min to 60min, as in: ${commandLine('watch on --every 5min')}`,
		);
	}

	return seconds;
}

/** A program that only root may change, and the folders above it. @throws {InputError} */
function parseProgram(file: string): string {
	const found = PLAIN_PATH.test(file) ? statSync(file, {throwIfNoEntry: false}) : undefined;
	const untrusted = found && findUntrusted(file);
	if (untrusted !== undefined) {
		const {file: culprit, fault} = untrusted;
		throw new InputError(
			`${culprit} ${fault}: as root it is not run`,
			`chown root: ${culprit} && chmod go-w ${culprit}`,
		);
	}

	if (found?.isFile() !== true || (found.mode & 0o100) === 0) {
		throw new InputError(
			`"${printable(file)}" is not a program that --notify can run`,
			'Name an executable file by its absolute path, without arguments and without spaces',
		);
	}

	return file;
}

/** A file that may be made or replaced. @throws {InputError} */
function parseTextfile(file: string): string {
	const folder = statSync(path.dirname(file), {throwIfNoEntry: false});
	if (!PLAIN_PATH.test(file) || !file.endsWith('.prom') || !folder?.isDirectory()) {
		throw new InputError(
			`"${printable(file)}" is not a file of metrics`,
			'Name a file in the folder of the textfile collector, as /var/lib/prometheus/node-exporter/fw-wizard.prom',
		);
	}

	const found = lstatSync(file, {throwIfNoEntry: false});
	if (found && !(found.isFile() && readText(file)?.startsWith(METRICS_HEAD))) {
		throw new InputError(
			`${file} exists and is not of fw-wizard`,
			'Name another file, or remove this one',
		);
	}

	return file;
}
