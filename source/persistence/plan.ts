import {existsSync} from 'node:fs';
import {type FilePlan, isThere} from '../change/boot-files.ts';
import {BOOT_FILE, FLOOR_FILE, OLD_RULES_FILES, RESTORE_FILE} from '../change/paths.ts';
import {readText} from '../host/files/read-text.ts';
import {findInstalledInits} from '../host/machine/init-system.ts';
import {type Backend, programOfBackend} from '../host/netfilter/iptables.ts';
import type {Family} from '../lib/network.ts';
import {helperOf} from '../policy/helpers.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {ifupdown} from './init/ifupdown.ts';
import {openrc} from './init/openrc.ts';
import {systemd} from './init/systemd.ts';
import {sysvinit} from './init/sysvinit.ts';
import {type BootChoice, INIT_SYSTEM_NAMES, type InitSystem} from './init-system.ts';
import {printRestoreScript} from './restore-script.ts';
import {findUnsupported} from './unsupported.ts';
import {USUAL_WATCH} from './watch/choice.ts';
import {isWatching, planWatch, RECORD_WATCH} from './watch/plan-watch.ts';

/** How a change gets loaded at the next boot, and how an undo reverses that. */
export type Persistence = {
	/** What confirming the change does. */
	readonly keep: FilePlan;
	/** What an undo does beside restoring the files. */
	readonly undo: Omit<FilePlan, 'files'>;
};

const NOTHING: Omit<FilePlan, 'files'> = {before: [], after: []};

const INIT_SYSTEMS: readonly InitSystem[] = [systemd, openrc, sysvinit, ifupdown];

const NONE: InitSystem = {
	name: 'none',
	files: () => ({}),
	activate: NOTHING,
	findFault: () => undefined,
	deactivate: NOTHING,
};

/** The init system that loads the rules at boot: the user's choice, else the one that is detected. */
export function findInitSystem(choice = readChoice()): InitSystem | undefined {
	return choice === undefined || choice === 'auto'
		? detectInitSystem()
		: [...INIT_SYSTEMS, NONE].find(({name}) => name === choice);
}

/** The choice that the user made earlier, or undefined. */
export function readChoice(): BootChoice | undefined {
	const text = readText(BOOT_FILE)?.trim();
	return INIT_SYSTEM_NAMES.find((name) => name === text);
}

/** How this machine boots, or undefined where none of the init systems is one that fw-wizard knows. */
function detectInitSystem(): InitSystem | undefined {
	if (findUnsupported()) {
		return undefined;
	}

	const [best] = findInstalledInits();
	return INIT_SYSTEMS.find(({name}) => name === best);
}

/**
 * What confirming a change does so that the next boot loads the same rules.
 * @param choice the init system that the user names for this change
 */
export function planPersistence(
	compiled: CompiledPolicy,
	backend: Backend,
	choice = readChoice(),
): Persistence {
	const initSystem = findInitSystem(choice);
	if (!initSystem) {
		return {keep: {files: {}, ...NOTHING}, undo: NOTHING};
	}

	const said = choice !== undefined && choice !== 'auto';
	const programOf = (family: Family) => programOfBackend(family, backend);
	const planned = planBootFiles(initSystem, compiled, programOf);
	const watched = planWatch(initSystem, compiled.ruleSet, programOf);
	const before = existsSync(RESTORE_FILE) ? findInitSystem() : undefined;
	const leave = before === undefined || before === initSystem ? NOTHING : deactivation(before);
	const files = {...planned.files, ...watched.files};
	// The files of another init system must not stay: both would run.
	const left = [...filesOf(INIT_SYSTEMS), ...(said ? [] : [BOOT_FILE])].filter(
		(file) => !(file in files) && existsSync(file),
	);
	return {
		keep: {
			files: {
				...Object.fromEntries(left.map((file) => [file, null])),
				...(said ? {[BOOT_FILE]: {text: `${choice}\n`, mode: 0o644}} : {}),
				...files,
			},
			...inTurn(leave, planned, watched),
		},
		undo: before === undefined ? deactivation(initSystem) : undoTo(before, initSystem),
	};
}

