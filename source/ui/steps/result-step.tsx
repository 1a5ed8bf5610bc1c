import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import {Paragraph, WidthContext} from '../components/paragraph.tsx';
import {Scroll} from '../components/scroll.tsx';
import {WordField} from '../components/word-field.tsx';
import {checklistLines, isReadyToReboot} from '../text/checklist.ts';
import {REBOOT_WORD} from '../text/texts.ts';
import {truncate} from '../text/truncate.ts';
import {glyphs, styleOf} from '../theme.ts';
import type {StepProps} from './step-props.ts';

/**
 * The number of lines beside the checklist: the outcome, and where `ready` is true the offer to
 * reboot.
 */
export function resultLines(ready: boolean): number {
	return ready ? 4 : 2;
}

export function ResultStep(props: StepProps): ReactElement {
	const {outcome} = props.flow;
	return outcome !== undefined && !outcome.ok ? (
		<Box flexDirection="column">
			<Paragraph close lines={[`${glyphs.failed} ${outcome.message}`]} tone="warning" />
			<Paragraph lines={[`${outcome.hint}.`, 'Esc goes back to Review.']} />
		</Box>
	) : (
		<Checklist {...props} />
	);
}

function Checklist({flow, dispatch, machine, checklist, actions, height}: StepProps): ReactElement {
	const width = useContext(WidthContext);
	const {items, busy, error} = checklist;
	const ready = items !== undefined && isReadyToReboot(items) && !machine.rehearsal;
	return (
		<Box flexDirection="column">
			<Text {...styleOf('accept')}>
				{truncate(
					`${glyphs.done} ${flow.outcome?.message ?? 'A policy was applied and kept before.'}`,
					width,
				)}
			</Text>
			<Text {...styleOf(error === undefined ? 'muted' : 'warning')}>
				{truncate(error ?? (busy ? 'Looking.' : ' '), width)}
			</Text>
			<Scroll
				items={checklistLines(items ?? [], width, flow.policy.verdict)}
				height={height - resultLines(ready)}
				offset={flow.offset}
				render={({text, tone}) => <Text {...styleOf(tone)}>{text}</Text>}
			/>
			{ready && (
				<WordField
					flow={flow}
					dispatch={dispatch}
					word={REBOOT_WORD}
					label={`All is well. To reboot now and see, type ${REBOOT_WORD} and press Enter:`}
					onWord={actions.reboot}
				/>
			)}
		</Box>
	);
}
