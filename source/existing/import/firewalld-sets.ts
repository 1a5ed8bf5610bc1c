import {type Network, parseNetwork} from '../../lib/network.ts';
import type {Element} from './firewalld-xml.ts';

/** More of them would be more rules than anybody reads: such a set is not understood. */
const MOST_ENTRIES = 1000;

/**
 * The addresses and networks in a set of firewalld (firewalld.ipset(5)).
 * @param xml its file
 * @param now its entries while firewalld runs, a line each; empty where it does not, or has none
 * @returns undefined where they are not known: of another type, with a time-out, or too many
 */
export function readSet(xml: string, now: string): readonly Network[] | undefined {
	const [, type] = /<ipset\b[^>]*\btype\s*=\s*["']([^"']*)["']/.exec(xml) ?? [];
	const saved = [...xml.matchAll(/<entry>\s*([^<\s]+)\s*<\/entry>/g)].map(
		([, entry = '']) => entry,
	);
	// What is in a set with a time-out is with the kernel alone.
	const expires = /<option\b[^>]*\bname\s*=\s*["']timeout["']/.test(xml);
	const entries = now.trim() === '' ? saved : now.trim().split(/\s+/);
	if (expires || !/^hash:(?:ip|net)$/.test(type ?? '') || entries.length > MOST_ENTRIES) {
		return undefined;
	}

	try {
		return entries.map(parseNetwork);
	} catch {
		return undefined;
	}
}

/** A zone with the entries of known sets in place of each source that is a set. */
export function expandSets(
	zone: Element,
	sets: Readonly<Record<string, readonly Network[] | undefined>>,
): Element {
	const networksOf = ({name, attributes}: Element): readonly Network[] | undefined =>
		name === 'source' && attributes.ipset !== undefined && attributes.invert === undefined
			? sets[attributes.ipset]
			: undefined;
	return {
		...zone,
		children: zone.children.flatMap((child): readonly Element[] => {
			const own = networksOf(child);
			if (own !== undefined) {
				return own.map(sourceOf);
			}

			const inRule = child.children.map(networksOf).find((networks) => networks !== undefined);
			return inRule === undefined
				? [child]
				: inRule.map((network) => ({
						...child,
						attributes: {...child.attributes, family: `ipv${network.family}`},
						children: child.children.map((part) =>
							networksOf(part) === undefined ? part : sourceOf(network),
						),
					}));
		}),
	};
}

function sourceOf({cidr}: Network): Element {
	return {name: 'source', attributes: {address: cidr}, children: []};
}
