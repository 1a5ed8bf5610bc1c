import type {Viewport} from '../keys/key-state.ts';
import {checklistLines} from '../text/checklist.ts';
import {choiceHeight, choiceLines} from './existing-rules-step.tsx';
import {homeHeight, linesOfHome} from './home-step.tsx';
import {alternativeLines} from './ports-step.tsx';
import {resultLines} from './result-step.tsx';
import {reviewHeight} from './review-step.tsx';
import type {StepProps} from './step-props.ts';
import {welcomeHeight, welcomeLines} from './welcome-step.tsx';

/** How long the text is that the step scrolls, and how much of it the screen shows, in lines. */
export function viewportOf(
	props: Pick<StepProps, 'flow' | 'machine' | 'plan' | 'review' | 'checklist' | 'height'>,
	{columns, offersReboot}: {readonly columns: number; readonly offersReboot: boolean},
): Viewport {
	const {flow, machine, review, checklist, height} = props;
	switch (flow.step) {
		case 'home':
			return {
				lines: linesOfHome(flow, machine, columns).length,
				height: homeHeight(flow, height),
			};
		case 'welcome':
			return {
				lines: welcomeLines(flow, machine, columns, height).length,
				height: welcomeHeight(height),
			};
		case 'neighbours': {
			const choices = flow.known.choices.value ?? [];
			return {
				lines: choiceLines(choices[flow.focus], columns).length,
				height: choiceHeight(choices, height),
			};
		}

		case 'ports':
			return {
				lines: flow.view === 'alternatives' ? alternativeLines(flow, machine, columns).length : 0,
				height,
			};
		case 'review':
			return {lines: review.length, height: reviewHeight(props)};
		case 'result':
			return {
				lines: checklistLines(checklist.items ?? [], columns, flow.policy.verdict).length,
				height: height - resultLines(offersReboot),
			};
		default:
			return {lines: 0, height};
	}
}
