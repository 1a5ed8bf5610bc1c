import {commandLine} from '../lib/command-line.ts';

/** The items that only the user can decide. */
export const TICKS = ['scanned', 'way-in'] as const;
export type Tick = (typeof TICKS)[number];

/** One line of the reboot-survival checklist. */
export type Item = {
	readonly id: string;
	readonly title: string;
	readonly state: 'ok' | 'failed' | 'open';
	/** The cause of a failure, or what an open item means. */
	readonly cause?: string;
	/** What to do. */
	readonly fix?: string;
	/** Whether `check --fix` mends it. */
	readonly mendable?: boolean;
};

export function ok(id: string, title: string): Item {
	return {id, title, state: 'ok'};
}

export function failed(id: string, title: string, cause: string, fix: string): Item {
	return {id, title, state: 'failed', cause, fix};
}

/** A fault in a file or a rule of fw-wizard. */
export function mendable(id: string, title: string, cause: string): Item {
	return {...failed(id, title, cause, commandLine('check --fix')), mendable: true};
}

export function open(id: string, title: string, cause: string, fix: string): Item {
	return {id, title, state: 'open', cause, fix};
}

/** An item that failed with the first of these faults, or passed where there is none. */
export function unless(id: string, title: string, cause: string | undefined): Item {
	return cause === undefined ? ok(id, title) : mendable(id, title, cause);
}

/** Further texts are counted. */
const MOST_SHOWN = 4;

/** Several causes of one item. */
export function joinTexts(texts: readonly string[]): string {
	const more = texts.length - MOST_SHOWN;
	return `${texts.slice(0, MOST_SHOWN).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
