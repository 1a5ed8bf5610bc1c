import {Box} from 'ink';
import type {ReactElement, ReactNode} from 'react';
import type {MarkedRow} from '../../ruleset/merge-families.ts';
import type {Layout} from '../layout.ts';
import type {Step} from '../state/state.ts';
import {glossaryLines} from '../text/glossary.ts';
import {WidthContext} from './paragraph.tsx';
import {RulesPanel} from './rules-panel.tsx';
import {Words} from './words.tsx';

type BodyProps = {
	readonly layout: Layout;
	/** Shown where the step leaves room for it. */
	readonly panel: ReactNode;
	readonly children: ReactNode;
};

/** The step, and the panel beside it or below it. */
export function StepBody({layout, panel, children}: BodyProps): ReactElement {
	const {beside, whole, stepHeight, stepWidth} = layout;
	return (
		<Box flexDirection={beside ? 'row' : 'column'}>
			<Box
				flexDirection="column"
				flexShrink={0}
				width={stepWidth}
				marginRight={beside && !whole ? 2 : 0}
				// The height is set also where the step fills the frame: of nested boxes, Ink clips by
				// the innermost only.
				height={stepHeight}
				overflowY="hidden"
			>
				<WidthContext value={stepWidth}>
					{/* A step that is too tall is cut at its end. Without this box, Ink would squeeze its first lines. */}
					<Box flexDirection="column" flexShrink={0}>
						{children}
					</Box>
				</WidthContext>
			</Box>
			{!whole && panel}
		</Box>
	);
}

type PanelProps = {
	readonly rows: readonly MarkedRow[];
	readonly step: Step;
	readonly layout: Layout;
};

/** The rules panel, with the words of the step under it where there is room. */
export function Panel({rows, step, layout}: PanelProps): ReactElement {
	const {panelWidth, panelHeight} = layout;
	const words = layout.words ? glossaryLines(step, panelWidth) : [];
	return (
		<Box flexDirection="column">
			<RulesPanel
				rows={rows}
				width={panelWidth}
				height={panelHeight - (words.length === 0 ? 0 : words.length + 2)}
			/>
			{words.length > 0 && <Words lines={words} />}
		</Box>
	);
}
