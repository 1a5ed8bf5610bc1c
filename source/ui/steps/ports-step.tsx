import {Box, Text} from 'ink';
import {type ReactElement, useContext, useMemo} from 'react';
import wrapAnsi from 'wrap-ansi';
import {Label, Pointer} from '../components/choices.tsx';
import {Field} from '../components/field.tsx';
import {WidthContext} from '../components/paragraph.tsx';
import {Scroll} from '../components/scroll.tsx';
import {TextLine} from '../components/text-line.tsx';
import type {PortRow} from '../state/port-rows.ts';
import {rowsOf} from '../state/ports.ts';
import type {Flow} from '../state/state.ts';
import {alternativesTo} from '../text/alternatives.ts';
import {portNote} from '../text/port-notes.ts';
import {rowText} from '../text/ports.ts';
import {truncate} from '../text/truncate.ts';
import {type Line, wrapLines} from '../text/wrap.ts';
import {styleOf} from '../theme.ts';
import type {StepProps} from './step-props.ts';

/**
 * Lines beside the list: the field, an empty line and the heading. A low terminal has room for the
 * field only.
 */
const OTHER_LINES = 3;
const COMPACT = 8;
/** The least height of the note under the field, so that the list does not move at every letter. */
const NOTE_LINES = 2;
/** The least height of the list, however long the note is. */
const LEAST_LIST = 2;

export function PortsStep({flow, machine, height, plan}: StepProps): ReactElement {
	const width = useContext(WidthContext);
	const rows = rowsOf(flow);
	const {text, tone} = useMemo(() => portNote(flow, machine, plan), [flow, machine, plan]);
	const otherLines = height < COMPACT ? 1 : OTHER_LINES;
	const most = Math.max(1, height - otherLines - LEAST_LIST);
	const note = wrapTo(text, width, most);
	const noteLines = Math.min(most, Math.max(NOTE_LINES, note.length));
	if (flow.view === 'alternatives') {
		return (
			<Scroll
				items={alternativeLines(flow, machine, width)}
				height={height}
				offset={flow.offset}
				render={(line) => <TextLine {...line} />}
			/>
		);
	}

	return (
		<Box flexDirection="column">
			<Field line={{text: flow.field, cursor: flow.cursor}} focused={flow.focus === -1} />
			<Box flexShrink={0} height={noteLines}>
				<Text {...styleOf(tone)}>{note.join('\n')}</Text>
			</Box>
			{height >= COMPACT && (
				<Box flexShrink={0} marginTop={1}>
					<Text>{truncate(headingOf(flow, rows, machine.looking.length > 0), width)}</Text>
				</Box>
			)}
			<Scroll
				items={rows}
				height={Math.max(LEAST_LIST, height - otherLines - noteLines)}
				offset={Math.max(0, flow.focus)}
				around
				render={(item, index) => <PortLine row={item} isSelected={index === flow.focus} />}
			/>
		</Box>
	);
}

/** Other ways to protect the focused port, wrapped to the width. */
export function alternativeLines(
	flow: Pick<Flow, 'policy' | 'known' | 'focus'>,
	{nat}: Pick<StepProps['machine'], 'nat'>,
	width: number,
): readonly Line[] {
	return alternativesTo(rowsOf(flow)[flow.focus], nat).flatMap((line) =>
		wrapLines(line, width, 'plain'),
	);
}

function PortLine({row, isSelected}: {readonly row: PortRow; readonly isSelected: boolean}) {
	const {text, tone} = rowText(row);
	return (
		<>
			<Pointer isSelected={isSelected} />
			<Label isSelected={isSelected} label={text} tone={tone} />
		</>
	);
}

/**
 * The heading of the list: how many openings the policy has, how many ports have listeners, and how
 * many of these ports are closed.
 */
function headingOf({policy, known}: Flow, rows: readonly PortRow[], looking: boolean): string {
	const {openings} = policy;
	const shown = openings.length === 0 ? 'No port is open.' : `Open (${openings.length}):`;
	if (known.listeners.value === undefined) {
		return `${shown} ${looking ? 'Looking for what listens.' : 'What listens could not be detected.'}`;
	}

	const listening = rows.filter((row) => row.kind === 'listener');
	const closed = listening.filter((row) => row.openings.length === 0).length;
	const protocols = rows.filter((row) => row.kind === 'protocol');
	const unopened = protocols.filter((row) => row.openings.length === 0).length;
	const published = rows.filter((row) => row.kind === 'published');
	const governed = published.filter((row) => row.governed);
	const left = published.filter((row) => !row.governed);
	const parts = [
		...(listening.length > 0
			? [
					`${listening.length} listening, ${closed} ${known.published.value === undefined ? 'not opened' : 'closed'}`,
				]
			: []),
		...(protocols.length > 0
			? [
					`${protocols.length} ${protocols.length === 1 ? 'protocol' : 'protocols'} without ports, ${unopened} closed`,
				]
			: []),
		...(governed.length > 0
			? [
					`${governed.length} published, ${governed.filter(({openings}) => openings.length === 0).length} closed`,
				]
			: []),
		...(left.length > 0
			? [`${left.length} left as ${left.length === 1 ? 'it is' : 'they are'}`]
			: []),
	];
	return [shown, ...(parts.length > 0 ? [`${parts.join('; ')}`] : [])].join(' ');
}

/** Wraps a text to at most `most` lines. The last line is truncated where text is left over. */
function wrapTo(text: string, width: number, most: number): readonly string[] {
	const lines = wrapAnsi(text, width, {hard: true}).split('\n');
	return lines.length <= most
		? lines
		: [...lines.slice(0, most - 1), truncate(lines.slice(most - 1).join(' '), width)];
}
