import process from 'node:process';
import {setImmediate as yieldToEventLoop} from 'node:timers/promises';
import {render} from 'ink';
import {createElement} from 'react';
import {type ApplyFacts, knownFacts} from '../app/apply-facts.ts';
import {makeChecker} from '../app/check.ts';
import {continueAsRoot} from '../app/continue-as-root.ts';
import {discover} from '../app/discover.ts';
import {type ApplyPlan, planApply} from '../app/plan-apply.ts';
import {makeProver} from '../app/prove.ts';
import type {WizardRequest} from '../app/wizard-request.ts';
import {readAppliedPolicy} from '../change/applied.ts';
import {hasBooted} from '../checklist/checklist.ts';
import {findExposure} from '../exposure/find.ts';
import {findElevation} from '../host/exec/elevation.ts';
import type {Facts} from '../host/machine/facts.ts';
import {findHelpers} from '../host/machine/modules.ts';
import {isRehearsal} from '../host/rehearsal/is-rehearsal.ts';
import {findInitSystem} from '../persistence/plan.ts';
import type {Policy} from '../policy/policy.ts';
import {App, type Suspend} from './app.tsx';
import {beginApplying} from './begin-applying.ts';
import {KeyStream} from './keys/input-stream.ts';
import type {ExitReason} from './state/exit-reason.ts';
import {type Flow, NOTHING_KNOWN, startFlow} from './state/state.ts';
import type {Machine} from './steps/step-props.ts';
import type {Screen} from './terminal/alternate-screen.ts';
import {PASTE_OFF, PASTE_ON, PasteMode} from './terminal/paste-mode.tsx';
import {summarize} from './text/summary.ts';
import {ELEVATION_ANNOUNCEMENTS} from './text/texts.ts';
import {addressesOf, describeMachine, describeNat} from './text/welcome.ts';

type Options = WizardRequest & {
	readonly banner: string | undefined;
	readonly keys: KeyStream;
	readonly screen: Screen;
	readonly facts: Facts;
};

/** The wizard on the screen that is open already. @returns the exit code */
export async function openWizard(options: Options): Promise<number> {
	const {preset, existing, atApply, seconds, boot, banner, screen, facts} = options;
	/** What was decided on the rules of others, for what is said at the end. */
	let decided = existing;
	const constant = {
		families: facts.families,
		...(banner === undefined ? {} : {banner}),
		onApply: async (plan: ApplyPlan) => {
			decided = plan.existing;
			return beginApplying(plan, seconds);
		},
		prover: makeProver(facts),
		checker: makeChecker(facts),
	};
	/** Plans with what is known of existing rules; their connections are those of the moment. */
	const plannerFor =
		(known: Partial<ApplyFacts>): Machine['planApply'] =>
		(policy, chosen) =>
			planApply({policy, existing: chosen, boot}, {...knownFacts(facts), ...known});
	/** Grows as more is found out. */
	let machine: Machine = {
		findings: describeMachine(facts),
		looking: ['what listens, and which rules there are already'],
		known: NOTHING_KNOWN,
		nat: describeNat(facts),
		findExposure: async (plan) => findExposure(facts, plan),
		helpers: new Map(),
		addresses: addressesOf(facts),
		inInterface: facts.interfaces[0]?.name ?? 'eth0',
		remoteClient: facts.session.kind === 'remote' ? facts.session : undefined,
		seconds,
		rehearsal: isRehearsal(),
		boot: findInitSystem(boot)?.name,
		elevation: facts.root ? undefined : findElevation(),
		planApply: plannerFor({}),
	};
	let draw = () => {};
	/** Shows what was found out meanwhile. */
	const learn = (part: Partial<Machine>) => {
		machine = {...machine, ...part};
		draw();
	};
	void findHelpers().then((helpers) => learn({helpers}));
	void discover(facts).then((found) =>
		learn({
			known: found.known,
			findings: describeMachine(facts, found),
			looking: [],
			planApply: plannerFor(found.existing),
		}),
	);
	/** Shows the wizard until it is left. */
	const show = async (start: Flow, keys: KeyStream): Promise<ExitReason> => {
		const listeners = {
			onTyping(typing: boolean) {
				keys.typing = typing;
			},
			onHold(held: boolean) {
				keys.held = held;
			},
			onDrawing(drawing: boolean) {
				keys.drawing = drawing;
			},
			onSuspendable(suspend: Suspend | undefined) {
				// Pressed once more before it stops, it means nothing.
				keys.suspend = suspend && (() => void suspend(stopHere).catch(() => {}));
			},
		};
		const element = () =>
			createElement(
				PasteMode,
				null,
				createElement(App, {...constant, ...listeners, start, machine}),
			);
		// A signal that came while this was being loaded is delivered in between: it ends the program,
		// and would be lost once the screen has changed hands.
		await yieldToEventLoop();
		await yieldToEventLoop();
		const app = render(element(), {
			stdin: keys as unknown as NodeJS.ReadStream,
			stdout: screen.handOver(),
			exitOnCtrlC: false,
			interactive: true,
			alternateScreen: true,
			incrementalRendering: true,
			patchConsole: false,
		});
		draw = () => app.rerender(element());
		try {
			return (await app.waitUntilExit()) as ExitReason;
		} finally {
			// Once left, drawing again would take the terminal over again.
			draw = () => {};
			keys.stop();
		}
	};
	const first = atApply ? 'apply' : facts.root && hasBooted() ? 'result' : 'welcome';
	let flow: Flow = {
		...startFlow(preset, recommendRoles(facts), facts.services, first),
		existing,
	};
	let {keys} = options;
	for (;;) {
		const reason = await show(flow, keys);
		if (typeof reason !== 'object' || !('elevation' in reason)) {
			const {text, exitCode} = summarize(reason, {
				policy: readKept(facts),
				existing: decided,
				boot: machine.boot,
				address: machine.addresses[0],
				rehearsal: machine.rehearsal,
			});
			process.stdout.write(text);
			return exitCode;
		}

		process.stdout.write(`${ELEVATION_ANNOUNCEMENTS[reason.elevation]}\n`);
		const elevated = await continueAsRoot(reason.elevation, {...reason.flow, boot}, seconds);
		if (elevated.started) {
			return elevated.exitCode;
		}

		const {message, hint} = elevated;
		flow = {...reason.flow, outcome: {ok: false, message, hint, rolledBack: false}};
		keys = new KeyStream(process.stdin);
	}
}

/** Who came from outside wants to come again. */
function recommendRoles({
	session,
}: Facts): readonly ['server', 'workstation'] | readonly ['workstation', 'server'] {
	return session.kind === 'remote' ? ['server', 'workstation'] : ['workstation', 'server'];
}

/**
 * What Ctrl-Z does where the terminal itself looks after it: stops this program, and those around it
 * that the shell counts to the same job. Comes back when the shell lets it go on, or at once where
 * there is no shell that could.
 */
async function stopHere(): Promise<void> {
	process.stdout.write(PASTE_OFF);
	process.kill(0, 'SIGTSTP');
	process.stdout.write(PASTE_ON);
}

/** What was kept last; nothing where it was damaged meanwhile. */
function readKept({services}: Facts): Policy | undefined {
	try {
		return readAppliedPolicy(services);
	} catch {
		return undefined;
	}
}
