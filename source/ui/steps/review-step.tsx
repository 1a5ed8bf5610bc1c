import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import {AccessNote, accessNoteLines} from '../components/access-note.tsx';
import {Field} from '../components/field.tsx';
import {Paragraph, WidthContext} from '../components/paragraph.tsx';
import {Scroll} from '../components/scroll.tsx';
import {TextLine} from '../components/text-line.tsx';
import {usePacket} from '../hooks/use-packet.ts';
import {tabOf} from '../keys/key-events.ts';
import type {Flow} from '../state/state.ts';
import {screenReader, styleOf} from '../theme.ts';
import type {StepProps} from './step-props.ts';

const VIEW_NAMES = {
	summary: 'Summary',
	rules: 'Rules',
	restore: 'Restore file',
	commands: 'Commands',
} as const;

const TABS_COLUMNS = Object.values(VIEW_NAMES).join('   ').length + 3;

/** The number of lines that the text may use, under the tabs and the note about the next login. */
export function reviewHeight({height, plan}: Pick<StepProps, 'height' | 'plan'>): number {
	return Math.max(1, height - 1 - accessNoteLines(plan));
}

export function ReviewStep(props: StepProps): ReactElement {
	const {flow, review, plan} = props;
	const width = useContext(WidthContext);
	const all = Object.entries(VIEW_NAMES);
	// Where there is no room for the names of all views, only that of the current view is shown.
	const tabs = width < TABS_COLUMNS ? all.filter(([view]) => view === tabOf(flow.view)) : all;
	return flow.view === 'packet' ? (
		<TryPacket {...props} />
	) : (
		<Box flexDirection="column">
			<AccessNote plan={plan} />
			<Box flexShrink={0}>
				{screenReader ? (
					<Text>{tabsReadOut(flow.view)}</Text>
				) : (
					<Text>
						{tabs.map(([view, name]) => (
							<Text key={view} {...styleOf(view === tabOf(flow.view) ? 'accent' : 'muted')}>
								{view === tabOf(flow.view) ? `[${name}]` : ` ${name} `}{' '}
							</Text>
						))}
					</Text>
				)}
			</Box>
			<Scroll
				items={review}
				height={reviewHeight(props)}
				offset={flow.offset}
				render={(line) => <TextLine {...line} />}
			/>
		</Box>
	);
}

/** `View: Rules. Others: Restore file, Commands, Exposure` */
function tabsReadOut(shown: Flow['view']): string {
	const others = Object.entries(VIEW_NAMES).filter(([view]) => view !== tabOf(shown));
	return `View: ${Reflect.get(VIEW_NAMES, tabOf(shown))}. Others: ${others.map(([, name]) => name).join(', ')}`;
}

function TryPacket({flow, plan, machine}: StepProps): ReactElement {
	return (
		<Box flexDirection="column">
			<Text>Try a packet: what happens to it after the change?</Text>
			<Field line={{text: flow.field, cursor: flow.cursor}} focused />
			<Paragraph lines={usePacket(flow.field, plan, machine)} />
		</Box>
	);
}
