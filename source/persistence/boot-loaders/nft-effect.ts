import path from 'node:path';
import {listFolder} from '../../host/files/read-text.ts';
import {globToRegExp} from '../../lib/glob.ts';
import {UNKNOWN} from '../../lib/shell-words.ts';
import type {Effect} from './model.ts';

/** Where `include` looks for files (nft(8)). */
const INCLUDE_FOLDER = '/etc';
const MOST_FILES = 50;

/** Removes what iptables-nft has loaded; in a script, or as words of a command. */
const REMOVES =
	/\bflush\s+ruleset\b(?!\s+(?:inet|bridge|arp|netdev))|\b(?:flush|delete|destroy)\s+(?:table|chain)\s+ip6?\s+(?:filter|raw|mangle)\b(?!\s+(?!INPUT|PREROUTING|OUTPUT|FORWARD|FW-WIZARD)\S)/;
const CHANGES = /\b(?:add|insert|create|replace|delete|destroy|flush|reset)\b|^\s*table\s/m;
/** Rules of these hooks decide on what comes in. */
const DECIDES = /\bhook\s+(?:input|prerouting|ingress)\b|\b(?:add|insert)\s+rule\b/;

/**
 * What rules of nftables do, with the files that they include.
 * @returns undefined where they only list something
 */
export function effectOfNft(
	text: string,
	read: (file: string) => string | undefined,
): Effect | undefined {
	const whole = withIncludes(text, read)
		.replaceAll(/(?<=^|\s)#.*$/gm, '')
		.trim();
	return whole === ''
		? undefined
		: REMOVES.test(whole)
			? 'removes'
			: whole.includes(UNKNOWN)
				? 'unknown'
				: DECIDES.test(whole)
					? 'decides'
					: CHANGES.test(whole)
						? 'other'
						: undefined;
}

function withIncludes(text: string, read: (file: string) => string | undefined): string {
	const texts = [text];
	const seen = new Set<string>();
	for (const one of texts) {
		for (const [, name = ''] of one.matchAll(/^\s*include\s+["']([^"']+)["']/gm)) {
			for (const file of filesOf(path.resolve(INCLUDE_FOLDER, name))) {
				if (!seen.has(file) && seen.size < MOST_FILES) {
					seen.add(file);
					texts.push(read(file) ?? '');
				}
			}
		}
	}

	return texts.join('\n');
}

/** The files that a pattern names; in the last part of the path only. */
function filesOf(pattern: string): readonly string[] {
	const folder = path.dirname(pattern);
	const names = globToRegExp(path.basename(pattern));
	return /[*?[]/.test(pattern)
		? listFolder(folder)
				.filter((name) => names.test(name))
				.sort()
				.map((name) => path.join(folder, name))
		: [pattern];
}
