import {Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import {Menu} from '../components/menu.tsx';
import {WidthContext} from '../components/paragraph.tsx';
import {menuHeight} from '../menu-height.ts';
import {homeChoices} from '../state/navigation.ts';
import {HOME_CHOICES, UNDO_CHOICES} from '../state/state.ts';
import {blockedChoice, blockedLines} from '../text/blocked.ts';
import {homeLines, undoLines} from '../text/home.ts';
import {BLOCKED_TEXTS, HOME_TEXTS, UNDO_TEXTS} from '../text/texts.ts';
import {type Line, wrapLines} from '../text/wrap.ts';
import type {StepProps} from './step-props.ts';

/** The firewall that is active here, and what can be done about it. */
export function HomeStep({flow, machine, height}: StepProps): ReactElement {
	const width = useContext(WidthContext);
	return flow.applying.phase === 'deciding' ? (
		<Text>Restoring the earlier rules. Please wait.</Text>
	) : (
		<Menu
			lines={linesOfHome(flow, machine, width)}
			offset={flow.offset}
			choices={choicesOf(flow)}
			focus={flow.focus}
			height={height}
		/>
	);
}

/** What stands above the choices. */
export function linesOfHome(
	{view, outcome, blocked}: StepProps['flow'],
	{status}: StepProps['machine'],
	width: number,
): readonly Line[] {
	return status === undefined
		? wrapLines('The applied policy cannot be read: it may have been undone.', width, 'attention')
		: view === 'undo'
			? undoLines(status, outcome, width)
			: view === 'blocked'
				? blockedLines(blocked, width)
				: homeLines(status, width);
}

type Choice = {readonly label: string; readonly note?: string};

function choicesOf(flow: StepProps['flow']): readonly Choice[] {
	switch (flow.view) {
		case 'undo':
			return UNDO_CHOICES.map((choice) => UNDO_TEXTS[choice]);
		case 'blocked':
			return homeChoices(flow).map((choice) =>
				typeof choice === 'object'
					? blockedChoice(choice)
					: BLOCKED_TEXTS[choice === 'log' ? 'log' : 'back'],
			);
		default:
			return HOME_CHOICES.map((choice) => HOME_TEXTS[choice]);
	}
}

/** The lines of the screen above the choices. */
export function homeHeight(flow: StepProps['flow'], height: number): number {
	return menuHeight(height, homeChoices(flow).length);
}
