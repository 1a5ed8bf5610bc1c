import {readGroup} from '../host/files/group-file.ts';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {formatNumber} from '../lib/format-number.ts';
import type {Network} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import type {Policy} from '../policy/policy.ts';
import type {SourceGroup} from '../policy/sources.ts';
import {failed, type Item, ok} from './checklist-item.ts';

/** Checks whether the files of groups of sources have the networks that were applied. */
export function checkSources({sources = []}: Policy): readonly Item[] {
	return sources.flatMap((group) => (group.file === undefined ? [] : checkFile(group, group.file)));
}

function checkFile({name, networks}: SourceGroup, file: string): Item {
	const [id, title] = [`sources-${name}`, `@${name} has the networks of ${printable(file, 200)}`];
	try {
		const now = readGroup(name, file).networks;
		const [added, removed] = [without(now, networks), without(networks, now)];
		return added === 0 && removed === 0
			? ok(id, title)
			: failed(
					...([id, title] as const),
					`the file has changed: ${formatNumber(added)} added, ${formatNumber(removed)} removed since it was applied`,
					commandLine('apply'),
				);
	} catch (error) {
		if (error instanceof InputError) {
			return failed(id, title, `the rules stay as they are, but: ${error.message}`, error.hint);
		}

		throw error;
	}
}

/** How many of the networks the others lack. */
function without(networks: readonly Network[], others: readonly Network[]): number {
	const known = new Set(others.map(({cidr}) => cidr));
	return networks.filter(({cidr}) => !known.has(cidr)).length;
}
