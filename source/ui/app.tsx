import {useApp, useInput, useWindowSize} from 'ink';
import {type ReactElement, useEffect, useLayoutEffect, useMemo, useReducer} from 'react';
import type {Checker} from '../app/check.ts';
import type {Prover} from '../app/prove.ts';
import type {Elevation} from '../lib/command-line.ts';
import type {Family} from '../lib/network.ts';
import {undoFailureOf} from './begin-applying.ts';
import {Frame} from './components/frame.tsx';
import {countdownLines, Help} from './components/help.tsx';
import {Panel, StepBody} from './components/step-body.tsx';
import {type Apply, useApplying, useAwaitedProof} from './hooks/use-apply.ts';
import {useBeside} from './hooks/use-beside.ts';
import {useChecklist} from './hooks/use-checklist.ts';
import {useExposure} from './hooks/use-exposure.ts';
import {useHelp} from './hooks/use-help.ts';
import {usePlan} from './hooks/use-plan.ts';
import {useProof} from './hooks/use-proof.ts';
import {useStatus} from './hooks/use-status.ts';
import {bindingsOf, keyEventOf} from './keys/bindings.ts';
import {CLOSING, keyLine, SCROLLING} from './keys/format-bindings.ts';
import type {KeyEvent} from './keys/key-events.ts';
import {inputModeOf, type KeyState} from './keys/key-state.ts';
import {layOut} from './layout.ts';
import type {ExitReason} from './state/exit-reason.ts';
import {isTyping} from './state/ports.ts';
import {reduceFlow} from './state/reducer.ts';
import type {Flow} from './state/state.ts';
import {elevationFor, type HostView, isLooking} from './steps/step-props.ts';
import {STEP_VIEWS} from './steps/step-views.ts';
import {viewportOf} from './steps/viewport.ts';
import {useRepaint} from './terminal/use-repaint.ts';
import {isReadyToReboot} from './text/checklist.ts';
import {helpLines} from './text/help.ts';
import {reviewLines} from './text/review.ts';
import {openingsToKeep} from './text/review-summary.ts';
import {questionOf} from './text/texts.ts';

/** Gives the terminal back in its original state, until the given function has ended. */
export type Suspend = (during: () => Promise<void>) => Promise<unknown>;

export type AppProps = {
	readonly start: Flow;
	readonly machine: HostView;
	readonly families: readonly Family[];
	readonly banner?: string;
	readonly onApply: Apply;
	readonly prover: Prover;
	readonly checker: Checker;
	/** Receives whether a field takes the keys as text, at each change. */
	readonly onTyping: (typing: boolean) => void;
	/** Receives whether keys must wait for facts that are still missing, at each change. */
	readonly onHold: (held: boolean) => void;
	/**
	 * Receives true when a frame was drawn, and false when its components listen for keys as well.
	 */
	readonly onDrawing: (drawing: boolean) => void;
	/**
	 * Receives the function that suspends the wizard, or undefined while it must not be suspended.
	 */
	readonly onSuspendable: (suspend: Suspend | undefined) => void;
	/** Receives the function that draws the whole screen again. */
	readonly onRepaintable: (repaint: () => void) => void;
};

