import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import wrapAnsi from 'wrap-ansi';
import {explainObstacle} from '../../app/obstacle.ts';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import {UNKNOWN_HOST} from '../../app/ssh-command.ts';
import {NEW_CONNECTION} from '../../change/confirm-time.ts';
import type {Elevation} from '../../lib/command-line.ts';
import {commandLine} from '../../lib/command-line.ts';
import {isExact, isProven, onlyLocksOut} from '../../proof/report.ts';
import {describeClosed} from '../../ruleset/describe-lockout.ts';
import {AccessNote} from '../components/access-note.tsx';
import {Choices} from '../components/choices.tsx';
import {Paragraph, WidthContext} from '../components/paragraph.tsx';
import {WordField} from '../components/word-field.tsx';
import {rowsOf} from '../state/ports.ts';
import type {Applying} from '../state/state.ts';
import {describeBlocked} from '../text/served.ts';
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
				<Text {...styleOf('danger')}>{message}</Text>
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
	const running = proof.status === 'running' && elevation === undefined;
	const waits = flow.view === 'awaited';
	// A user who skipped the proof, or types the word, knows that it still runs.
	const mustWait = running && flow.view === 'rules' && plan.lockouts.length === 0;
	const load = elevation === undefined ? actions.apply : () => actions.elevate(elevation);
	const choices = [
		mustWait ? () => dispatch({type: 'view', view: 'awaited'}) : load,
		() => dispatch({type: 'back'}),
	];
	const blocked = describeBlocked(rowsOf(flow), plan);
	return (
		<Box flexDirection="column">
			{flow.outcome?.ok === false && <Failure {...flow.outcome} />}
			<ProofNote proof={proof} waits={waits} mustWait={mustWait} />
			{plan.lockouts.length > 0 && elevation === undefined ? (
				<WordField
					flow={flow}
					word={LOCK_OUT_WORD}
					label={`To load them all the same, type "${LOCK_OUT_WORD}" and press Enter:`}
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
				<AccessNote plan={plan} />
			</Box>
			{blocked !== undefined && <Paragraph close lines={[blocked]} tone="attention" />}
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
			<Text {...styleOf('danger')}>
				{wrapAnsi(`${glyphs.failed} ${message}. ${hint}.`, width, {hard: true})}
			</Text>
		</Box>
	);
}

type ProofNoteProps = Pick<StepProps, 'proof'> & {
	/** Whether the rules are loaded as soon as they are proven. */
	readonly waits: boolean;
	/** Whether Enter waits for the proof. */
	readonly mustWait: boolean;
};

/** What the proof found. The note is green only if the rules were proven. */
function ProofNote({proof, waits, mustWait}: ProofNoteProps): ReactElement {
	const width = useContext(WidthContext);
	const proven = proof.status === 'done' && isProven(proof.proof);
	const text = proven
		? isExact(proof.proof)
			? `${glyphs.done} Proven with real packets: exactly as you chose.`
			: `${glyphs.done} Proven as you chose, but for what Proof names as left out.`
		: proof.status === 'done'
			? onlyLocksOut(proof.proof)
				? `${glyphs.failed} Proven as you chose, and you could not log in again.`
				: `${glyphs.failed} The proof saw something else than you chose.`
			: proof.status === 'running'
				? waits
					? 'The rules are loaded when they are proven. Enter loads them now.'
					: `The proof still runs${mustWait ? ', and is waited for' : ''}. Esc goes back to it.`
				: 'Not proven: see the step Proof.';
	return (
		<Box flexShrink={0} marginBottom={1}>
			<Text {...styleOf(proven ? 'good' : 'attention')}>{truncate(text, width)}</Text>
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
function Waiting(props: WaitingProps): ReactElement {
	const {flow, machine, plan, height, actions, waiting} = props;
	const width = useContext(WidthContext);
	const {secondsLeft, logins, doubt, keepable, beside = []} = waiting;
	const tight = height < ROOM_FOR_ALL;
	const seconds = secondsText(secondsLeft);
	const countdown = tight
		? `The old rules are restored in ${seconds} s.`
		: `New rules are active. The old rules are restored in ${seconds} s, unless you keep the new ones.`;
	return (
		<Box flexDirection="column">
			<Text {...styleOf(secondsLeft <= 10 ? 'danger' : 'accent')}>
				{wrapAnsi(countdown, width, {hard: true})}
			</Text>
			{!tight && !screenReader && <Bar left={secondsLeft / machine.seconds} width={width} />}
			{(!tight || keepable) && (
				<Paragraph
					close={tight}
					lines={howToProve(waiting, machine, plan)}
					tone={
						logins.length > 0
							? 'good'
							: doubt === undefined && plan.lockouts.length === 0
								? 'plain'
								: 'attention'
					}
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
						word={KEEP_WORD}
						label={
							tight
								? `Log in again, or type ${KEEP_WORD} and Enter:`
								: `To keep them without that, type ${KEEP_WORD} and press Enter:`
						}
						onWord={actions.keep}
					/>
				</Box>
			)}
			<Paragraph lines={['Esc restores the old rules at once.']} tone="muted" />
			{!tight && beside.length > 0 && <Paragraph lines={beside.slice(0, 2)} tone="danger" />}
		</Box>
	);
}

function howToProve(
	{logins, doubt, keepable}: WaitingProps['waiting'],
	{rehearsal, sshCommand}: StepProps['machine'],
	{session, lockouts}: ApplyPlan,
): readonly string[] {
	const login = logins.at(-1);
	if (login !== undefined) {
		return [`${glyphs.done} New login from ${login} seen: you can still log in.`];
	}

	if (rehearsal) {
		return [
			'On the real machine you would now log in from a second terminal. Nobody can log in to a rehearsal.',
		];
	}

	if (keepable) {
		return ["You are at the machine's own console: no rule can lock you out of it."];
	}

	if (lockouts.length > 0) {
		const from = session.kind === 'remote' && session.client ? ` for ${session.client}` : '';
		return [
			`${describeClosed(lockouts)}${from} by these rules, as you chose: a login from there cannot succeed. Keep them only if console access works.`,
		];
	}

	// A shared connection of ssh(1) would not be a new one.
	const command = doubt === undefined ? sshCommand : sshCommand?.replace(/^ssh/, NEW_CONNECTION);
	const how = command === undefined ? ['Log in again from a second terminal.'] : [`    ${command}`];
	return [
		...(doubt === undefined ? [] : [`A login was seen. ${doubt}.`]),
		...(command === undefined ? [] : ['Log in again from a second terminal:']),
		...how,
		...(command?.includes(UNKNOWN_HOST)
			? ['HOST is the name or address that you use for it.']
			: []),
		...(doubt === undefined
			? [
					`This session proves nothing: it was open before. In the second terminal ${commandLine('confirm')} keeps the rules as well.`,
				]
			: []),
	];
}

/** The time that is left, as a bar that empties. */
function Bar({left, width}: {readonly left: number; readonly width: number}): ReactElement {
	const cells = Math.max(10, Math.min(60, width));
	const full = Math.max(0, Math.min(cells, Math.round(cells * left)));
	return (
		<Box flexShrink={0}>
			<Text {...styleOf(full > cells / 6 ? 'accent' : 'danger')}>{glyphs.cell.repeat(full)}</Text>
			<Text {...styleOf('muted')}>{glyphs.emptyCell.repeat(cells - full)}</Text>
		</Box>
	);
}
