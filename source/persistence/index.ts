import {existsSync} from 'node:fs';
import type {Keeping} from '../change/kept-files.ts';
import {RESTORE_FILE, RULES_FILES} from '../change/paths.ts';
import {type Backend, programOf} from '../host/iptables.ts';
import {findProgram} from '../host/run.ts';
import {helperOf} from '../policy/helpers.ts';
import type {Family} from '../policy/network.ts';
import type {Policy} from '../policy/policy.ts';
import {buildRuleSet} from '../ruleset/build.ts';
import {printRestore} from '../ruleset/print.ts';
import type {RuleSet} from '../ruleset/ruleset.ts';
import {ifupdown} from './ifupdown.ts';
import {openrc} from './openrc.ts';
import {printRestoreScript} from './restore-script.ts';
import {systemd} from './systemd.ts';
import type {Way} from './way.ts';

const NOTHING: Omit<Keeping, 'files'> = {before: [], after: []};

const WAYS: readonly Way[] = [systemd, openrc, ifupdown];

/** How this machine boots, or undefined where none of our ways works. */
export function findWay(): Way | undefined {
	if (existsSync('/etc/NIXOS') || existsSync('/etc/openwrt_release')) {
		return undefined;
	}

	const signs = {
		// Also where systemd is installed and does not run now, as in a rehearsal.
		systemd: findProgram('systemctl') !== undefined,
		openrc: findProgram('openrc-run') !== undefined,
		ifupdown: existsSync('/etc/network/if-pre-up.d'),
	};
	return WAYS.find(({name}) => signs[name]);
}

/** What keeping a change does so that the next boot loads the same rules. */
export function planPersistence(
	policy: Policy,
	ruleSet: RuleSet,
	backend: Backend,
): {readonly keep: Keeping; readonly undo: Omit<Keeping, 'files'>} {
	const way = findWay();
	return way
		? {
				keep: planBoot(way, policy, ruleSet, (family) => programFor(family, backend)),
				undo: existsSync(RESTORE_FILE) ? way.activate : way.deactivate,
			}
		: {keep: {files: {}, ...NOTHING}, undo: NOTHING};
}

/** The same for a machine that boots in a given way, with the iptables of each family that it has. */
export function planBoot(
	way: Way,
	policy: Policy,
	ruleSet: RuleSet,
	programOf: (family: Family) => string,
): Keeping {
	const modules = policy.helpers.map((name) => helperOf(name).module);
	const floors = buildRuleSet(floorOf(policy), {
		families: ruleSet.families.map(({family}) => family),
		plain: true,
	});
	const script = printRestoreScript(
		floors.families.map((rules) => ({
			family: rules.family,
			program: programOf(rules.family),
			file: RULES_FILES[rules.family],
			floor: printRestore(rules),
		})),
		modules,
	);
	const rules = ruleSet.families.map((family) => [
		RULES_FILES[family.family],
		{text: printRestore(family), mode: 0o600},
	]);
	return {
		files: {
			...Object.fromEntries(rules),
			[RESTORE_FILE]: {text: script, mode: 0o755},
			...way.files(modules),
		},
		...way.activate,
	};
}

/** Takes away what any of our ways has put on the machine. */
export function planRemoval(): Keeping {
	return removalOf(WAYS, findWay()?.deactivate ?? NOTHING);
}

/** Takes away what some ways put on a machine. */
export function removalOf(ways: readonly Way[], deactivate: Omit<Keeping, 'files'>): Keeping {
	const files = ways.flatMap((way) => Object.keys(way.files([])));
	return {files: Object.fromEntries(files.map((file) => [file, null])), ...deactivate};
}

/** What must hold even when a match, a target or a helper is gone: nothing optional is asked for. */
function floorOf(policy: Policy): Policy {
	return {
		...policy,
		helpers: [],
		log: false,
		openings: policy.openings.map((opening) =>
			opening.kind === 'port' ? {...opening, limit: false} : opening,
		),
	};
}

/** The program of the very backend in use: what `iptables` means can be switched before the boot. */
function programFor(family: Family, backend: Backend): string {
	const generic = programOf(family);
	return findProgram(`${generic}-${backend}`) ?? findProgram(generic) ?? generic;
}
