import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import type {Binding} from '../keys/bindings.ts';
import {keyList} from '../keys/format-bindings.ts';
import type {Applying} from '../state/state.ts';
import {secondsText} from '../text/texts.ts';
import {styleOf} from '../theme.ts';
import {WidthContext} from './paragraph.tsx';

type Props = {
	readonly applying: Applying;
	readonly bindings: readonly Binding[];
	readonly height: number;
};

/**
 * All keys of the step, shown in place of the step. The seconds until the rollback stay visible.
 */
export function Help({applying, bindings, height}: Props): ReactElement {
	const columns = useContext(WidthContext);
	const waiting = applying.phase === 'waiting';
	return (
		<Box flexDirection="column" flexShrink={0}>
			{waiting && (
				<Text {...styleOf('warning')}>
					The old rules come back in {secondsText(applying.secondsLeft)} s.
				</Text>
			)}
			{keyList(bindings, {columns, height: height - (waiting ? 1 : 0)}).map((line) => (
				<Text key={line}>{line}</Text>
			))}
		</Box>
	);
}
