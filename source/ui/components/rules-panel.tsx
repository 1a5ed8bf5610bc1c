import {Box, Text} from 'ink';
import type {ReactElement} from 'react';
import type {MarkedRow} from '../../ruleset/merge-families.ts';
import {isGroup} from '../../ruleset/model.ts';
import {familyColumn, toneOf} from '../text/review.ts';
import {truncate} from '../text/truncate.ts';
import {styleOf} from '../theme.ts';
import {Scroll} from './scroll.tsx';

type Props = {
	readonly rows: readonly MarkedRow[];
	readonly width: number;
	readonly height: number;
};

const TITLE = 'Rules';
const SIGNS = {same: ' ', added: '+', removed: '-'} as const;

/**
 * The rules of the policy as it was chosen so far, and what the focused choice would add (+) and
 * remove (-). The last rule, which rejects everything else, is always visible.
 */
export function RulesPanel({rows, width, height}: Props): ReactElement {
	const verdict = rows.findLastIndex((row) => row.mark !== 'removed');
	const body = rows.slice(0, Math.max(0, verdict));
	const tail = rows.slice(Math.max(0, verdict));
	const added = body.findIndex((row) => row.mark === 'added');
	// Where there is room for one change only, the added rule is more important than the removed one.
	const changed = added === -1 ? body.findIndex((row) => row.mark !== 'same') : added;
	const room = Math.max(1, height - 1 - tail.length);
	return (
		<Box flexDirection="column" width={width} height={height} overflowY="hidden" flexShrink={0}>
			<Box flexShrink={0}>
				<Text {...styleOf('accent')}>{TITLE}</Text>
				<Text {...styleOf('muted')}>{truncate(summary(rows), width - TITLE.length)}</Text>
			</Box>
			<Scroll
				items={body}
				height={room}
				offset={changed === -1 ? 0 : changed}
				around
				render={(row) => <RuleLine row={row} width={width} />}
			/>
			{tail.map((row) => (
				<RuleLine key={`${row.mark} ${row.text}`} row={row} width={width} />
			))}
		</Box>
	);
}

function RuleLine({row, width}: {readonly row: MarkedRow; readonly width: number}): ReactElement {
	const tone = row.mark === 'same' ? toneOf(row) : row.mark;
	return (
		<Box flexShrink={0} width={width}>
			<Text {...styleOf(tone)}>{truncate(ruleText(row), width, 'middle')}</Text>
		</Box>
	);
}

function ruleText(row: MarkedRow): string {
	const {name, table, from} = row.own;
	const place = table === 'raw' ? `raw ${from} ` : isGroup(name) ? `${name} ` : '';
	return `${SIGNS[row.mark]} ${familyColumn(row)}  ${place}${row.text}`;
}

function summary(rows: readonly MarkedRow[]): string {
	const [added, removed] = (['added', 'removed'] as const).map(
		(mark) => rows.filter((row) => row.mark === mark).length,
	);
	const now = rows.length - (added ?? 0);
	const change = [...(added ? [`+ ${added}`] : []), ...(removed ? [`- ${removed}`] : [])].join(
		', ',
	);
	return `: ${now} (4: IPv4, 6: IPv6)${change === '' ? '' : `; this choice: ${change}`}`;
}
