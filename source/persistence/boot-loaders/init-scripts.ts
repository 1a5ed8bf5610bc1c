import path from 'node:path';
import {listFolder} from '../../host/files/read-text.ts';
import {quote} from '../../lib/shell-quote.ts';
import type {Starter} from './model.ts';
import {isExecutable} from './unit-order.ts';

/** A script that an init system starts; `place` is later for what starts later. */
export type StartedScript = {readonly name: string; readonly file: string; readonly place: number};

/** The scripts that sysvinit starts on the way to a runlevel with network (init(8), insserv(8)). */
export function findSysvScripts(): readonly StartedScript[] {
	return ['/etc', '/etc/rc.d'].flatMap((top) =>
		['S', '2', '3', '5'].flatMap((level, index) =>
			listFolder(`${top}/rc${level}.d`).flatMap((link) => {
				const [, number, name = ''] = /^S(\d\d)(.+)$/.exec(link) ?? [];
				const file = `/etc/init.d/${name}`;
				// Runlevels from 2 on exclude each other.
				const place = Math.min(index, 1) * 100 + Number(number);
				return number !== undefined && isExecutable(file) ? [{name, file, place}] : [];
			}),
		),
	);
}

/** The services that OpenRC starts, by their runlevels (rc-update(8)). */
export function findOpenrcServices(): readonly StartedScript[] {
	return ['sysinit', 'boot', 'default'].flatMap((level, place) =>
		listFolder(`/etc/runlevels/${level}`).map((name) => ({
			...{name, place},
			file: path.join('/etc/init.d', name),
		})),
	);
}

/**
 * What the scripts do. Those of systems, of which the file system shows no owner, are read like any other.
 * @param isReplaced whether a unit of systemd stands for the script
 */
export function startersOf(
	scripts: readonly StartedScript[],
	isReplaced: (name: string) => boolean = () => false,
): readonly Starter[] {
	const names = new Map(scripts.map((script) => [script.name, script]));
	return [...names.values()]
		.filter(({name}) => !isReplaced(name))
		.map(({name, file}) => ({
			by: file,
			service: `${name}.service`,
			commands: [{file, line: 1, text: `${quote(file)} start`}],
		}));
}

/** Scripts for what an administrator wants to be run at the end of the boot. */
export function findLocalScripts(runsLocal: boolean): readonly Starter[] {
	const rc = ['/etc/rc.local', '/etc/rc.d/rc.local']
		.filter(isExecutable)
		.map((file) => ({file, service: 'rc-local.service', by: 'rc.local'}));
	const local = runsLocal
		? listFolder('/etc/local.d')
				.filter((name) => name.endsWith('.start'))
				.sort()
				.map((name) => ({file: `/etc/local.d/${name}`, service: 'local.service', by: 'local'}))
				.filter(({file}) => isExecutable(file))
		: [];
	return [...rc, ...local].map(({file, ...starter}) => ({
		...starter,
		commands: [{file, line: 1, text: `${quote(file)} start`}],
	}));
}
