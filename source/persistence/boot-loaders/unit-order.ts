import {accessSync, constants, existsSync, statSync} from 'node:fs';
import {type Unit, UnitFiles, valuesOf, wordsOf} from './unit-files.ts';

/** What systemd starts when the machine boots, and in which order (systemd.unit(5), bootup(7)). */
export type UnitOrder = {
	readonly units: ReadonlyMap<string, Unit>;
	/** Whether a unit starts at boot, by any of its names. */
	readonly starts: (name: string) => boolean;
	/** Whether there is a unit of this name, or a mask that forbids it. */
	readonly knows: (name: string) => boolean;
	/** Services that do not start at boot, but by a timer or a path afterwards. */
	readonly later: ReadonlyArray<{readonly unit: Unit; readonly by: string}>;
	/** Whether one waits for the other; both start at boot. */
	readonly isAfter: (name: string, other: string) => boolean;
};

const PULLS = ['Wants', 'Requires', 'BindsTo', 'Upholds'];
/** A unit that nothing starts is no problem to look at, and thousands would be one. */
const MOST_UNITS = 2000;

/**
 * Reads the units that the next boot starts from their files.
 * @param also units that count as started, as they are about to be enabled
 */
export function readUnitOrder(also: readonly string[] = []): UnitOrder {
	const files = new UnitFiles();
	const units = new Map<string, Unit>();
	const waiting = ['default.target', ...also];
	for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
		const unit = files.read(name);
		if (
			units.has(unit.name) ||
			units.size >= MOST_UNITS ||
			unit.state !== 'there' ||
			!isMet(unit)
		) {
			continue;
		}

		units.set(unit.name, unit);
		waiting.push(...PULLS.flatMap((key) => wordsOf(unit, key)), ...unit.linked);
		waiting.push(...defaultsOf(unit).pulls, ...triggeredBy(unit));
	}

	const before = predecessorsOf(units, files);
	const isAfter = (name: string, other: string) => {
		const [from, to] = [files.nameOf(name), files.nameOf(other)];
		const seen = new Set([from]);
		for (const one of seen) {
			for (const next of before.get(one) ?? []) {
				if (next === to) {
					return true;
				}

				seen.add(next);
			}
		}

		return false;
	};
	const later = [...units.values()].flatMap(({name: by, settings}) =>
		/\.(?:timer|path)$/.test(by)
			? [startedBy({name: by, settings})]
					.map((name) => files.read(name))
					.filter(({name, state}) => state === 'there' && !units.has(name))
					.map((unit) => ({unit, by}))
			: [],
	);
	return {
		units,
		later,
		starts: (name) => units.has(files.nameOf(name)),
		knows: (name) => files.read(name).state !== 'absent',
		isAfter,
	};
}

/** The units that each waits for. */
function predecessorsOf(
	units: ReadonlyMap<string, Unit>,
	files: UnitFiles,
): ReadonlyMap<string, ReadonlySet<string>> {
	const before = new Map<string, Set<string>>([...units.keys()].map((name) => [name, new Set()]));
	const order = (earlier: string, later: string) => {
		const [first, second] = [files.nameOf(earlier), files.nameOf(later)];
		if (first !== second && units.has(first)) {
			before.get(second)?.add(first);
		}
	};
	for (const unit of units.values()) {
		for (const name of [...wordsOf(unit, 'After'), ...defaultsOf(unit).after]) {
			order(name, unit.name);
		}

		for (const name of [...wordsOf(unit, 'Before'), ...defaultsOf(unit).before]) {
			order(unit.name, name);
		}

		for (const name of triggeredBy(unit)) {
			order(unit.name, name);
		}
	}

	// A target waits for what it starts, unless one of both asks for no such order.
	for (const unit of units.values()) {
		if (unit.name.endsWith('.target') && hasDefaults(unit)) {
			for (const name of [...PULLS.flatMap((key) => wordsOf(unit, key)), ...unit.linked]) {
				const pulled = units.get(files.nameOf(name));
				if (pulled && hasDefaults(pulled) && !before.get(pulled.name)?.has(unit.name)) {
					order(name, unit.name);
				}
			}
		}
	}

	return before;
}

function hasDefaults(unit: Unit): boolean {
	const value = valuesOf(unit, 'Unit', 'DefaultDependencies').at(-1)?.value;
	return !/^(?:no|false|off|0)$/i.test(value ?? '');
}

type Defaults = {
	readonly pulls: readonly string[];
	readonly after: readonly string[];
	readonly before: readonly string[];
};

/** What systemd adds by itself (systemd.service(5) and so on, "Default Dependencies"). */
function defaultsOf(unit: Unit): Defaults {
	const type = unit.name.split('.').at(-1) ?? '';
	const nothing = {pulls: [], after: [], before: []};
	if (!hasDefaults(unit)) {
		return nothing;
	}

	const SYSINIT = 'sysinit.target';
	switch (type) {
		case 'service':
			return {pulls: [SYSINIT], after: [SYSINIT, 'basic.target'], before: []};
		case 'socket':
		case 'timer':
		case 'path':
			return {pulls: [SYSINIT], after: [SYSINIT], before: [`${type}s.target`]};
		default:
			return nothing;
	}
}

/** Timers that fire because the machine has booted, and the service that they then start. */
function triggeredBy(unit: Unit): readonly string[] {
	const BOOT = ['OnBootSec', 'OnStartupSec', 'OnActiveSec'];
	const isTimer = unit.name.endsWith('.timer');
	return isTimer && BOOT.some((key) => valuesOf(unit, 'Timer', key).length > 0)
		? [startedBy(unit)]
		: [];
}

/** The unit that a timer or a path starts. */
function startedBy({name, settings}: Pick<Unit, 'name' | 'settings'>): string {
	const named = settings.findLast(({key}) => key === 'Unit')?.value;
	return named ?? name.replace(/\.\w+$/, '.service');
}

const CONDITIONS: Readonly<Record<string, (file: string) => boolean>> = {
	ConditionPathExists: existsSync,
	ConditionFileNotEmpty: (file) => (statSync(file, {throwIfNoEntry: false})?.size ?? 0) > 0,
	ConditionFileIsExecutable: isExecutable,
};

/** Whether its conditions hold, of those that files decide: one with "|" is enough of its kind. */
function isMet(unit: Unit): boolean {
	const conditions = Object.entries(CONDITIONS).flatMap(([key, holds]) =>
		valuesOf(unit, 'Unit', key).map(({value}) => {
			const [, trigger, not, file = ''] = /^(\|?)(!?)(.*)$/.exec(value) ?? [];
			// What lies in memory may not be there yet.
			const unseen = /^\/(?:run|proc|sys|dev)\//.test(file) || file.includes('*');
			return {trigger: trigger === '|', holds: unseen || holds(file) !== (not === '!')};
		}),
	);
	const triggers = conditions.filter(({trigger}) => trigger);
	return (
		conditions.every(({trigger, holds}) => trigger || holds) &&
		(triggers.length === 0 || triggers.some(({holds}) => holds))
	);
}

/** Whether root may run a file. */
export function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return statSync(file).isFile();
	} catch {
		return false;
	}
}
