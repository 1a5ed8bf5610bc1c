import {listFolder, readText} from '../../host/files/read-text.ts';
import {quoteIfNeeded} from '../../lib/shell-quote.ts';
import type {CommandLine, Starter} from './model.ts';

const FOLDER = '/etc/cloud/cloud.cfg.d';
/** What the provider and the administrator gave, merged. */
const OF_INSTANCE = '/var/lib/cloud/instance/cloud-config.txt';
/** It was renamed in cloud-init 24.3. */
export const CLOUD_INIT_SERVICES = ['cloud-init.service', 'cloud-init-network.service'];

/**
 * What cloud-init runs at each boot: the commands of `bootcmd`. Those of `runcmd` run once in the life of a
 * machine.
 * @param starts whether a service starts at boot
 */
export function findCloudCommands(starts: (service: string) => boolean): readonly Starter[] {
	const service = CLOUD_INIT_SERVICES.find(starts);
	const files = listFolder(FOLDER)
		.filter((name) => name.endsWith('.cfg'))
		.sort()
		.map((name) => `${FOLDER}/${name}`);
	const commands =
		service === undefined
			? []
			: ['/etc/cloud/cloud.cfg', ...files, OF_INSTANCE].flatMap((file) =>
					bootCommandsIn(readText(file) ?? '').map((command) => ({file, ...command})),
				);
	return service === undefined || commands.length === 0
		? []
		: [{by: 'cloud-init (bootcmd)', service, commands}];
}

/** The items of the list `bootcmd`: each a line of a shell, or a list of words, in one line or several (YAML 1.2). */
function bootCommandsIn(text: string): ReadonlyArray<Omit<CommandLine, 'file'>> {
	const lines = text.split('\n');
	const from = lines.findIndex((line) => /^bootcmd:/.test(line));
	if (from === -1) {
		return [];
	}

	const length = lines.slice(from + 1).findIndex((line) => /^[^\s#-]/.test(line));
	const items = lines.slice(from + 1, length === -1 ? undefined : from + 1 + length);
	const indent = /^ */.exec(items.find((line) => /^ *- /.test(line)) ?? '')?.[0].length ?? 0;
	const starts = items.flatMap((line, at) =>
		line.startsWith(`${' '.repeat(indent)}- `) ? [at] : [],
	);
	return starts.map((start, at) => {
		const item = items.slice(start, starts[at + 1]).map((line) => line.slice(indent + 2));
		return {line: from + start + 2, text: commandOf(item)};
	});
}

function commandOf([first = '', ...more]: readonly string[]): string {
	const inline = /^\[(.*)\]\s*$/.exec(first)?.[1];
	if (inline !== undefined) {
		return inline.split(',').map(wordOf).join(' ');
	}

	if (first.startsWith('- ')) {
		const words = [first, ...more].filter((line) => line.startsWith('- '));
		return words.map((line) => wordOf(line.slice(2))).join(' ');
	}

	return /^[|>][+-]?\s*$/.test(first)
		? `\n${more.join('\n')}`
		: scalarOf([first, ...more].join(' '));
}

function wordOf(text: string): string {
	return quoteIfNeeded(scalarOf(text));
}

/** A value without its quotes. */
function scalarOf(text: string): string {
	return text.trim().replace(/^(["'])(.*)\1$/, '$2');
}
