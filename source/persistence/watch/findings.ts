import {statSync} from 'node:fs';
import path from 'node:path';
import {readBootId} from '../../change/change-state.ts';
import {WATCH_STATE_DIR} from '../../change/paths.ts';
import {readText} from '../../host/files/read-text.ts';
import {printable} from '../../lib/printable.ts';

/** What the watch script has found since the boot, safe to print. */
export type WatchFindings = {
	/** What is wrong now, a line each; since when, UTC, ISO 8601. */
	readonly open: readonly string[];
	readonly since: string | undefined;
	/** The last repair: when, and what was mended. */
	readonly repaired: string | undefined;
	/** How often it has repaired. */
	readonly repairs: number;
	/** When it looked last, but for the minutes after the boot; undefined where it has not. */
	readonly looked: Date | undefined;
};

/** Reads what the watch script has written down (`keep` in tell-findings.ts). */
export function readFindings(): WatchFindings {
	const lines = (readText(path.join(WATCH_STATE_DIR, 'found')) ?? '').split('\n');
	const all = (key: string) =>
		lines
			.filter((line) => line.startsWith(`${key} `))
			.map((line) => printable(line.slice(key.length + 1), 400));
	const current = all('boot')[0] === readBootId();
	const [since] = all('since');
	const [repaired] = all('repaired');
	const looked = statSync(path.join(WATCH_STATE_DIR, 'looked'), {throwIfNoEntry: false});
	return {
		...(current
			? {open: all('open'), since, repaired, repairs: Number(all('total')[0]) || 0}
			: {open: [], since: undefined, repaired: undefined, repairs: 0}),
		looked: looked?.mtime,
	};
}
