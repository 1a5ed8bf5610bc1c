import {
	groupPublished,
	type PublishedGroup,
	type PublishedHere,
} from '../../app/govern-published.ts';
import type {Published} from '../../existing/nat/published-ports.ts';
import {printPorts} from '../../lib/port-ranges.ts';
import type {Opening} from '../../policy/opening.ts';
import type {Policy} from '../../policy/policy.ts';
import {type Ports, restOf, touches} from '../../policy/port-openings.ts';
import {isForInside} from '../../policy/published.ts';

/** Whether the policy decides on published ports, which the user may change except in a cluster. */
export type PublishingRow = {
	readonly kind: 'publishing';
	readonly key: 'publishing';
	readonly governed: boolean;
	/** The programs that publish ports. */
	readonly by: readonly string[];
	readonly cluster: string | undefined;
};

/** Published ports. Their packets do not pass INPUT. */
export type PublishedRow = PublishedGroup & {
	readonly kind: 'published';
	readonly key: string;
	/** Whether the policy decides on them; `openings` are those that allow them. */
	readonly governed: boolean;
	readonly openings: readonly Opening[];
};

/** What the lines about published ports are made from. Undefined: not known yet, or not at all. */
export type PublishedFacts = {
	readonly openings: readonly Opening[];
	readonly published?: Policy['published'] | undefined;
	readonly inner?: Policy['inner'] | undefined;
	readonly forwarded: readonly Published[] | undefined;
	readonly publishing?: PublishedHere | undefined;
};

/** A line for what decides on published ports, and one for each of them. */
export function publishedRows({
	openings,
	forwarded = [],
	publishing,
	published,
	inner,
}: PublishedFacts): ReadonlyArray<PublishingRow | PublishedRow> {
	const mine = new Set(published === 'policy' ? publishing?.ports.map(keyOfPublished) : []);
	const by = [...new Set((publishing?.ports ?? []).map((one) => one.by))];
	return [
		...(publishing === undefined || by.length === 0
			? []
			: [
					{
						...({kind: 'publishing', key: 'publishing'} as const),
						governed: published === 'policy',
						by,
						cluster: publishing.cluster,
					},
				]),
		...groupPublished(forwarded).map((group): PublishedRow => {
			const governed = group.published.every((one) => mine.has(keyOfPublished(one)));
			return {
				kind: 'published',
				key: `published ${portKey(group.ports)}`,
				...group,
				governed,
				openings: governed ? openingsOfPublished(openings, group.ports, inner) : [],
			};
		}),
	];
}

function keyOfPublished(published: Published): string {
	return JSON.stringify(published);
}

/** `22/tcp`; of a range a text that is no port. */
export function portKey(ports: Ports): string {
	return `${printPorts(ports, '-')}/${ports.protocol}`;
}

/**
 * The openings that let somebody from outside reach published ports. One on an interface of containers is for
 * a service of this machine.
 */
function openingsOfPublished(
	openings: readonly Opening[],
	ports: Ports,
	inner?: readonly string[],
): readonly Opening[] {
	return openings.filter((opening) => !isForInside(opening, inner) && touches(opening, ports));
}

/** The openings with published ports closed. */
export function withoutPublished(
	openings: readonly Opening[],
	ports: Ports,
	inner?: readonly string[],
): readonly Opening[] {
	return openings.flatMap((opening): readonly Opening[] =>
		!isForInside(opening, inner) && touches(opening, ports) ? restOf(opening, ports) : [opening],
	);
}
