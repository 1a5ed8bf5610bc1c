import {joinWords} from '../../lib/list.ts';
import {publicPurpose} from '../state/published.ts';
import type {PublishedRow, PublishingRow} from '../state/published-rows.ts';

/** The containers behind published ports: `web (nginx:1.27)`; `to 172.17.0.2:80` where no name is known. */
export function containersOf({published}: Pick<PublishedRow, 'published'>): string {
	const names = published.map(({container, image, to}) =>
		container === undefined
			? `to ${to}`
			: `${container}${image === undefined ? '' : ` (${image})`}`,
	);
	return [...new Set(names)].join(', ');
}

/** The same with who publishes them: `web (nginx:1.27), Docker`. */
function servedBy(row: Pick<PublishedRow, 'published'>): string {
	const programs = publishers(row.published.map(({by}) => by));
	return row.published.some(({container}) => container !== undefined)
		? `${containersOf(row)}, ${programs}`
		: `${programs}, ${containersOf(row)}`;
}

/** Who serves published ports, and why they start open or closed, behind their line. */
export function publishedText(row: PublishedRow): string {
	return `${servedBy(row)}; ${startReason(row)}`;
}

/** Why published ports start open or closed. */
function startReason({ports}: Pick<PublishedRow, 'ports'>): string {
	const purpose = publicPurpose(ports);
	return purpose === undefined ? 'rarely public' : `public: ${purpose}`;
}

/** Programs that publish ports, in words: `Docker and podman`. */
export function publishers(by: readonly string[]): string {
	return joinWords([...new Set(by)]);
}

/** What decides on published ports, behind the box. */
export function publishingText({governed, by, cluster}: PublishingRow): string {
	return cluster !== undefined
		? `left to ${cluster}, which opens the same port on every node`
		: governed
			? 'open or closed as listed here'
			: `left to ${publishers(by)}: closing them here has no effect`;
}

/** The note about what decides on published ports, and what Space does. */
export function publishingNote({governed, by, cluster}: PublishingRow): string {
	const makers = publishers(by);
	return cluster !== undefined
		? `${cluster} forwards ports of this machine to its pods by rules of its own, so no rule here closes them`
		: governed
			? `This policy decides first, then the rules of ${makers}. A port that is closed drops new connections from outside; containers among themselves and this machine still reach it. Space leaves them to ${makers}`
			: `The rules of ${makers} decide alone: these ports stay open, whatever is closed here. Space puts them under this policy (recommended)`;
}

/** The note about published ports: who serves them, where, and what the keys do. */
export function publishedNote(row: PublishedRow): string {
	return row.governed
		? `${describePublishedRow(row)}. Space ${row.openings.length > 0 ? 'closes' : 'opens'} it. Tab: other ways to protect it`
		: `${describePublishedRow(row)}. Tab: what has`;
}

/** Who serves published ports, and where, without a full stop. */
export function describePublishedRow(row: PublishedRow): string {
	const {published, governed} = row;
	const ends = [...new Set(published.map(({to}) => to))].join(', ');
	const where = published.flatMap(({address, on, from}) => [
		...(address === '0.0.0.0' || address === '::' ? [] : [`at ${address}`]),
		...(on === undefined ? [] : [`on ${on}`]),
		...(from === undefined ? [] : [`from ${from}`]),
	]);
	const makers = publishers(published.map(({by}) => by));
	const limits = where.length > 0 ? `, ${[...new Set(where)].join(', ')}` : '';
	const isNamed = published.some(({container}) => container !== undefined);
	return governed
		? `${servedBy(row)}${isNamed ? `, at ${ends}` : ''}${limits}; ${startReason(row)}`
		: `${makers} ${makers.includes(' and ') ? 'forward' : 'forwards'} it to ${ends}${limits}: it does not pass INPUT, so closing it here has no effect`;
}
