import {InputError} from '../lib/errors.ts';
import {parseNetwork} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import {parseInstant} from './ending.ts';
import {INTERFACE_PATTERN} from './interface-pattern.ts';
import type {PortOpening} from './opening.ts';
import {findGroup, type Source, type SourceGroup, type Sources} from './sources.ts';

/** How openings are written. */
export const FORMS =
	'Write 22/tcp, 53, ssh, 8000-8010/tcp, "22/tcp from 198.51.100.0/24, 2001:db8::/32", "5432/tcp on wg0", "22/tcp limit", mdns, ssdp or esp';

/** Where an opening is from, whether it is limited, and when it ends. */
export type Qualifiers = Pick<PortOpening, 'from' | 'on' | 'limit' | 'until'>;

/** Reads what stands behind the subjects of an opening. @throws {InputError} */
export function parseQualifiers(
	words: string[],
	text: string,
	groups: readonly SourceGroup[],
): Qualifiers {
	let from: Sources | undefined;
	let on: string | undefined;
	let limit = false;
	let until: string | undefined;
	for (
		let word = words.shift()?.toLowerCase();
		word !== undefined;
		word = words.shift()?.toLowerCase()
	) {
		const twice =
			(word === 'from' && from) ||
			(word === 'on' && on) ||
			(word === 'limit' && limit) ||
			(word === 'until' && until);
		if (twice) {
			throw new InputError(`"${printable(text)}" says "${word}" twice`, FORMS);
		}

		if (word === 'limit') {
			limit = true;
		} else if (word === 'from') {
			from = takeSources(words, groups);
		} else if (word === 'until') {
			until = parseInstant(nextWord(words, word, 'a time in UTC'));
		} else if (word === 'on') {
			on = parseInterface(nextWord(words, word, 'an interface'));
		} else {
			throw new InputError(
				`"${printable(text)}": "${printable(word)}" is not understood here`,
				FORMS,
			);
		}
	}

	return {...(from ? {from} : {}), ...(on ? {on} : {}), limit, ...(until ? {until} : {})};
}

/** Takes sources from the front of the words: each but the last ends in a comma. */
function takeSources(words: string[], groups: readonly SourceGroup[]): Sources {
	const sources: Source[] = [];
	for (let word = ','; word.endsWith(','); ) {
		word = nextWord(words, 'from', 'an address, a network or a group of them');
		const text = word.replace(/,$/, '');
		sources.push(text.startsWith('@') ? findGroup(text, groups) : parseNetwork(text));
	}

	return sources;
}

function nextWord(words: string[], before: string, what: string): string {
	const word = words.shift();
	if (word === undefined) {
		throw new InputError(`After "${before}" comes ${what}`, FORMS);
	}

	return word;
}

function parseInterface(text: string): string {
	if (!INTERFACE_PATTERN.test(text)) {
		throw new InputError(
			`"${printable(text)}" is not an interface name`,
			'Names have at most 15 letters, digits, dots or dashes, as in eth0 or wg0; br-+ stands for all that begin with br-',
		);
	}

	return text;
}
