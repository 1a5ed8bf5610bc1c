import {Box, Text} from 'ink';
import type {ReactElement} from 'react';
import type {Applying} from '../state/state.ts';
import {secondsText} from '../text/texts.ts';
import type {Line} from '../text/wrap.ts';
import {styleOf} from '../theme.ts';
import {Scroll} from './scroll.tsx';
import {TextLine} from './text-line.tsx';

type Props = {
	readonly applying: Applying;
	readonly lines: readonly Line[];
	readonly offset: number;
	readonly height: number;
};

/** The lines that the countdown takes from the words and the keys. */
export function countdownLines({phase}: Applying): number {
	return phase === 'waiting' ? 1 : 0;
}

/** The words and the keys of the step, in its place. The seconds until the rollback stay visible. */
export function Help({applying, lines, offset, height}: Props): ReactElement {
	return (
		<Box flexDirection="column" flexShrink={0}>
			{applying.phase === 'waiting' && (
				<Text {...styleOf('attention')}>
					The old rules are restored in {secondsText(applying.secondsLeft)} s.
				</Text>
			)}
			<Scroll
				items={lines}
				height={height - countdownLines(applying)}
				offset={offset}
				render={(line) => <TextLine {...line} />}
			/>
		</Box>
	);
}
