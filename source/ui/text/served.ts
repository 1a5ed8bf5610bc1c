import {namePublished} from '../../app/govern-published.ts';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import {joinWords, withRest} from '../../lib/list.ts';
import {shortOpening} from '../../policy/opening.ts';
import type {NamedPorts} from '../../proof/matrix.ts';
import type {PortRow} from '../state/port-rows.ts';
import {portKey} from '../state/published-rows.ts';
import {portsOf} from '../state/row-openings.ts';
import {namesOf, printPort, unique} from './ports.ts';
import {containersOf} from './published.ts';

/** The rows of ports and protocols about which the policy decides. */
export type Decided = Exclude<PortRow, {kind: 'loopback' | 'publishing'}>;

/** Whether the policy opens it, be it for some sources only. */
export function isOpen(row: Decided): boolean {
	return row.kind === 'opening' || row.openings.length > 0;
}

/** The port, or the opening, that a row is about: `22/tcp`. */
export function openingOf(row: Decided): string {
	switch (row.kind) {
		case 'listener':
			return printPort(row.port);
		case 'published':
			return portKey(row.ports);
		default:
			return shortOpening(row.opening);
	}
}

/** What serves it. */
export function serverOf(row: Decided): string {
	switch (row.kind) {
		case 'listener':
			return namesOf(row.listeners);
		case 'published':
			return containersOf(row);
		case 'protocol':
			return unique(row.uses.map(({by}) => by)).join(', ');
		case 'inside':
			return unique(row.services.map(({program}) => program)).join(', ');
		case 'opening':
			return row.listens === false ? 'nothing listens' : '';
	}
}

/** The ports that something serves for others, each with the name of that. */
export function servedPorts(rows: readonly PortRow[]): readonly NamedPorts[] {
	return rows.flatMap((row) => {
		const ports = portsOf(row);
		return ports === undefined ? [] : [{...ports, name: serverOf(row as Decided)}];
	});
}

/** More services are counted. */
const MOST_NAMED = 8;

/**
 * Names the services that listen for others, or that containers publish, and that will be blocked, in one line:
 * `Will be blocked: 5432/tcp (postgres), 8080/tcp (shop-api-1, Docker)`; undefined where none is.
 */
export function describeBlocked(
	rows: readonly PortRow[],
	{blockedPublished}: Pick<ApplyPlan, 'blockedPublished'>,
): string | undefined {
	const listening = rows.flatMap((row) =>
		row.kind === 'listener' && row.openings.length === 0
			? [`${printPort(row.port)} (${namesOf(row.listeners)})`]
			: [],
	);
	const names = [...withRest(listening, MOST_NAMED), ...namePublished(blockedPublished)];
	return names.length === 0 ? undefined : `Will be blocked: ${joinWords(names)}`;
}

/** `22/tcp (sshd), 80, 443/tcp (nginx)`: what is open after the change; `nothing`. */
export function describeOpen(rows: readonly PortRow[]): string {
	const open = rows.flatMap((row) =>
		row.kind === 'loopback' ||
		row.kind === 'publishing' ||
		(row.kind === 'published' && !row.governed) ||
		!isOpen(row)
			? []
			: // The name says enough, where one line is all there is.
				[{port: openingOf(row), who: serverOf(row).replaceAll(/ \([^)]*\)/g, '')}],
	);
	return open.length === 0
		? 'nothing'
		: open.map(({port, who}) => (who === '' ? port : `${port} (${who})`)).join(', ');
}
