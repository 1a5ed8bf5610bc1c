import path from 'node:path';
import {findProgram} from '../../host/exec/find-program.ts';
import {listFolder, readText} from '../../host/files/read-text.ts';
import type {CommandLine, Starter} from './model.ts';

/** A name in an earlier folder replaces the same name in a later one (udev(7)). */
const FOLDERS = [
	...['/etc/udev/rules.d', '/run/udev/rules.d', '/usr/local/lib/udev/rules.d'],
	...['/usr/lib/udev/rules.d', '/lib/udev/rules.d'],
];

/** Keys whose value is a command line, and not a command that udev has built in. */
const COMMAND =
	/\b(?:RUN(?:\{program\})?\s*\+?:?=|PROGRAM\s*=?=|IMPORT\{program\}\s*=?=)\s*e?"((?:[^"\\]|\\.)*)"/g;

/** What udev runs when a device comes, such as a network card: at boot, and at any time after it. */
export function findUdevCommands(): readonly Starter[] {
	if (findProgram('udevadm') === undefined) {
		return [];
	}

	const files = new Map<string, string>();
	for (const folder of FOLDERS) {
		for (const name of listFolder(folder).filter((one) => one.endsWith('.rules'))) {
			files.set(name, files.get(name) ?? path.join(folder, name));
		}
	}

	const commands = [...files.values()].sort().flatMap(commandsIn);
	// No service: what a device brings about comes behind all that waits for none.
	return commands.map((command) => ({by: 'udev', service: '', commands: [command]}));
}

function commandsIn(file: string): readonly CommandLine[] {
	return (readText(file) ?? '').split('\n').flatMap((text, index) =>
		/^\s*#/.test(text)
			? []
			: [...text.matchAll(COMMAND)].map(([, command = '']) => ({
					...{file, line: index + 1},
					text: command.replaceAll('\\"', '"'),
				})),
	);
}
