import path from 'node:path';
import {findProgram} from '../../host/exec/find-program.ts';
import {listFolder, readText} from '../../host/files/read-text.ts';
import {globToRegExp} from '../../lib/glob.ts';
import type {CommandLine, Starter} from './model.ts';

const FILE = '/etc/network/interfaces';
const SERVICE = 'networking.service';
const MOST_FILES = 100;

/** Commands of ifupdown in its files (interfaces(5)). */
export function findInterfaceCommands(): readonly Starter[] {
	if (findProgram('ifup') === undefined) {
		return [];
	}

	const lines = readFiles([FILE], new Set());
	const of = (...names: readonly string[]): readonly CommandLine[] =>
		lines.flatMap(({option, ...line}) => (names.includes(option) ? [line] : []));
	return [
		{by: 'ifupdown', service: SERVICE, commands: of('pre-up', 'up', 'post-up')},
		{
			by: 'ifupdown, when an interface goes down',
			service: SERVICE,
			later: true,
			commands: of('down', 'pre-down', 'post-down'),
		},
	];
}

type OptionLine = CommandLine & {readonly option: string};

function readFiles(files: readonly string[], seen: Set<string>): readonly OptionLine[] {
	return files.flatMap((file) => {
		if (seen.has(file) || seen.size >= MOST_FILES) {
			return [];
		}

		seen.add(file);
		return joinLines(readText(file) ?? '').flatMap(({line, text}) => {
			const [, option = '', rest = ''] = /^\s*([\w-]+)\s+(.*?)\s*$/.exec(text) ?? [];
			if (option === 'source' || option === 'source-directory') {
				return readFiles(filesOf(option, path.resolve(path.dirname(file), rest)), seen);
			}

			return /^(?:pre-|post-)?(?:up|down)$/.test(option) ? [{file, line, option, text: rest}] : [];
		});
	});
}

function filesOf(option: string, named: string): readonly string[] {
	const [folder, names] =
		option === 'source'
			? [path.dirname(named), globToRegExp(path.basename(named))]
			: // As run-parts(8) takes them.
				[named, /^[\w-]+$/];
	return listFolder(folder)
		.filter((name) => names.test(name))
		.sort()
		.map((name) => path.join(folder, name));
}

/** Lines with those that a backslash continues, without comments. */
function joinLines(text: string): ReadonlyArray<{readonly line: number; readonly text: string}> {
	let joined = '';
	let begin: number | undefined;
	return text.split('\n').flatMap((text, index) => {
		begin ??= index + 1;
		joined += text.replace(/\\$/, ' ');
		if (text.endsWith('\\')) {
			return [];
		}

		const whole = {line: begin, text: joined};
		[joined, begin] = ['', undefined];
		return /^\s*(?:#|$)/.test(whole.text) ? [] : [whole];
	});
}
