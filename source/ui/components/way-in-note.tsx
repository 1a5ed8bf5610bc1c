import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import {type Door, findWaysIn, printDoor, type Visitor} from '../../ruleset/lockout.ts';
import type {RuleSet} from '../../ruleset/model.ts';
import {cut} from '../text/truncate.ts';
import {styleOf} from '../theme.ts';
import {WidthContext} from './paragraph.tsx';

type Props = {
	readonly ruleSet: RuleSet;
	readonly visitor: Visitor;
	readonly shut: readonly Door[];
};

/** How many lines it takes. */
export function wayInLines(visitor: Visitor | undefined, shut: readonly Door[]): number {
	return visitor === undefined ? 0 : shut.length > 0 ? 2 : 1;
}

/** Which rule lets the session in use in again, or in red that none does. */
export function WayInNote({ruleSet, visitor, shut}: Props): ReactElement {
	const width = useContext(WidthContext);
	const who = visitor.client ?? 'wherever you are';
	if (shut.length > 0) {
		const ports = shut.map(printDoor).join(' and ');
		return (
			<Box flexDirection="column" flexShrink={0}>
				<Text {...styleOf('warning')}>
					{cut(`You would be locked out: ${ports} is shut for ${who}.`, width)}
				</Text>
				<Text {...styleOf('warning')}>{cut(`Press o to open ${ports}.`, width)}</Text>
			</Box>
		);
	}

	const ways = findWaysIn(ruleSet, visitor).map(({door, decision}) =>
		decision.by === undefined
			? printDoor(door)
			: `${printDoor(door)} by rule ${decision.by.index} of ${decision.by.chain}`,
	);
	return (
		<Box flexShrink={0}>
			<Text {...styleOf('accept')}>
				{cut(`You, from ${who}, can come in again: ${ways.join(', ')}`, width)}
			</Text>
		</Box>
	);
}
