import {Box, useApp, useInput, useWindowSize} from 'ink';
import {type ReactElement, useEffect, useLayoutEffect, useMemo, useReducer} from 'react';
import type {Checker} from '../app/check.ts';
import type {Prover} from '../app/prove.ts';
import type {Elevation} from '../host/exec/elevation.ts';
import type {Family} from '../lib/network.ts';
import {openingFor} from '../ruleset/lockout.ts';
import {Frame} from './components/frame.tsx';
import {Help} from './components/help.tsx';
import {WidthContext} from './components/paragraph.tsx';
import {RulesPanel} from './components/rules-panel.tsx';
import {type Apply, useApplying} from './hooks/use-apply.ts';
import {useBeside} from './hooks/use-beside.ts';
import {useChecklist} from './hooks/use-checklist.ts';
import {useExposure} from './hooks/use-exposure.ts';
import {useHelp} from './hooks/use-help.ts';
import {usePlan} from './hooks/use-plan.ts';
import {useProof} from './hooks/use-proof.ts';
import {bindingsOf, keyEventOf} from './keys/bindings.ts';
import {CLOSING, keyLine} from './keys/format-bindings.ts';
import type {KeyEvent} from './keys/key-events.ts';
import {inputModeOf, type KeyState} from './keys/key-state.ts';
import {layOut} from './layout.ts';
import type {ExitReason} from './state/exit-reason.ts';
import {isTyping, reduceFlow} from './state/reducer.ts';
import type {Flow} from './state/state.ts';
import {ApplyStep} from './steps/apply-step.tsx';
import {HelpersStep} from './steps/helpers-step.tsx';
import {NeighboursStep} from './steps/neighbours-step.tsx';
import {PortsStep} from './steps/ports-step.tsx';
import {ProofStep} from './steps/proof-step.tsx';
import {RejectionStep} from './steps/rejection-step.tsx';
import {ResultStep} from './steps/result-step.tsx';
import {ReviewStep} from './steps/review-step.tsx';
import {RoleStep} from './steps/role-step.tsx';
import {elevationFor, type HostView} from './steps/step-props.ts';
import {viewportOf} from './steps/viewport.ts';
import {WelcomeStep} from './steps/welcome-step.tsx';
import {useRepaint} from './terminal/use-repaint.ts';
import {isReadyToReboot} from './text/checklist.ts';
import {reviewLines} from './text/review.ts';

const STEP_VIEWS = {
	welcome: WelcomeStep,
	neighbours: NeighboursStep,
	role: RoleStep,
	rejection: RejectionStep,
	helpers: HelpersStep,
	ports: PortsStep,
	review: ReviewStep,
	proof: ProofStep,
	apply: ApplyStep,
	result: ResultStep,
} as const;

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

	useLayoutEffect(() => dispatch({type: 'learn', known: machine.known}), [machine.known]);
	const exposure = useExposure(flow, plan, machine);
	const review = useMemo(
		() => (flow.step === 'review' ? reviewLines({...flow, ...plan, exposure}, columns) : []),
		[flow, plan, exposure, columns],
	);
	const typing = isTyping(flow);
	useLayoutEffect(() => onTyping(typing), [onTyping, typing]);
	const held = flow.step === 'welcome' && machine.looking.length > 0;
	useLayoutEffect(() => onHold(held), [onHold, held]);
	useLayoutEffect(() => onDrawing(true));
	useEffect(() => onDrawing(false));
	const obstacle = flow.step === 'apply' ? plan.obstacle : undefined;
	const keyState: KeyState = {
		flow,
		missingOpenings: plan.lockouts.map(openingFor),
		obstacle: obstacle && (elevationFor(plan, machine) === undefined ? 'impossible' : 'needs root'),
		mendable: checklist.items?.some(({state}) => state === 'failed') ?? false,
		offersReboot,
		viewport: viewportOf({flow, machine, plan, review, checklist, height}, {columns, offersReboot}),
	};
	const bindings = bindingsOf(keyState);
	// The process that loads the rules must not be stopped while it does.
	const busy = inputModeOf(keyState) === 'busy';
	useLayoutEffect(
		() => onSuspendable(busy ? undefined : suspendTerminal),
		[onSuspendable, busy, suspendTerminal],
	);

	const run = async (event: KeyEvent) => {
		switch (event.type) {
			case 'help':
				help.show(!help.shown);
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

			case 'checklist':
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
		leave: () => exit(flow.outcome),
		elevate: (elevation: Elevation) => exit({elevation, flow} satisfies ExitReason),
		reboot: () => void props.checker.reboot(),
	};

	const keys = help.shown ? CLOSING : keyLine(bindings, columns);

	const {beside, whole, stepHeight, panelHeight, stepWidth, panelWidth} = layout;
	const CurrentStep = STEP_VIEWS[flow.step];
	return (
		<Frame flow={flow} columns={columns} rows={size.rows} banner={props.banner} keys={keys}>
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
							{help.shown ? (
								<Help applying={flow.applying} bindings={bindings} height={stepHeight} />
							) : (
								<CurrentStep
									key={flow.step}
									flow={flow}
									dispatch={dispatch}
									machine={machine}
									plan={plan}
									review={review}
									height={stepHeight}
									proof={proof}
									comparison={comparison}
									checklist={checklist}
									actions={actions}
								/>
							)}
						</Box>
					</WidthContext>
				</Box>
				{!whole && <RulesPanel rows={marked} width={panelWidth} height={panelHeight} />}
			</Box>
		</Frame>
	);
}
