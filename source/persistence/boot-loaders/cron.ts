import path from 'node:path';
import {findProgram} from '../../host/exec/find-program.ts';
import {listFolder, readText} from '../../host/files/read-text.ts';
import type {CommandLine, Starter} from './model.ts';

/** What cron runs once when it starts, `@reboot`, and what it runs afterwards (crontab(5)). */
export function findCronJobs(): readonly Starter[] {
	const daemon = ['cron', 'crond', 'cronie', 'fcron'].find((name) => findProgram(name));
	if (daemon === undefined) {
		return [];
	}

	const inFolder = (folder: string) =>
		listFolder(folder)
			// As cron skips them: hidden files, and those that editors and dpkg leave.
			.filter((name) => /^[^.~#]/.test(name) && !/[~]$|\.(?:dpkg|rpm)\w*/.test(name))
			.sort()
			.map((name) => path.join(folder, name));
	const commands = [
		...['/etc/crontab', ...inFolder('/etc/cron.d')].flatMap((file) => jobsOf(file, true)),
		...['/var/spool/cron/crontabs', '/var/spool/cron', '/etc/crontabs']
			.flatMap(inFolder)
			.flatMap((file) => jobsOf(file, false)),
	];
	const service = daemon === 'crond' ? 'crond.service' : 'cron.service';
	return commands.map(({atBoot, ...command}) =>
		atBoot
			? {by: 'cron (@reboot)', service, commands: [command]}
			: {by: 'cron', service, later: true, commands: [command]},
	);
}

type CronJob = CommandLine & {readonly atBoot: boolean};

/**
 * Jobs of root: those of others may not change rules, but by sudo(8).
 * @param hasUser whether a user's name stands before each command
 */
function jobsOf(file: string, hasUser: boolean): readonly CronJob[] {
	const form = hasUser
		? /^\s*(@\w+|(?:[\w*][\w*/,~-]*\s+){5})\s*(\S+)\s+(.*)$/
		: /^\s*(@\w+|(?:[\w*][\w*/,~-]*\s+){5})\s*()(.*)$/;
	return (readText(file) ?? '').split('\n').flatMap((text, index) => {
		const [, when, user, command] = form.exec(text) ?? [];
		const isRoot = (hasUser ? user : path.basename(file)) === 'root';
		// Behind a percent sign stands what the command reads.
		return command === undefined || !(isRoot || /\b(?:sudo|doas)\b/.test(command))
			? []
			: [
					{
						...{file, line: index + 1, atBoot: when === '@reboot'},
						text: command.replace(/(?<!\\)%.*$/, '').replaceAll('\\%', '%'),
					},
				];
	});
}
