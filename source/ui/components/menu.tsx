import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import {choicesHeight, menuHeight} from '../menu-height.ts';
import {type Line, wrapLines} from '../text/wrap.ts';
import {styleOf} from '../theme.ts';
import {Label, Pointer} from './choices.tsx';
import {Paragraph, WidthContext} from './paragraph.tsx';
import {Scroll} from './scroll.tsx';

type Props = {
	readonly lines: readonly Line[];
	/** The first line shown. */
	readonly offset: number;
	readonly choices: ReadonlyArray<{readonly label: string; readonly note?: string}>;
	readonly focus: number;
	readonly height: number;
	/** What is said below the choices where there is room. */
	readonly note?: string;
};

/** A text that scrolls, and a list of choices below it that is always in view. */
export function Menu({lines, offset, choices, focus, height, note}: Props): ReactElement {
	const width = useContext(WidthContext);
	const room = menuHeight(height, choices.length);
	const left = height - Math.min(lines.length, room) - choicesHeight(height, choices.length);
	const noteLines = note === undefined ? 0 : wrapLines(note, width, 'plain').length;
	return (
		<Box flexDirection="column">
			<Scroll
				items={lines}
				height={room}
				offset={offset}
				render={({text, tone}) => <Text {...styleOf(tone)}>{text}</Text>}
			/>
			<Box flexDirection="column" flexShrink={0} marginTop={left > 0 ? 1 : 0}>
				<Scroll
					items={choices}
					height={choicesHeight(height, choices.length)}
					offset={focus}
					around
					render={(choice, index) => (
						<>
							<Pointer isSelected={index === focus} />
							<Label isSelected={index === focus} {...choice} />
						</>
					)}
				/>
			</Box>
			{note !== undefined && left > noteLines + 1 && <Paragraph lines={[note]} />}
		</Box>
	);
}
