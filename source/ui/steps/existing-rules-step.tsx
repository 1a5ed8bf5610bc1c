import {Box} from 'ink';
import {type ReactElement, useContext} from 'react';
import type {NeighbourChoice} from '../../existing/describe-choice.ts';
import {Choices} from '../components/choices.tsx';
import {WidthContext} from '../components/paragraph.tsx';
import {Scroll} from '../components/scroll.tsx';
import {TextLine} from '../components/text-line.tsx';
import {type Line, wrapLines} from '../text/wrap.ts';
import type {StepProps} from './step-props.ts';

/** The explanation of a choice, wrapped to the width. */
export function choiceLines(choice: NeighbourChoice | undefined, width: number): readonly Line[] {
	return [
		...(choice?.refusal === undefined
			? []
			: wrapLines(`Not here: ${choice.refusal}`, width, 'attention')),
		...(choice?.warnings ?? []).flatMap((line) => wrapLines(line, width, 'attention')),
		...(choice?.means ?? []).flatMap((line) => wrapLines(line, width, 'plain')),
	];
}

/** The number of lines of the explanation that are visible. */
export function choiceHeight(choices: readonly unknown[], height: number): number {
	return Math.max(1, height - choices.length - marginOf(choices, height));
}

/**
 * The height of the empty line between the choices and the explanation; 0 where there is no room
 * for it.
 */
function marginOf(choices: readonly unknown[], height: number): number {
	return height - choices.length > 2 ? 1 : 0;
}

/**
 * Asks what happens to the existing rules of other programs, and explains what each choice removes
 * and what may stop working.
 */
export function ExistingRulesStep({flow, dispatch, actions, height}: StepProps): ReactElement {
	const width = useContext(WidthContext);
	const choices = flow.known.choices.value ?? [];
	const lines = choiceLines(choices[flow.focus], width);
	return (
		<Box flexDirection="column">
			<Choices
				labels={choices.map(
					({label, refusal}, index) =>
						`${label}${index === 0 ? ' (recommended)' : ''}${refusal === undefined ? '' : ' (not here)'}`,
				)}
				focus={flow.focus}
				pages
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
