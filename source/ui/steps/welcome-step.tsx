import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import {Menu} from '../components/menu.tsx';
import {Paragraph, WidthContext} from '../components/paragraph.tsx';
import {menuHeight} from '../menu-height.ts';
import {WELCOME_CHOICES} from '../state/state.ts';
import {setupLines} from '../text/setup.ts';
import {safetyNote, WELCOME_TEXTS} from '../text/texts.ts';
import {type Line, wrapLines} from '../text/wrap.ts';
import {styleOf} from '../theme.ts';
import {isLooking, type StepProps} from './step-props.ts';

/** The whole recommended setup, and how to go on from it. */
export function WelcomeStep({flow, machine, height}: StepProps): ReactElement {
	const width = useContext(WidthContext);
	const lines = welcomeLines(flow, machine, width, height);
	const note = safetyNote(machine.seconds);
	return isLooking(flow, machine) ? (
		<Box flexDirection="column">
			<Box flexDirection="column" flexShrink={0}>
				{lines.map(({text, tone}) => (
					<Box key={text} flexShrink={0}>
						<Text {...styleOf(tone)}>{text}</Text>
					</Box>
				))}
			</Box>
			<Paragraph lines={[note]} />
		</Box>
	) : (
		<Menu
			lines={lines}
			offset={flow.offset}
			choices={WELCOME_CHOICES.map((choice) => WELCOME_TEXTS[choice])}
			focus={flow.focus}
			height={height}
			note={note}
		/>
	);
}

/** Warnings, the setup with its reasons, and what is known of the system. */
export function welcomeLines(
	flow: StepProps['flow'],
	machine: StepProps['machine'],
	width: number,
	height: number,
): readonly Line[] {
	const wrapped = machine.findings.map(({text, tone}) => wrapLines(text, width, tone));
	if (isLooking(flow, machine)) {
		return wrapped.flat();
	}

	const isWarning = ([first]: readonly Line[]) => first?.tone === 'attention';
	const warnings = wrapped.filter(isWarning).flat();
	return [
		...warnings,
		...setupLines(flow, width, welcomeHeight(height) - warnings.length),
		...wrapped.filter((lines) => !isWarning(lines)).flat(),
	];
}

/** The lines of the screen above the choices. */
export function welcomeHeight(height: number): number {
	return menuHeight(height, WELCOME_CHOICES.length);
}
