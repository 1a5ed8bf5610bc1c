import {Box, Text} from 'ink';
import type {ReactElement, ReactNode} from 'react';
import {stepsOf} from '../state/asked-steps.ts';
import type {Flow} from '../state/state.ts';
import {headLine, railOf, STEP_NAMES} from '../text/texts.ts';
import {truncate} from '../text/truncate.ts';
import {glyphs, styleOf} from '../theme.ts';

/**
 * Lines that the frame takes beside the step: the machine, the steps, the question, an empty line,
 * the keys.
 */
export const FRAME_LINES = 5;

type Props = {
	readonly flow: Flow;
	readonly columns: number;
	readonly rows: number;
	/** The line above everything that says that this is a rehearsal. */
	readonly banner: string | undefined;
	/** Which machine this is, and who the user is. */
	readonly head: string;
	/** What the step asks. */
	readonly question: string;
	/** The line at the bottom, with the keys. */
	readonly keys: string;
	readonly children: ReactNode;
};

/** The frame of every step: the machine, which step this is, what it asks, the step itself, the keys. */
export function Frame(props: Props): ReactElement {
	const {flow, columns, rows, banner, head, question, keys, children} = props;
	return (
		// A frame as tall as the terminal makes the terminal scroll, so one line stays free.
		<Box flexDirection="column" width={columns} height={rows - 1} overflowY="hidden">
			{banner !== undefined && (
				<Line>
					<Text {...styleOf('banner')}>{truncate(banner, columns).padEnd(columns)}</Text>
				</Line>
			)}
			<Line>
				<Text {...styleOf('muted')}>{headLine(head, columns)}</Text>
			</Line>
			<Line>
				<Rail flow={flow} columns={columns} />
			</Line>
			<Line>
				<Text {...styleOf('strong')}>{truncate(question, columns)}</Text>
			</Line>
			<Box flexDirection="column" flexGrow={1} overflowY="hidden" marginTop={1}>
				{children}
			</Box>
			<Line>
				<Text {...styleOf('muted')}>{keys}</Text>
			</Line>
		</Box>
	);
}

function Rail({flow, columns}: {readonly flow: Flow; readonly columns: number}): ReactElement {
	const {step} = flow;
	const steps = stepsOf(flow);
	const current = steps.indexOf(step);
	const separator = ` ${glyphs.step} `;
	const short = railOf(step, steps, columns);
	if (short !== undefined) {
		return <Text {...styleOf('accent')}>{short}</Text>;
	}

	return (
		<Text>
			{steps.map((name, index) => (
				<Text key={name}>
					<Text {...styleOf(index === current ? 'accent' : index < current ? 'plain' : 'muted')}>
						{STEP_NAMES[name]}
					</Text>
					{index < steps.length - 1 && <Text {...styleOf('muted')}>{separator}</Text>}
				</Text>
			))}
		</Text>
	);
}

function Line({children}: {readonly children: ReactNode}): ReactElement {
	return <Box flexShrink={0}>{children}</Box>;
}
