import {Box, Text} from 'ink';
import {type ReactElement, useContext, useMemo} from 'react';
import wrapAnsi from 'wrap-ansi';
import {adviseOpenings} from '../../policy/advise-openings.ts';
import {mergeOpenings} from '../../policy/merge-openings.ts';
import {type Opening, printOpening, shortOpening} from '../../policy/opening.ts';
import type {AccessPort, RemoteClient} from '../../ruleset/lockout.ts';
import {Label, Pointer} from '../components/choices.tsx';
import {Field} from '../components/field.tsx';
import {WidthContext} from '../components/paragraph.tsx';
import {Scroll} from '../components/scroll.tsx';
import {TextLine} from '../components/text-line.tsx';
import type {PortRow} from '../state/port-rows.ts';
import {rowsOf} from '../state/ports.ts';
import type {Flow} from '../state/state.ts';
import {alternativesTo} from '../text/alternatives.ts';
import {rowNote, rowText} from '../text/ports.ts';
import {truncate} from '../text/truncate.ts';
import {type Line, wrapLines} from '../text/wrap.ts';
import {styleOf, type Tone} from '../theme.ts';
import type {StepProps} from './step-props.ts';

const EXAMPLES =
	'22/tcp, 53, ssh, 8000-8010/tcp, 22/tcp from 10.0.0.0/8, 5432/tcp on wg0, 22/tcp limit, mdns, ssdp, vrrp';
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

export function PortsStep({flow, dispatch, machine, height, plan}: StepProps): ReactElement {
	const {field, entered, policy, known} = flow;
	const width = useContext(WidthContext);
	const rows = rowsOf({policy, known});
	const row = rows[flow.focus];
	const {text, tone} = useMemo(
		() =>
			row !== undefined && field.trim() === ''
				? describeRow(row, machine.remoteClient, plan.lockouts)
				: describeField({field, entered, policy}, machine.interfaceNames),
		[row, field, entered, policy, machine.interfaceNames, machine.remoteClient, plan.lockouts],
	);
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
			<Field
				value={flow.field}
				focused={flow.focus === -1}
				onChange={(text) => dispatch({type: 'type', text})}
				onSubmit={() => dispatch({type: 'submit'})}
			/>
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

/**
 * The note about the focused line. If this user is connected through the port, the note says so
 * first.
 */
function describeRow(
	row: PortRow,
	remoteClient: RemoteClient | undefined,
	closedAccessPorts: readonly AccessPort[],
): {readonly text: string; readonly tone: Tone} {
	const isMine = ({protocol, first, last}: AccessPort) =>
		row.kind === 'listener' &&
		row.port.protocol === protocol &&
		first <= row.port.port &&
		row.port.port <= last;
	if (closedAccessPorts.some(isMine)) {
		return {
			text: `You are connected through it: shut, it locks you out. ${rowNote(row)}`,
			tone: 'warning',
		};
	}

	const mine = remoteClient?.accessPorts.some(isMine) ?? false;
	return {text: `${mine ? 'You are connected through it. ' : ''}${rowNote(row)}`, tone: 'muted'};
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
	const shown = openings.length === 0 ? 'Nothing is let in.' : `Let in (${openings.length}):`;
	if (known.listeners.value === undefined) {
		return `${shown} ${looking ? 'Looking for what listens.' : 'What listens was not found out.'}`;
	}

	const listening = rows.filter((row) => row.kind === 'listener');
	const closed = listening.filter((row) => row.openings.length === 0).length;
	const protocols = rows.filter((row) => row.kind === 'protocol');
	const unopened = protocols.filter((row) => row.openings.length === 0).length;
	const published = rows.filter((row) => row.kind === 'published').length;
	const parts = [
		...(listening.length > 0
			? [
					`${listening.length} ${listening.length === 1 ? 'port listens' : 'ports listen'}, ${closed} ${known.published.value === undefined ? 'not opened' : 'shut'}`,
				]
			: []),
		...(protocols.length > 0
			? [
					`${protocols.length} ${protocols.length === 1 ? 'protocol' : 'protocols'} without ports, ${unopened} closed`,
				]
			: []),
		...(published > 0 ? [`${published} beyond our reach`] : []),
	];
	return [shown, ...(parts.length > 0 ? [`${parts.join('; ')}`] : [])].join(' ');
}

/** Examples of what the field accepts, what Enter would add, or what is wrong with the text. */
function describeField(
	flow: Pick<Flow, 'field' | 'entered' | 'policy'>,
	interfaceNames: ReadonlySet<string> | undefined,
): {
	readonly text: string;
	readonly tone: Tone;
} {
	if (flow.field.trim() === '') {
		return {text: EXAMPLES, tone: 'muted'};
	}

	const {openings, error} = flow.entered;
	if (error !== undefined) {
		return {text: `${error.message}. ${error.hint}`, tone: 'warning'};
	}

	const {openings: before} = flow.policy;
	const there = new Set(before.map(printOpening));
	const after = new Set(mergeOpenings([...before, ...openings]).map(printOpening));
	// An opening that the merged list contains unchanged is new. Only the others have to be merged
	// one by one.
	const covered = openings.filter((opening) => {
		const text = printOpening(opening);
		return there.has(text) || (!after.has(text) && addsNothing(opening, before));
	});
	const added = openings.filter((opening) => !covered.includes(opening));
	const narrower = covered.some((opening) => !there.has(printOpening(opening)));
	const known = new Set(adviseOpenings(before, interfaceNames));
	const advice = adviseOpenings([...before, ...added], interfaceNames).filter(
		(text) => !known.has(text),
	);
	const parts = [
		...(added.length > 0 ? [`Enter lets in ${added.map(shortOpening).join(', ')}`] : []),
		...(covered.length > 0 ? [`Let in already: ${covered.map(shortOpening).join(', ')}`] : []),
		...(narrower ? ['To narrow an opening, first remove it from the list'] : []),
	];
	return {
		text: advice.length > 0 ? [`${parts.join('. ')}.`, ...advice].join(' ') : parts.join('. '),
		tone: narrower || advice.length > 0 ? 'warning' : 'accept',
	};
}

function addsNothing(opening: Opening, openings: readonly Opening[]): boolean {
	return print(mergeOpenings([...openings, opening])) === print(openings);
}

function print(openings: readonly Opening[]): string {
	return openings.map(printOpening).join(', ');
}

/** Wraps a text to at most `most` lines. The last line is truncated where text is left over. */
function wrapTo(text: string, width: number, most: number): readonly string[] {
	const lines = wrapAnsi(text, width, {hard: true}).split('\n');
	return lines.length <= most
		? lines
		: [...lines.slice(0, most - 1), truncate(lines.slice(most - 1).join(' '), width)];
}
