import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import {
	type AccessPort,
	judgeAccessPorts,
	printAccessPort,
	type RemoteClient,
} from '../../ruleset/lockout.ts';
import {truncate} from '../text/truncate.ts';
import {styleOf} from '../theme.ts';
import {WidthContext} from './paragraph.tsx';

type Props = {
	readonly plan: ApplyPlan;
	readonly remoteClient: RemoteClient;
};

/** The number of lines that the note takes. */
export function accessNoteLines(
	remoteClient: RemoteClient | undefined,
	closedAccessPorts: readonly AccessPort[],
): number {
	return remoteClient === undefined ? 0 : closedAccessPorts.length > 0 ? 2 : 1;
}

/**
 * Names the rules that allow this user to log in again; or warns that the rules would lock the user
 * out, and names the key that opens the port.
 */
export function AccessNote({plan, remoteClient}: Props): ReactElement {
	const {ruleSet, lockouts} = plan;
	const width = useContext(WidthContext);
	const who = remoteClient.client ?? 'wherever you are';
	if (lockouts.length > 0) {
		const ports = lockouts.map(printAccessPort).join(' and ');
		return (
			<Box flexDirection="column" flexShrink={0}>
				<Text {...styleOf('warning')}>
					{truncate(`You would be locked out: ${ports} is shut for ${who}.`, width)}
				</Text>
				<Text {...styleOf('warning')}>{truncate(`Press o to open ${ports}.`, width)}</Text>
			</Box>
		);
	}

	const openPorts = judgeAccessPorts(ruleSet, remoteClient).map(({accessPort, decision}) =>
		decision.by === undefined
			? printAccessPort(accessPort)
			: `${printAccessPort(accessPort)} by rule ${decision.by.index} of ${decision.by.chain}`,
	);
	return (
		<Box flexShrink={0}>
			<Text {...styleOf('accept')}>
				{truncate(`You, from ${who}, can come in again: ${openPorts.join(', ')}`, width)}
			</Text>
		</Box>
	);
}
