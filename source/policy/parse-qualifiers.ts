import {InputError} from '../lib/errors.ts';
import {parseNetwork} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import type {PortOpening, Sources} from './opening.ts';

/** How openings are written. */
export const FORMS =
	'Write 22/tcp, 53, ssh, 8000-8010/tcp, "22/tcp from 198.51.100.0/24, 2001:db8::/32", "5432/tcp on wg0", "22/tcp limit", mdns, ssdp or esp';

/** Where an opening is from, and whether it is limited. */
export type Qualifiers = Pick<PortOpening, 'from' | 'on' | 'limit'>;

/** Reads what stands behind the subjects of an opening. @throws {InputError} */
export function parseQualifiers(words: string[], text: string): Qualifiers {
	let from: Sources | undefined;
	let on: string | undefined;
	let limit = false;
	for (
		let word = words.shift()?.toLowerCase();
		word !== undefined;
		word = words.shift()?.toLowerCase()
	) {
		const twice = (word === 'from' && from) || (word === 'on' && on) || (word === 'limit' && limit);
		if (twice) {
			throw new InputError(`"${printable(text)}" says "${word}" twice`, FORMS);
		}

		if (word === 'limit') {
			limit = true;
		} else if (word === 'from') {
			from = takeSources(words);
		} else if (word === 'on') {
			on = parseInterface(nextWord(words, word, 'an interface'));
		} else {
			throw new InputError(
				`"${printable(text)}": "${printable(word)}" is not understood here`,
				FORMS,
			);
		}
	}

	return {...(from ? {from} : {}), ...(on ? {on} : {}), limit};
}

/** Takes sources from the front of the words: each but the last ends in a comma. */
function takeSources(words: string[]): Sources {
	const word = nextWord(words, 'from', 'an address or a network');
	const source = parseNetwork(word.replace(/,$/, ''));
	return word.endsWith(',') ? [source, ...takeSources(words)] : [source];
}

function nextWord(words: string[], before: string, what: string): string {
	const word = words.shift();
	if (word === undefined) {
		throw new InputError(`After "${before}" comes ${what}`, FORMS);
	}

	return word;
}

/** Reads an interface name as the kernel allows it (dev_valid_name), without what iptables reads as a wildcard, option or negation. */
function parseInterface(text: string): string {
	if (!/^[\w.@-]{1,15}$/.test(text) || /^[.-]+$/.test(text) || text.startsWith('-')) {
		throw new InputError(
			`"${printable(text)}" is not an interface name`,
			'Names have at most 15 letters, digits, dots or dashes, as in eth0 or wg0',
		);
	}

	return text;
}
