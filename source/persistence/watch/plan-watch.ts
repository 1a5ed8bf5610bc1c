import {existsSync} from 'node:fs';
import type {Command, FilePlan} from '../../change/boot-files.ts';
import {WATCH_CHOICE_FILE, WATCH_FILE} from '../../change/paths.ts';
import type {Family} from '../../lib/network.ts';
import {OWN_CHAINS, type RuleSet} from '../../ruleset/model.ts';
import type {InitSystem, Watch} from '../init-system.ts';
import {printWatchChoice, readWatchChoice, USUAL_WATCH, type WatchChoice} from './choice.ts';
import {printWatchScript} from './watch-script.ts';

/** Writes down what is loaded now: what confirming a change does last. */
export const RECORD_WATCH: Command = ['sh', WATCH_FILE, 'record'];

/**
 * What watching over the loaded rules needs, or what ends it.
 * @param choice what the user says now; by default, what was said earlier
 */
export function planWatch(
	{watch}: InitSystem,
	ruleSet: RuleSet,
	programOf: (family: Family) => string,
	choice?: WatchChoice,
): FilePlan {
	const {on, every} = choice ?? readWatchChoice() ?? USUAL_WATCH;
	const said: FilePlan['files'] =
		choice === undefined
			? {}
			: {[WATCH_CHOICE_FILE]: {text: printWatchChoice(choice), mode: 0o644}};
	if (!on || watch === undefined) {
		const end = endWatch(watch);
		return {...end, files: {...end.files, ...said}};
	}

	const begin = beginWatch(watch, every, ruleSet, programOf);
	return {...begin, files: {...said, ...begin.files}};
}

/** What begins to watch, with a look every so many seconds. */
export function beginWatch(
	watch: Watch,
	every: number,
	ruleSet: RuleSet,
	programOf: (family: Family) => string,
): FilePlan {
	const files = watch.files(every);
	const families = ruleSet.families.map(({family, tables}) => ({
		family,
		program: programOf(family),
		tables: [...new Set(OWN_CHAINS.map(({table}) => table))].filter((table) =>
			tables.some(({name}) => name === table),
		),
	}));
	const goesOn = Object.keys(files).length === 0;
	return {
		files: {
			[WATCH_FILE]: {text: printWatchScript(families, watch.service, goesOn), mode: 0o600},
			...files,
		},
		before: watch.begin.before,
		after: [...watch.begin.after, RECORD_WATCH],
	};
}

/** What ends watching: its files go, but for what the user has chosen. */
export function endWatch(watch: Watch | undefined): FilePlan {
	const files = [WATCH_FILE, ...Object.keys(watch?.files(USUAL_WATCH.every) ?? {})];
	const {before, after} = (isWatching() ? watch?.end : undefined) ?? {before: [], after: []};
	return {files: Object.fromEntries(files.map((file) => [file, null])), before, after};
}

/** A plan without what counts the rules that are loaded now as confirmed. */
export function withoutRecord(plan: FilePlan): FilePlan {
	return {...plan, after: plan.after.filter((command) => command !== RECORD_WATCH)};
}

/** Whether the rules are watched now. */
export function isWatching(): boolean {
	return existsSync(WATCH_FILE);
}
