import {WATCH_CHOICE_FILE} from '../../change/paths.ts';
import {readText} from '../../host/files/read-text.ts';

/** Whether and how the rules are watched: every so many seconds, and whether they are loaded again then. */
export type WatchChoice = {
	readonly on: boolean;
	readonly repair: boolean;
	readonly every: number;
	/** A program that gets what is found as JSON on its standard input. */
	readonly notify?: string;
	/** A file of metrics for the textfile collector of node_exporter. */
	readonly textfile?: string;
};

/** What holds where the user has not said anything. */
export const USUAL_WATCH: WatchChoice = {on: true, repair: false, every: 300};

/** Seconds between two looks: what cron(8) can say as well. */
export const WATCH_SECONDS = {least: 60, most: 3600} as const;

/** A path that the file of the choice, the script and a shell take as it is. */
export const PLAIN_PATH = /^\/[\w.,:@%+=/-]+$/;

/** The choice that the user made earlier, or undefined. */
export function readWatchChoice(): WatchChoice | undefined {
	return parseWatchChoice(readText(WATCH_CHOICE_FILE) ?? '');
}

/** What becomes of rules that something takes away at boot, by that choice: without a full stop. */
export function describeMeanwhile(): string {
	return (readWatchChoice() ?? USUAL_WATCH).on
		? 'ports are open then until the watch loads the rules again, 1 to 3 s'
		: 'the watch is off, so ports stay open then';
}

/** The choice as its file has it: `off 300`, `report 300`, `repair 60`; then lines `notify FILE`, `textfile FILE`. */
function parseWatchChoice(text: string): WatchChoice | undefined {
	const [, mode, seconds, notify, textfile] =
		/^(off|report|repair) (\d{1,4})\n(?:notify (\/\S+)\n)?(?:textfile (\/\S+)\n)?$/.exec(text) ??
		[];
	const every = Number(seconds);
	return mode === undefined || every < WATCH_SECONDS.least || every > WATCH_SECONDS.most
		? undefined
		: {on: mode !== 'off', repair: mode === 'repair', every, ...given({notify, textfile})};
}

/** The same choice as a text for its file. */
export function printWatchChoice({on, repair, every, ...paths}: WatchChoice): string {
	const lines = Object.entries(given(paths)).map(([key, file]) => `${key} ${file}\n`);
	return `${on ? (repair ? 'repair' : 'report') : 'off'} ${every}\n${lines.join('')}`;
}

/** In this order, without what is not given. */
function given({notify, textfile}: {notify?: string | undefined; textfile?: string | undefined}) {
	return {
		...(notify === undefined ? {} : {notify}),
		...(textfile === undefined ? {} : {textfile}),
	};
}

/** `5 minutes`, `90 seconds` */
export function describeEvery(seconds: number): string {
	const [count, unit] = seconds % 60 === 0 ? [seconds / 60, 'minute'] : [seconds, 'second'];
	return count === 1 ? unit : `${count} ${unit}s`;
}
