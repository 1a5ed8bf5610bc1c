import {Box} from 'ink';
import type {ReactElement} from 'react';
import {HELPERS, type Helper} from '../../policy/helpers.ts';
import {Label, Pointer} from '../components/choices.tsx';
import {Paragraph} from '../components/paragraph.tsx';
import {Scroll} from '../components/scroll.tsx';
import {helperDirection} from '../texts.ts';
import type {Machine, StepProps} from './step-props.ts';

/** Lines under the list that say what the focused helper means, wrapped on a narrow terminal. */
const DETAILS = 5;

export function HelpersStep({flow, machine, height}: StepProps): ReactElement {
	const focused = HELPERS[flow.focus];
	return (
		<Box flexDirection="column">
			<Scroll
				items={HELPERS}
				height={Math.max(3, height - DETAILS)}
				offset={flow.focus}
				around
				render={(helper, index) => (
					<>
						<Pointer isSelected={index === flow.focus} />
						<Label
							isSelected={index === flow.focus}
							label={`[${flow.policy.helpers.includes(helper.name) ? 'x' : ' '}] ${helper.name.padEnd(11)}${helper.purpose}`}
							note={machine.helpers.get(helper.name) === 'no' ? ' (not here)' : ''}
						/>
					</>
				)}
			/>
			{focused && <Paragraph lines={describe(focused, machine)} />}
		</Box>
	);
}

function describe(helper: Helper, {helpers}: Machine): readonly string[] {
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
