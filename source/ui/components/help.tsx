import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import {keyList} from '../keys/format-key-hints.ts';
import {type KeyPlace, keysOf, moreKeysOf} from '../keys/key-hints.ts';
import type {Flow} from '../state/state.ts';
import {secondsText} from '../text/texts.ts';
import {styleOf} from '../theme.ts';
import {WidthContext} from './paragraph.tsx';

type Props = {readonly flow: Flow; readonly place: KeyPlace; readonly height: number};

/** All keys of the step, in its place. The seconds until a roll back stay in view. */
export function Help({flow, place, height}: Props): ReactElement {
	const columns = useContext(WidthContext);
	const {applying} = flow;
	const waiting = applying.phase === 'waiting';
	const keys = `${keysOf(flow, place)}  ${moreKeysOf(flow)}`;
	return (
		<Box flexDirection="column" flexShrink={0}>
			{waiting && (
				<Text {...styleOf('warning')}>
					The old rules come back in {secondsText(applying.secondsLeft)} s.
				</Text>
			)}
			{keyList(keys, {columns, height: height - (waiting ? 1 : 0)}).map((line) => (
				<Text key={line}>{line}</Text>
			))}
		</Box>
	);
}
