import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import {joinWords} from '../../lib/list.ts';
import {describeClosed} from '../../ruleset/describe-lockout.ts';
import {printAccessPort} from '../../ruleset/lockout.ts';
import {truncate} from '../text/truncate.ts';
import type {Line} from '../text/wrap.ts';
import {glyphs, styleOf} from '../theme.ts';
import {WidthContext} from './paragraph.tsx';

type Props = {readonly plan: Pick<ApplyPlan, 'session' | 'lockouts'>};

/** The number of lines that the note takes. */
export function accessNoteLines({lockouts}: Props['plan']): number {
	return lockouts.length > 0 ? 2 : 1;
}

/**
 * Whether this user can log in again, and through which ports; or the warning that the rules would lock the user out,
 * with the key that opens the port.
 */
export function AccessNote({plan}: Props): ReactElement {
	const width = useContext(WidthContext);
	return (
		<Box flexDirection="column" flexShrink={0}>
			{noteOf(plan).map(({text, tone}) => (
				<Text key={text} {...styleOf(tone)}>
					{truncate(text, width)}
				</Text>
			))}
		</Box>
	);
}

function noteOf({session, lockouts}: Props['plan']): readonly Line[] {
	switch (session.kind) {
		case 'console':
			return [
				{
					text: `${glyphs.done} You are at the machine's own console: no rule can lock you out of it.`,
					tone: 'good',
				},
			];
		case 'unknown':
			return [
				{
					text: 'How you are connected could not be detected: keep a second login open.',
					tone: 'attention',
				},
			];
		case 'remote': {
			const who = session.client ?? 'wherever you are';
			const ports = session.accessPorts.map(printAccessPort);
			return lockouts.length > 0
				? [
						{
							text: `${glyphs.failed} You would be locked out: ${describeClosed(lockouts)} for ${who}.`,
							tone: 'danger',
						},
						{
							text: `Press o to open ${joinWords(lockouts.map(printAccessPort))}.`,
							tone: 'danger',
						},
					]
				: [
						{
							text: `${glyphs.done} You can still log in: ${
								ports.length === 0
									? 'no port of this machine need be open for that.'
									: `${joinWords(ports)} ${ports.length === 1 ? 'stays' : 'stay'} open to ${who}`
							}`,
							tone: 'good',
						},
					];
		}
	}
}
