import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import {AccessNote, accessNoteLines} from '../components/access-note.tsx';
import {Field} from '../components/field.tsx';
import {Paragraph, WidthContext} from '../components/paragraph.tsx';
import {Scroll} from '../components/scroll.tsx';
import {TextLine} from '../components/text-line.tsx';
import {usePacket} from '../hooks/use-packet.ts';
import type {Flow} from '../state/state.ts';
import {reviewWarnings} from '../text/review.ts';
import {screenReader, styleOf} from '../theme.ts';
import type {StepProps} from './step-props.ts';

const VIEW_NAMES = {
	rules: 'Rules',
	restore: 'Restore file',
	commands: 'Commands',
	exposure: 'Exposure',
} as const;

const TABS_COLUMNS = Object.values(VIEW_NAMES).join('   ').length + 3;

/** The number of lines that the rules may use, under the notes above them. */
export function reviewHeight(
	{height, machine, plan}: Pick<StepProps, 'height' | 'machine' | 'plan'>,
	width: number,
): number {
	const notes =
		accessNoteLines(machine.remoteClient, plan.lockouts) + reviewWarnings(plan, width).length;
	return Math.max(1, height - 1 - notes);
}

export function ReviewStep(props: StepProps): ReactElement {
	const {flow, review, machine, plan} = props;
	const width = useContext(WidthContext);
	const all = Object.entries(VIEW_NAMES);
	// Where there is no room for the names of all views, only that of the current view is shown.
	const tabs = width < TABS_COLUMNS ? all.filter(([view]) => view === flow.view) : all;
	return flow.view === 'packet' ? (
		<TryPacket {...props} />
	) : (
		<Box flexDirection="column">
			{machine.remoteClient && <AccessNote plan={plan} remoteClient={machine.remoteClient} />}
			{reviewWarnings(plan, width).map((line) => (
				<Box key={line.text} flexShrink={0}>
					<TextLine {...line} />
				</Box>
			))}
			<Box flexShrink={0}>
				{screenReader ? (
					<Text>{tabsReadOut(flow.view)}</Text>
				) : (
					<Text>
						{tabs.map(([view, name]) => (
							<Text key={view} {...styleOf(view === flow.view ? 'accent' : 'muted')}>
								{view === flow.view ? `[${name}]` : ` ${name} `}{' '}
							</Text>
						))}
					</Text>
				)}
			</Box>
			<Scroll
				items={review}
				height={reviewHeight(props, width)}
				offset={flow.offset}
				render={(line) => <TextLine {...line} />}
			/>
		</Box>
	);
}

/** `View: Rules. Others: Restore file, Commands, Exposure` */
function tabsReadOut(shown: Flow['view']): string {
	const others = Object.entries(VIEW_NAMES).filter(([view]) => view !== shown);
	return `View: ${Reflect.get(VIEW_NAMES, shown)}. Others: ${others.map(([, name]) => name).join(', ')}`;
}

function TryPacket({flow, dispatch, plan, machine}: StepProps): ReactElement {
	return (
		<Box flexDirection="column">
			<Text>Try a packet: what becomes of it after the change?</Text>
			<Field
				value={flow.field}
				focused
				onChange={(text) => dispatch({type: 'type', text})}
				onSubmit={() => {}}
			/>
			<Paragraph lines={usePacket(flow.field, plan, machine)} />
		</Box>
	);
}
