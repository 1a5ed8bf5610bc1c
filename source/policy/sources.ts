import {InputError} from '../lib/errors.ts';
import {type Network, parseNetwork, prefixBits, printNetwork} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';

/** Networks with a name, by which openings are for all of them: `443/tcp from @office`. */
export type SourceGroup = {
	readonly name: string;
	/** At least one, none within another. */
	readonly networks: readonly Network[];
	/** The file that they were read from when the policy was made: an absolute path. */
	readonly file?: string;
};

/** An address, a network or a group of them. */
export type Source = Network | SourceGroup;

/** The sources that an opening is for, of either family: at least one, no network within another one. */
export type Sources = readonly Source[];

/**
 * The name of a group. It begins with a letter, unlike the numbers of unnamed lists, and has at most 13 characters:
 * the name of its chain, FW-WIZARD-FROM-NAME, has at most 28 (XT_EXTENSION_MAXNAMELEN).
 */
export const GROUP_NAME = /^[a-z](?:[a-z\d-]{0,11}[a-z\d])?$/;

/** How a group is defined on the command line. */
export const GROUP_FORMS =
	'Write --source office=198.51.100.0/24,2001:db8::/32, or the path of a file with one network a line: --source cdn=./cdn.txt';

export function isNamed(source: Source): source is SourceGroup {
	return 'name' in source;
}

/** All networks of sources, those of groups included. */
export function networksOf(from: Sources): readonly Network[] {
	return from.flatMap((source) => (isNamed(source) ? source.networks : [source]));
}

/**
 * What a source contains, as text: one contains another where the other one's text begins with its own. A group
 * contains itself alone: its networks can change. Without a source it is empty.
 */
export function sourceBits(source: Source | undefined): string {
	return source !== undefined && isNamed(source) ? `@${source.name} ` : prefixBits(source);
}

/** Whether one source is another one or a part of it. A group is a part of no network. */
export function isWithin(inner: Source, outer: Source): boolean {
	return sourceBits(inner).startsWith(sourceBits(outer));
}

/** `@office`, or a network as a person writes it. */
export function printSource(source: Source): string {
	return isNamed(source) ? `@${source.name}` : printNetwork(source);
}

/**
 * A group, without networks that another one of it contains.
 * @throws {InputError} for a name that is none, and where there is no network
 */
export function makeGroup(name: string, networks: readonly Network[], file?: string): SourceGroup {
	if (!GROUP_NAME.test(name)) {
		throw new InputError(
			`"${printable(name)}" is no name of a group of sources`,
			'Write a letter, then at most 12 more letters (a to z), digits or dashes, as in office or cdn-2',
		);
	}

	if (networks.length === 0) {
		throw new InputError(
			`The group ${name} has no network${file === undefined ? '' : `: ${printable(file, 200)} is empty`}`,
			GROUP_FORMS,
		);
	}

	const all = new Map(networks.map((network) => [prefixBits(network), network]));
	const isContained = (bits: string) =>
		Array.from({length: bits.length - 1}, (_, length) => bits.slice(0, length + 1)).some((outer) =>
			all.has(outer),
		);
	const outermost = [...all].filter(([bits]) => !isContained(bits));
	return {
		name,
		networks: outermost.map(([, network]) => network),
		...(file === undefined ? {} : {file}),
	};
}

/**
 * Reads the text of a group's file: one address or network a line; # begins a comment.
 * @throws {InputError} that names the file and the line
 */
export function parseGroupFile(text: string, file: string): readonly Network[] {
	return text
		.replace(/^\uFEFF/, '')
		.split('\n')
		.flatMap((line, index) => {
			const word = line.replace(/#.*/s, '').trim();
			try {
				return word === '' ? [] : [parseNetwork(word)];
			} catch (error) {
				throw error instanceof InputError
					? new InputError(
							`${printable(file, 200)}, line ${index + 1}: ${error.message}`,
							'Write one address or network a line; # begins a comment',
						)
					: error;
			}
		});
}

/** A group as its flag has it: `office=198.51.100.0/24,2001:db8::/32`, or `cdn=/etc/cdn.txt`. */
export function printGroupFlag({name, networks, file}: SourceGroup): string {
	return `${name}=${file ?? networks.map(printNetwork).join(',')}`;
}

/** The group of a name, as openings have it: `@office`. @throws {InputError} where there is none */
export function findGroup(word: string, groups: readonly SourceGroup[]): SourceGroup {
	const name = word.slice(1).toLowerCase();
	const found = groups.find((group) => group.name === name);
	if (found === undefined) {
		const known = groups.map((group) => `@${group.name}`).join(', ');
		throw new InputError(
			`The policy has no group of sources ${printable(word)}`,
			known === '' ? GROUP_FORMS : `Its groups: ${known}. ${GROUP_FORMS}`,
		);
	}

	return found;
}

/** Groups of several lists by their names, in order. Of one name the last counts. */
export function mergeGroups(
	...lists: ReadonlyArray<readonly SourceGroup[] | undefined>
): readonly SourceGroup[] {
	const groups = new Map(lists.flatMap((list = []) => list.map((group) => [group.name, group])));
	return [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The same sources with the networks that these groups have now. */
export function withGroups(from: Sources, groups: readonly SourceGroup[]): Sources {
	return from.some(isNamed)
		? from.map((source) =>
				isNamed(source) ? (groups.find(({name}) => name === source.name) ?? source) : source,
			)
		: from;
}