/** The wizard. Ink's exit gets an `ExitReason`. */
export function App(props: AppProps): ReactElement {
	const {machine, families, onApply, onTyping, onHold, onDrawing, onSuspendable, onRepaintable} =
		props;
	const [flow, dispatch] = useReducer(reduceFlow, props.start);
	const size = useWindowSize();
	const {exit, suspendTerminal} = useApp();
	// Also when the wait is over: the watchdog tells everybody who is logged in what it has done.
	const repaint = useRepaint(flow.applying.phase !== 'asking' || flow.outcome?.ok === false);
	useLayoutEffect(() => onRepaintable(repaint), [onRepaintable, repaint]);
	const help = useHelp(flow);
	const layout = layOut(flow, size, {banner: props.banner !== undefined, help: help.shown});
	const {columns, height} = layout;
	const {plan: planned, marked} = usePlan(flow, machine, families);
	const plan = useBeside(planned, flow.step === 'review', machine);
	const {apply, decide} = useApplying(onApply, dispatch);
	const {checklist, act} = useChecklist(
		flow.step === 'result' && flow.outcome?.ok !== false,
		props.checker,
	);
	const offersReboot =
		!machine.rehearsal && checklist.items !== undefined && isReadyToReboot(checklist.items);
	const {proof, comparison} = useProof(
		plan,
		// Apply proves as well: a user who continues as root, or comes from the checklist after a boot,
		// has not seen Proof.
		flow.step === 'proof' || flow.step === 'apply',
		props.prover,
	);

	useAwaitedProof(flow, proof, dispatch, () => void apply(plan));
	useLayoutEffect(() => dispatch({type: 'learn', known: machine.known}), [machine.known]);
	useStatus(flow, machine, dispatch);
	const exposure = useExposure(flow, plan, machine);
	const review = useMemo(
		() => (flow.step === 'review' ? reviewLines({...flow, plan, exposure}, columns) : []),
		[flow, plan, exposure, columns],
	);
	const typing = isTyping(flow);
	useLayoutEffect(() => onTyping(typing), [onTyping, typing]);
	// Root who continues at Apply has not waited in Welcome: what containers publish decides on the rules.
	const held =
		(flow.step === 'welcome' || flow.step === 'apply') &&
		flow.applying.phase === 'asking' &&
		isLooking(flow, machine);
	useLayoutEffect(() => onHold(held), [onHold, held]);
	useLayoutEffect(() => onDrawing(true));
	useEffect(() => onDrawing(false));
	const obstacle = flow.step === 'apply' ? plan.obstacle : undefined;
	const stepState: KeyState = {
		flow,
		proving: proof.status === 'running',
		lockedOut: plan.lockouts.length > 0,
		cutOff: openingsToKeep(plan),
		obstacle: obstacle && (elevationFor(plan, machine) === undefined ? 'impossible' : 'needs root'),
		mendable: checklist.items?.some(({state}) => state === 'failed') ?? false,
		offersReboot,
		looking: isLooking(flow, machine),
		suggested: machine.suggested,
		viewport: viewportOf({flow, machine, plan, review, checklist, height}, {columns, offersReboot}),
	};
	const bindings = bindingsOf(stepState);
	const helpHeight = height - countdownLines(flow.applying);
	const explained = help.shown ? helpLines(flow.step, bindings, {columns, height: helpHeight}) : [];
	const keyState: KeyState = help.shown
		? {...stepState, viewport: {lines: explained.length, height: helpHeight}}
		: stepState;
	// The process that loads the rules must not be stopped while it does.
	const busy = inputModeOf(keyState) === 'busy';
	useLayoutEffect(
		() => onSuspendable(busy ? undefined : suspendTerminal),
		[onSuspendable, busy, suspendTerminal],
	);

	const undo = async () => {
		dispatch({type: 'applying', applying: {phase: 'deciding'}});
		try {
			exit({undone: await machine.undo()} satisfies ExitReason);
		} catch (error) {
			dispatch({type: 'undo-failed', outcome: undoFailureOf(error)});
			await machine.readStatus();
		}
	};

	const run = async (event: KeyEvent) => {
		switch (event.type) {
			case 'help':
				help.show(!help.shown);
				return;
			case 'scroll-help':
				help.scroll(event.by, event.last);
				return;
			case 'leave':
				exit(event.reason);
				return;
			case 'decide': {
				const outcome = await decide(event.how);
				if (event.leave) {
					exit(outcome);
				}

				return;
			}

			case 'undo':
				await undo();
				return;
			case 'checklist':
				// Said from the beginning: also where it is left in the middle, something may have been fixed.
				if (event.action === 'mend') {
					dispatch({type: 'fixed'});
				}

				await act(event.action);
				return;
			default:
				dispatch(event);
		}
	};

	useInput((input, key) => {
		const event = keyEventOf(keyState, {input, key}, help.shown);
		if (event) {
			void run(event);
		}
	});

	const actions = {
		apply: () => void apply(plan),
		keep: () => void decide('keep'),
		leave: () => exit(flow.parting ?? flow.outcome),
		elevate: (elevation: Elevation) => exit({elevation, flow} satisfies ExitReason),
		reboot: () => void props.checker.reboot(),
	};

	const keys = help.shown
		? explained.length > helpHeight
			? SCROLLING
			: CLOSING
		: keyLine(bindings, columns);

	const CurrentStep = STEP_VIEWS[flow.step];
	return (
		<Frame
			flow={flow}
			columns={columns}
			rows={size.rows}
			banner={props.banner}
			head={machine.head}
			question={questionOf(flow, machine.headline)}
			keys={keys}
		>
			<StepBody layout={layout} panel={<Panel rows={marked} step={flow.step} layout={layout} />}>
				{help.shown ? (
					<Help
						applying={flow.applying}
						lines={explained}
						offset={help.offset}
						height={layout.stepHeight}
					/>
				) : (
					<CurrentStep
						key={flow.step}
						flow={flow}
						dispatch={dispatch}
						machine={machine}
						plan={plan}
						review={review}
						height={layout.stepHeight}
						proof={proof}
						comparison={comparison}
						checklist={checklist}
						actions={actions}
					/>
				)}
			</StepBody>
		</Frame>
	);
}
