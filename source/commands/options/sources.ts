import path from 'node:path';
import {Option} from 'commander';
import {readGroup} from '../../host/files/group-file.ts';
import {InputError} from '../../lib/errors.ts';
import {type Network, parseNetwork} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {GROUP_FORMS, makeGroup, type SourceGroup} from '../../policy/sources.ts';
import {repeatable} from './words.ts';

/** The flag that defines a group of sources. */
export function sourceOption(): Option {
	return repeatable(
		new Option(
			'--source <name=list>',
			'networks for openings "from @name": office=192.0.2.0/24,2001:db8::/32, or name=/a/file with one a line; repeatable',
		),
	);
}

/** Reads the groups that flags define. @throws {InputError} also for a file that cannot be used */
export function readSources(texts: readonly string[] = []): readonly SourceGroup[] {
	return texts.map((text) => {
		const [, name = '', list = ''] = /^([^=]*)=(.*)$/s.exec(text.trim()) ?? [];
		if (list === '') {
			throw new InputError(`"${printable(text)}" defines no group of sources`, GROUP_FORMS);
		}

		return isFile(list) ? readGroup(name, path.resolve(list)) : makeGroup(name, readList(list));
	});
}

/** @throws {InputError} */
function readList(list: string): readonly Network[] {
	try {
		return list.split(',').map((word) => parseNetwork(word.trim()));
	} catch (error) {
		throw error instanceof InputError ? new InputError(error.message, GROUP_FORMS) : error;
	}
}

/** The same groups with the networks that their files have now. @throws {InputError} */
export function readAgain(groups: readonly SourceGroup[]): readonly SourceGroup[] {
	return groups.map((group) =>
		group.file === undefined ? group : readGroup(group.name, group.file),
	);
}

/** No network begins so. */
function isFile(list: string): boolean {
	return /^\.{0,2}\//.test(list);
}