/**
 * The same, without commands that tell the init system again what it knows: where its files are there unchanged, and
 * enabled. What an undo does stays whole: much may have happened until then.
 */
export function withoutRepetition({keep, undo}: Persistence, choice = readChoice()): Persistence {
	const initSystem = findInitSystem(choice);
	const own = initSystem === undefined ? [] : filesOf([initSystem]);
	const isKnown =
		keep.before.length === 0 &&
		own.every((file) => {
			const content = keep.files[file];
			return content === null ? !existsSync(file) : content !== undefined && isThere(file, content);
		}) &&
		initSystem?.again?.links.every((link) => existsSync(link));
	return isKnown && initSystem?.again !== undefined
		? {
				keep: {
					...keep,
					after: [
						...initSystem.again.after,
						...keep.after.filter((command) => command === RECORD_WATCH),
					],
				},
				undo,
			}
		: {keep, undo};
}

/** Commands of several plans, those of the first one first. */
export function inTurn(...plans: ReadonlyArray<Omit<FilePlan, 'files'>>): Omit<FilePlan, 'files'> {
	return {
		before: plans.flatMap(({before}) => before),
		after: plans.flatMap(({after}) => after),
	};
}

export function deactivation({deactivate, watch}: InitSystem): Omit<FilePlan, 'files'> {
	return inTurn(watch?.end ?? NOTHING, deactivate);
}

/** All files that init systems may have, beside the rules and the scripts. */
function filesOf(initSystems: readonly InitSystem[]): readonly string[] {
	return initSystems.flatMap(({files, watch}) => [
		...Object.keys(files([])),
		...Object.keys(watch?.files(USUAL_WATCH.every) ?? {}),
	]);
}

/** The commands with which an undo returns to the init system that was used before. */
function undoTo(before: InitSystem, initSystem: InitSystem): Omit<FilePlan, 'files'> {
	const watch = (isWatching() ? before.watch?.begin : before.watch?.end) ?? NOTHING;
	return before === initSystem
		? inTurn(initSystem.activate, watch)
		: inTurn(deactivation(initSystem), before.activate, watch);
}

/** The same for a machine that boots in a given way, with the iptables of each family that it has. */
export function planBootFiles(
	initSystem: InitSystem,
	{policy, ruleSet, floor}: CompiledPolicy,
	programOf: (family: Family) => string,
): FilePlan {
	const modules = policy.helpers.map((name) => helperOf(name).module);
	const floors = floor.families.map((rules) => ({
		family: rules.family,
		program: programOf(rules.family),
		rules,
		floor: rules,
	}));
	const families = floors.map((part) => ({
		...part,
		rules: ruleSet.families.find(({family}) => family === part.family) ?? part.floor,
	}));
	return {
		files: {
			[FLOOR_FILE]: {text: printRestoreScript(floors, []), mode: 0o600},
			// One file, so that one rename switches both families.
			[RESTORE_FILE]: {text: printRestoreScript(families, modules), mode: 0o600},
			...Object.fromEntries(OLD_RULES_FILES.map((file) => [file, null])),
			...initSystem.files(modules),
		},
		...initSystem.activate,
	};
}

/** The plan that removes the files of every init system. */
export function planRemoval(): FilePlan {
	const initSystem = findInitSystem();
	return removalOf(INIT_SYSTEMS, initSystem ? deactivation(initSystem) : NOTHING);
}

/** The plan that removes the files of some init systems. */
export function removalOf(
	initSystems: readonly InitSystem[],
	deactivate: Omit<FilePlan, 'files'>,
): FilePlan {
	return {
		files: Object.fromEntries(filesOf(initSystems).map((file) => [file, null])),
		...deactivate,
	};
}
