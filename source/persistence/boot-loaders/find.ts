import path from 'node:path';
import {forEachYielding} from '../../host/exec/yield.ts';
import {readText} from '../../host/files/read-text.ts';
import {findInstalledInits} from '../../host/machine/init-system.ts';
import type {Backend} from '../../ruleset/model.ts';
import {programOfService} from '../../services/known-programs/find.ts';
import type {InitSystemName} from '../init-system.ts';
import {type BootOrder, orderOfOpenrc, orderOfSysv, orderOfUnits} from './boot-order.ts';
import {findCloudCommands} from './cloud-init.ts';
import {findCronJobs} from './cron.ts';
import {followCommands, isInterpreter} from './follow.ts';
import {findHooks} from './hooks.ts';
import {
	findLocalScripts,
	findOpenrcServices,
	findSysvScripts,
	type StartedScript,
	startersOf,
} from './init-scripts.ts';
import {findInterfaceCommands} from './interfaces.ts';
import type {BootLoader, Starter} from './model.ts';
import {isRuleProgram} from './rule-command.ts';
import {restoresOf} from './saved-rules.ts';
import {readScript} from './script-file.ts';
import {findUdevCommands} from './udev.ts';
import {commandsOfUnit} from './unit-commands.ts';
import type {Unit} from './unit-files.ts';
import {readUnitOrder} from './unit-order.ts';

/** Files of fw-wizard, wherever an init system has them. */
const OWN = /(?:^|\/)fw-wizard[^/]*$/;

/**
 * Finds what else changes rules when this machine boots, in the order in which it does: saved rules of other
 * services, units of systemd, init scripts, scripts of network programs, cron, rc.local. Nothing is run; scripts
 * are followed into what they call. Known programs that make rules for their own use, as Docker, are left out.
 * @param init what boots the machine, and loads the rules of fw-wizard
 * @param backend the backend that the rules of fw-wizard are in
 */
export async function findBootLoaders(
	init: InitSystemName,
	backend: Backend,
): Promise<readonly BootLoader[]> {
	const {starters, order} = findStarters(init);
	const context = {backend, read: readText};
	const loaders: Array<BootLoader & {readonly place: number}> = [];
	await forEachYielding(starters, ({by, service, later, commands}) => {
		const lines = commands.filter(({file}) => !OWN.test(file));
		const {found, plain} = followCommands(lines, context);
		if (found.length > 0) {
			const when = later ? 'later' : init === 'none' ? 'unknown' : order.whenOf(service);
			loaders.push({by, when, plain, commands: found, place: order.placeOf(service)});
		}
	});
	return loaders.sort((left, right) => left.place - right.place);
}

function findStarters(init: InitSystemName): {
	readonly starters: readonly Starter[];
	readonly order: BootOrder;
} {
	const booted = init === 'none' || init === 'ifupdown' ? (findInstalledInits()[0] ?? init) : init;
	switch (booted) {
		case 'systemd':
			return ofSystemd();
		case 'openrc': {
			const services = findOpenrcServices();
			const runsLocal = services.some(({name}) => name === 'local');
			return {starters: ofScripts(services, runsLocal), order: orderOfOpenrc()};
		}
		default:
			return {starters: ofScripts(findSysvScripts(), false), order: orderOfSysv()};
	}
}

function ofSystemd() {
	// Its generator has systemd start rc.local where it can be run.
	const order = readUnitOrder(['fw-wizard.service', 'rc-local.service']);
	const units = [...order.units.values()]
		.filter(({name}) => name.endsWith('.service') && !OWN.test(name.replace(/\.service$/, '')))
		.map(startedBy);
	const triggered = order.later.map(({unit, by}) => ({
		...startedBy(unit),
		by: `${unit.name}, by ${by}`,
		later: true,
	}));
	const scripts = findSysvScripts().filter(({name}) => !isLeftOut(name));
	const replaced = (name: string) => order.knows(`${name}.service`);
	return {
		starters: [
			...units,
			...triggered,
			...startersOf(scripts, replaced),
			...ofNetwork(order.starts),
		],
		order: orderOfUnits(order),
	};
}

/** Whether an init script restores saved rules: one without any, of the same name, may be somebody's own. */
function isOfDistribution({name, file}: StartedScript): boolean {
	const restores = restoresOf(name);
	return (
		restores !== undefined &&
		(restores.commands.length > 0 || readScript(file, false)?.isService === true)
	);
}

/** Scripts of distributions that restore saved rules. */
const RESTORE_SCRIPT = /\/(?:netfilter-persistent|ip6?tables\.init|init\.d\/ip6?tables)\b/;

/**
 * What a unit does when it starts. Of known programs that is what the administrator adds; a distribution's
 * script that restores saved rules is read as what it does, and so is what cannot be read under its name.
 */
function startedBy(unit: Unit): Starter {
	const starter = commandsOfUnit(unit);
	const restores = restoresOf(unit.name);
	const commands =
		restores && !starter.commands.some(({text}) => isReadable(text))
			? restores.commands
			: starter.commands.flatMap((command) =>
					restores && RESTORE_SCRIPT.test(command.text) ? restores.commands : [command],
				);
	return programOfService(unit.name) === undefined
		? {...starter, commands}
		: {...starter, commands: commands.filter(({file}) => file.startsWith('/etc/'))};
}

/** Whether it can be read what a command does to rules: it is one of theirs, a script, or run by a shell. */
function isReadable(command: string): boolean {
	const [program = ''] = command.split(/\s+/);
	const name = path.basename(program);
	return isRuleProgram(name) || isInterpreter(name) || readScript(program, false) !== undefined;
}

function ofScripts(scripts: readonly StartedScript[], runsLocal: boolean): readonly Starter[] {
	const names = new Set(scripts.map(({name}) => `${name}.service`));
	const own = scripts.filter(({name}) => !isLeftOut(name) && name !== 'rc.local');
	const restores = own.flatMap(({name}) => restoresOf(name) ?? []);
	const others = own.filter((script) => !isOfDistribution(script));
	return [
		...restores,
		...startersOf(others),
		...findLocalScripts(runsLocal),
		...ofNetwork((service) => names.has(service)),
	];
}

function ofNetwork(starts: (service: string) => boolean): readonly Starter[] {
	return [
		...findInterfaceCommands(),
		...findHooks(starts),
		...findCronJobs(),
		...findCloudCommands(starts),
		...findUdevCommands(),
	];
}

/** What fw-wizard starts itself, and what the checklist knows otherwise. */
function isLeftOut(name: string): boolean {
	const service = path.extname(name) === '' ? `${name}.service` : name;
	return OWN.test(name.replace(/\.service$/, '')) || programOfService(service) !== undefined;
}
