import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import wrapAnsi from 'wrap-ansi';
import {explainObstacle} from '../../app/obstacle.ts';
import {NEW_CONNECTION} from '../../change/confirm-time.ts';
import type {Elevation} from '../../host/exec/elevation.ts';
import {isExact, isProven, onlyLocksOut} from '../../proof/report.ts';
import {printAccessPort} from '../../ruleset/lockout.ts';
import {AccessNote} from '../components/access-note.tsx';
import {Choices} from '../components/choices.tsx';
import {Paragraph, WidthContext} from '../components/paragraph.tsx';
import {WordField} from '../components/word-field.tsx';
import type {Applying} from '../state/state.ts';
import {
	APPLY_TEXT,
	ELEVATE_TEXTS,
	ELEVATION_TEXT,
	KEEP_WORD,
	LOCK_OUT_WORD,
	safetyText,
	secondsText,
} from '../text/texts.ts';
import {truncate} from '../text/truncate.ts';
import {glyphs, screenReader, styleOf} from '../theme.ts';
import {elevationFor, type StepProps} from './step-props.ts';

export function ApplyStep(props: StepProps): ReactElement {
	const {flow, machine, plan} = props;
	const elevation = elevationFor(plan, machine);
	if (plan.obstacle !== undefined && elevation === undefined) {
		const {message, hint} = explainObstacle(plan.obstacle, plan);
		return (
			<Box flexDirection="column">
				<Text {...styleOf('warning')}>{message}</Text>
				<Paragraph lines={[hint]} />
			</Box>
		);
	}

	switch (flow.applying.phase) {
		case 'asking':
			return <Asking {...props} elevation={elevation} />;
		case 'loading':
			return <Text>Loading the rules and reading them back. Please wait.</Text>;
		case 'waiting':
			return <Waiting {...props} waiting={flow.applying} />;
		case 'deciding':
			return <Text>One moment.</Text>;
	}
}

type AskingProps = StepProps & {readonly elevation: Elevation | undefined};

function Asking(props: AskingProps): ReactElement {
	const {flow, dispatch, machine, plan, actions, proof, elevation} = props;
	const load = elevation === undefined ? actions.apply : () => actions.elevate(elevation);
	const choices = [load, () => dispatch({type: 'back'})];
	return (
		<Box flexDirection="column">
			{flow.outcome?.ok === false && <Failure {...flow.outcome} />}
			<ProofNote proof={proof} />
			{plan.lockouts.length > 0 && elevation === undefined ? (
				<WordField
					flow={flow}
					dispatch={dispatch}
					word={LOCK_OUT_WORD}
					label={`To load them all the same, type ${LOCK_OUT_WORD} and press Enter:`}
					onWord={actions.apply}
				/>
			) : (
				<Choices
					labels={[elevation === undefined ? APPLY_TEXT : ELEVATE_TEXTS[elevation], 'Back']}
					focus={flow.focus}
					onFocus={(index) => dispatch({type: 'focus', index})}
					onChoose={(index) => choices[index]?.()}
				/>
			)}
			<Box flexDirection="column" flexShrink={0} marginTop={1}>
				{machine.remoteClient && <AccessNote plan={plan} remoteClient={machine.remoteClient} />}
			</Box>
			<Paragraph
				close
				lines={[elevation === undefined ? safetyText(plan, machine.seconds) : ELEVATION_TEXT]}
			/>
		</Box>
	);
}

/** Why the wizard could not continue as root. */
function Failure({message, hint}: {readonly message: string; readonly hint: string}): ReactElement {
	const width = useContext(WidthContext);
	return (
		<Box flexShrink={0} flexDirection="column">
			<Text {...styleOf('warning')}>
				{wrapAnsi(`${glyphs.failed} ${message}. ${hint}.`, width, {hard: true})}
			</Text>
		</Box>
	);
}

