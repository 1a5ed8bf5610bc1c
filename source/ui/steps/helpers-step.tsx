import {Box} from 'ink';
import {type ReactElement, useContext} from 'react';
import {HELPERS, type Helper} from '../../policy/helpers.ts';
import {Label, Pointer} from '../components/choices.tsx';
import {Paragraph, WidthContext} from '../components/paragraph.tsx';
import {Scroll} from '../components/scroll.tsx';
import {helperDirection} from '../text/texts.ts';
import {boxText, screenReader} from '../theme.ts';
import type {HostView, StepProps} from './step-props.ts';

/** Lines of the text about the focused helper, wrapped on a narrow terminal. */
const DETAILS = 5;
/** Columns of the pointer and the box before a helper's name. */
const BOX_COLUMNS = 6;
const NAME_COLUMNS = 11;

export function HelpersStep({flow, machine, height}: StepProps): ReactElement {
	const width = useContext(WidthContext);
	const focused = HELPERS[flow.focus];
	const more = focused ? cutOff(focused, width) : [];
	return (
		<Box flexDirection="column">
			<Scroll
				items={HELPERS}
				height={Math.max(3, height - DETAILS - more.length)}
				offset={flow.focus}
				around
				render={(helper, index) => (
					<>
						<Pointer isSelected={index === flow.focus} />
						<Label
							isSelected={index === flow.focus}
							label={`${boxText(flow.policy.helpers.includes(helper.name))} ${nameColumn(helper)}`}
							note={machine.helpers.get(helper.name) === 'no' ? ' (not here)' : ''}
						/>
					</>
				)}
			/>
			{focused && <Paragraph lines={[...more, ...describe(focused, machine)]} />}
		</Box>
	);
}

/**
 * A screen reader reads the whole list at every key, so the purpose is given for the focused helper
 * only.
 */
function nameColumn({name, purpose}: Helper): string {
	return screenReader ? name : `${name.padEnd(NAME_COLUMNS)}${purpose}`;
}

/** The purpose of a helper whose line in the list has no room for it. */
function cutOff(helper: Helper, width: number): readonly string[] {
	const whole = !screenReader && BOX_COLUMNS + nameColumn(helper).length <= width;
	return whole ? [] : [`${helper.purpose}.`];
}

function describe(helper: Helper, {helpers}: HostView): readonly string[] {
	const kernel = {
		yes: 'This kernel has it',
		no: 'This kernel does not have it',
		unknown: 'Whether this kernel has it is not known yet',
	}[helpers.get(helper.name) ?? 'unknown'];
	return [
		`Helps: ${helperDirection(helper)}.`,
		`Costs: ${helper.cost}.`,
		`${kernel}: ${helper.module}${helper.families.length === 1 ? '; IPv4 only' : ''}.`,
	];
}
