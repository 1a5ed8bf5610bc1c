import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import {commandLine} from '../../lib/command-line.ts';
import {Paragraph, WidthContext} from '../components/paragraph.tsx';
import {Scroll} from '../components/scroll.tsx';
import {WordField} from '../components/word-field.tsx';
import {rowsOf} from '../state/ports.ts';
import {checklistLines, isReadyToReboot} from '../text/checklist.ts';
import {describeOpen} from '../text/served.ts';
import {REBOOT_WORD} from '../text/texts.ts';
import {truncate} from '../text/truncate.ts';
import {glyphs, styleOf} from '../theme.ts';
import type {StepProps} from './step-props.ts';

/**
 * The number of lines beside the checklist: the outcome, what is open, how to undo it, and where `ready` is true
 * the offer to reboot.
 */
export function resultLines(ready: boolean): number {
	return ready ? 5 : 3;
}

export function ResultStep(props: StepProps): ReactElement {
	const {outcome} = props.flow;
	return outcome !== undefined && !outcome.ok ? (
		<Box flexDirection="column">
			<Paragraph close lines={[`${glyphs.failed} ${outcome.message}`]} tone="danger" />
			<Paragraph lines={[`${outcome.hint}.`, 'Esc goes back to Review.']} />
		</Box>
	) : (
		<Checklist {...props} />
	);
}

function Checklist({flow, machine, checklist, actions, height}: StepProps): ReactElement {
	const width = useContext(WidthContext);
	const {items, busy, error} = checklist;
	// After a boot the policy is not what the answers say.
	const open = flow.outcome === undefined ? '' : `Open now: ${describeOpen(rowsOf(flow))}`;
	const ready = items !== undefined && isReadyToReboot(items) && !machine.rehearsal;
	return (
		<Box flexDirection="column">
			<Text {...styleOf('good')}>
				{truncate(
					`${glyphs.done} ${flow.outcome?.message ?? 'A policy was applied and confirmed before.'}`,
					width,
				)}
			</Text>
			<Text>{truncate(open || ' ', width)}</Text>
			<Text {...styleOf(error === undefined ? 'muted' : 'danger')}>
				{truncate(error ?? (busy ? 'Looking.' : `To undo it: ${commandLine('undo')}`), width)}
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
					word={REBOOT_WORD}
					label={`All is well. To reboot now and see, type ${REBOOT_WORD} and press Enter:`}
					onWord={actions.reboot}
				/>
			)}
		</Box>
	);
}
