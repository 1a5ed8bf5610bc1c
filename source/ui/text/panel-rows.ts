import {FAMILIES} from '../../lib/network.ts';
import type {MarkedRow} from '../../ruleset/merge-families.ts';
import {isGroup} from '../../ruleset/model.ts';
import type {Tone} from '../theme.ts';
import {describeFixed, groupFixed} from './fixed-rules.ts';
import {familyColumn, toneOf} from './review.ts';

/** A line of the rules panel: a rule, or rules that are the same for every policy. */
export type PanelRow = Pick<MarkedRow, 'mark'> & {
	readonly text: string;
	readonly tone: Tone;
};

const SIGNS = {same: ' ', added: '+', removed: '-'} as const;

/** What every rule for published ports asks, with the port or without. */
const TRANSLATED =
	/-m conntrack (?:--ctstate DNAT (--ctorigdstport \S+)|(--ctstate DNAT)) --ctdir ORIGINAL/;

/**
 * The lines of the rules panel. Rules that are there whatever is chosen stand in one line, and those for published
 * ports without what all of them ask.
 */
export function panelRows(rows: readonly MarkedRow[]): readonly PanelRow[] {
	return groupFixed(rows).map(toPanelRow);
}

function toPanelRow(group: readonly MarkedRow[]): PanelRow {
	const [row] = group as readonly [MarkedRow];
	const {mark, own} = row;
	const families = FAMILIES.filter((family) => group.some((one) => one.families.includes(family)));
	const start = `${SIGNS[mark]} ${familyColumn({families})}  ${placeOf(own)}`;
	if (group.length > 1) {
		return {
			mark,
			text: `${start}${describeFixed(group)}`,
			tone: mark === 'same' ? 'muted' : mark,
		};
	}

	return {
		mark,
		text: `${start}${own.table === 'mangle' ? row.text.replace(TRANSLATED, '$1$2') : row.text}`,
		tone: mark === 'same' ? toneOf(row) : mark,
	};
}

function placeOf({name, table, from}: MarkedRow['own']): string {
	return table !== 'filter' ? `${table} ${from} ` : isGroup(name) ? `${name} ` : '';
}