/** What the proof found. The note is green only if the rules were proven. */
function ProofNote({proof}: Pick<StepProps, 'proof'>): ReactElement {
	const width = useContext(WidthContext);
	const proven = proof.status === 'done' && isProven(proof.proof);
	const text = proven
		? isExact(proof.proof)
			? `${glyphs.done} Proven with real packets: exactly as you chose.`
			: `${glyphs.done} Proven as you chose, but for what Proof names as left out.`
		: proof.status === 'done'
			? onlyLocksOut(proof.proof)
				? `${glyphs.failed} Proven as you chose, and you could not come in again.`
				: `${glyphs.failed} The proof saw something else than you chose.`
			: proof.status === 'running'
				? 'The proof still runs. Esc goes back to it.'
				: 'Not proven: see the step Proof.';
	return (
		<Box flexShrink={0} marginBottom={1}>
			<Text {...styleOf(proven ? 'accept' : 'warning')}>{truncate(text, width)}</Text>
		</Box>
	);
}

type WaitingProps = StepProps & {readonly waiting: Extract<Applying, {phase: 'waiting'}>};

/** The height from which on all texts fit, some of them wrapped. */
const ROOM_FOR_ALL = 10;

/**
 * The wait for the confirmation. On a low terminal the other texts give way to the key or word that
 * confirms, since the user must find it in time.
 */
function Waiting({flow, dispatch, machine, height, actions, waiting}: WaitingProps): ReactElement {
	const width = useContext(WidthContext);
	const {secondsLeft, logins, doubt, keepable, beside = []} = waiting;
	const tight = height < ROOM_FOR_ALL;
	const seconds = secondsText(secondsLeft);
	const countdown = tight
		? `The old rules come back in ${seconds} s.`
		: `The rules are loaded. The old ones come back in ${seconds} s, unless you keep these.`;
	return (
		<Box flexDirection="column">
			<Text {...styleOf(secondsLeft <= 10 ? 'warning' : 'accent')}>
				{wrapAnsi(countdown, width, {hard: true})}
			</Text>
			{(!tight || keepable) && (
				<Paragraph
					close={tight}
					lines={howToProve(waiting, machine)}
					tone={logins.length > 0 ? 'accept' : doubt === undefined ? 'plain' : 'warning'}
				/>
			)}
			{keepable ? (
				<Box marginTop={tight ? 0 : 1} flexShrink={0}>
					<Text bold>{screenReader ? '' : `${glyphs.pointer} `}Enter keeps the rules</Text>
				</Box>
			) : (
				<Box marginTop={tight ? 0 : 1} flexShrink={0}>
					<WordField
						flow={flow}
						dispatch={dispatch}
						word={KEEP_WORD}
						label={
							tight
								? `Log in anew, or type ${KEEP_WORD} and Enter:`
								: `To keep them without that, type ${KEEP_WORD} and press Enter:`
						}
						onWord={actions.keep}
					/>
				</Box>
			)}
			<Paragraph lines={['Esc puts the old rules back at once.']} tone="muted" />
			{!tight && beside.length > 0 && <Paragraph lines={beside.slice(0, 2)} tone="warning" />}
		</Box>
	);
}

function howToProve(
	{logins, doubt, keepable}: WaitingProps['waiting'],
	{rehearsal, remoteClient}: StepProps['machine'],
): readonly string[] {
	const login = logins.at(-1);
	if (login !== undefined) {
		return [`${glyphs.done} New login from ${login} seen: you can get in again.`];
	}

	if (rehearsal) {
		return [
			'On the real machine you would now log in from a second terminal. Nobody can log in to a rehearsal.',
		];
	}

	if (keepable) {
		return ["You are at the machine's own console: no rule can shut you out of that."];
	}

	const through = remoteClient
		? `, through ${remoteClient.accessPorts.map(printAccessPort).join(' or ')}`
		: '';
	if (doubt !== undefined) {
		return [`A login was seen. ${doubt}. Log in now as you did before${through}.`];
	}

	return [
		`Open a second terminal and log in now${through}, over a new connection (${NEW_CONNECTION}). This session proves nothing: it was open before. In the new one fw-wizard confirm keeps the rules as well.`,
	];
}
