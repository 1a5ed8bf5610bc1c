import {uptime} from 'node:os';
import {isEnabled} from '../host/machine/systemd.ts';
import {commandLine} from '../lib/command-line.ts';
import {findInitSystem} from '../persistence/plan.ts';
import {describeEvery, readWatchChoice, USUAL_WATCH} from '../persistence/watch/choice.ts';
import {readFindings} from '../persistence/watch/findings.ts';
import {isWatching} from '../persistence/watch/plan-watch.ts';
import {WATCH_TIMER, WATCH_UNIT} from '../persistence/watch/systemd-units.ts';
import {type Item, mendable, ok, open} from './checklist-item.ts';

const ID = 'watch';

/** The item of the watch over the loaded rules: whether it is on, and what it has found since the boot. */
export async function checkWatch(): Promise<readonly Item[]> {
	const initSystem = findInitSystem();
	if (initSystem?.watch === undefined) {
		return [];
	}

	const choice = readWatchChoice() ?? USUAL_WATCH;
	const title = `the loaded rules are watched: after a boot, and every ${describeEvery(choice.every)}`;
	if (!choice.on || !isWatching()) {
		const cause = choice.on ? 'they are not' : 'you have switched it off';
		return [open(ID, title, cause, commandLine('watch on'))];
	}

	if (initSystem.name === 'systemd') {
		for (const unit of [WATCH_UNIT, WATCH_TIMER]) {
			if (!(await isEnabled(unit))) {
				return [mendable(ID, title, `${unit} is not enabled`)];
			}
		}
	}

	const {open: wrong, since, repaired, repairs, looked} = readFindings();
	const times = repairs === 1 ? 'once' : `${repairs} times`;
	const found = [
		...(wrong.length === 0 ? [] : [`wrong since ${since}: ${wrong.join('; ')}`]),
		...(repaired === undefined ? [] : [`repaired ${times} since the boot, last at ${repaired}`]),
	];
	if (found.length > 0) {
		return [
			open(
				ID,
				title,
				found.join('. '),
				wrong.length > 0
					? `${commandLine('check --fix')}; what belongs to others: remove it, or count it as meant with: ${commandLine('watch on')}`
					: `Find what does it, and have it end before fw-wizard loads the rules. To forget it: ${commandLine('watch on')}`,
			),
		];
	}

	// It looks each few minutes, but not while a change waits.
	const silent = looked !== undefined && Date.now() - looked.getTime() > 4 * choice.every * 1000;
	return silent && uptime() > 4 * choice.every
		? [open(ID, title, `it has looked last at ${looked.toISOString()}`, commandLine('watch on'))]
		: [ok(ID, title)];
}
