import {Box} from 'ink';
import {type ReactElement, useContext} from 'react';
import type {NeighbourChoice} from '../../existing/describe-choice.ts';
import {Choices} from '../components/choices.tsx';
import {WidthContext} from '../components/paragraph.tsx';
import {Scroll} from '../components/scroll.tsx';
import {TextLine} from '../components/text-line.tsx';
import {type Line, wrapLines} from '../text/wrap.ts';
import type {StepProps} from './step-props.ts';

/** What a choice means, wrapped. */
export function choiceLines(choice: NeighbourChoice | undefined, width: number): readonly Line[] {
	return [
		...(choice?.refusal === undefined
			? []
			: wrapLines(`Not here: ${choice.refusal}`, width, 'warning')),
		...(choice?.means ?? []).flatMap((line) => wrapLines(line, width, 'plain')),
	];
}

/** How many lines of it are on the screen. */
export function choiceHeight(choices: readonly unknown[], height: number): number {
	return Math.max(1, height - choices.length - marginOf(choices, height));
}

/** The empty line between the choices and what they mean, where there is room for it. */
function marginOf(choices: readonly unknown[], height: number): number {
	return height - choices.length > 2 ? 1 : 0;
}

/** What becomes of rules that are there already: what goes with each choice, and what that breaks. */
export function NeighboursStep({flow, dispatch, actions, height}: StepProps): ReactElement {
	const width = useContext(WidthContext);
	const choices = flow.known.choices ?? [];
	const lines = choiceLines(choices[flow.focus], width);
	return (
		<Box flexDirection="column">
			<Choices
				labels={choices.map(
					({label, refusal}, index) =>
						`${label}${index === 0 ? ' (recommended)' : ''}${refusal === undefined ? '' : ' (not here)'}`,
				)}
				focus={flow.focus}
				onFocus={(index) => dispatch({type: 'focus', index})}
				onChoose={(index) => {
					const choice = choices[index];
					if (choice?.refusal === undefined && choice?.existing === undefined) {
						actions.leave();
					} else {
						dispatch({type: 'choose', index});
					}
				}}
			/>
			<Box flexDirection="column" flexShrink={0} marginTop={marginOf(choices, height)}>
				<Scroll
					items={lines}
					height={choiceHeight(choices, height)}
					offset={flow.offset}
					render={(line) => <TextLine {...line} />}
				/>
			</Box>
		</Box>
	);
}
