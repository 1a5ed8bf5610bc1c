import {Box, Text} from 'ink';
import {memo, type ReactElement, useMemo} from 'react';
import type {MarkedRow} from '../../ruleset/merge-families.ts';
import {panelRows} from '../text/panel-rows.ts';
import {truncate} from '../text/truncate.ts';
import {styleOf, type Tone} from '../theme.ts';
import {Scroll} from './scroll.tsx';

type Props = {
	readonly rows: readonly MarkedRow[];
	readonly width: number;
	readonly height: number;
};

const TITLE = 'Rules';

/**
 * The rules of the policy as it was chosen so far, and what the focused choice would add (+) and
 * remove (-). The last rule, which rejects everything else, is always visible.
 */
export function RulesPanel({rows: rules, width, height}: Props): ReactElement {
	const rows = useMemo(() => panelRows(rules), [rules]);
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
				<Text {...styleOf('muted')}>{truncate(summary(rules), width - TITLE.length)}</Text>
			</Box>
			<Scroll
				items={body}
				height={room}
				offset={changed === -1 ? 0 : changed}
				around
				render={({text, tone}) => <RuleLine text={text} tone={tone} width={width} />}
			/>
			{tail.map(({text, tone}) => (
				<RuleLine key={text} text={text} tone={tone} width={width} />
			))}
		</Box>
	);
}

type RuleLineProps = {readonly text: string; readonly tone: Tone; readonly width: number};

const RuleLine = memo(function RuleLine({text, tone, width}: RuleLineProps): ReactElement {
	return (
		<Box flexShrink={0} width={width}>
			<Text {...styleOf(tone)}>{truncate(text, width, tone === 'muted' ? 'end' : 'middle')}</Text>
		</Box>
	);
});

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
