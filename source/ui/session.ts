import process from 'node:process';
import {setImmediate as yieldToEventLoop} from 'node:timers/promises';
import {render} from 'ink';
import {createElement} from 'react';
import {type ApplyFacts, knownFacts} from '../app/apply-facts.ts';
import {requestFlags} from '../app/apply-request.ts';
import {type Beside, findBeside} from '../app/beside-policy.ts';
import {makeChecker} from '../app/check.ts';
import {continueAsRoot} from '../app/continue-as-root.ts';
import {discover, type WizardReport} from '../app/discover.ts';
import {type ApplyPlan, planApply} from '../app/plan-apply.ts';
import {makeProver} from '../app/prove.ts';
import {openPacketTrier} from '../app/try-packet.ts';
import type {WizardRequest} from '../app/wizard-request.ts';
import {readAppliedPolicy} from '../change/applied.ts';
import {hasBooted} from '../checklist/checklist.ts';
import {findExposure} from '../exposure/find.ts';
import {findElevation} from '../host/exec/elevation.ts';
import type {Facts} from '../host/machine/facts.ts';
import {interfaceNames} from '../host/machine/interfaces.ts';
import {findHelpers} from '../host/machine/modules.ts';
import {isRehearsal} from '../host/rehearsal/is-rehearsal.ts';
import {findInitSystem} from '../persistence/plan.ts';
import {readWatchChoice, USUAL_WATCH} from '../persistence/watch/choice.ts';
import {isWatching} from '../persistence/watch/plan-watch.ts';
import type {Policy} from '../policy/policy.ts';
import {App, type Suspend} from './app.tsx';
import {beginApplying} from './begin-applying.ts';
import {KeyStream} from './keys/input-stream.ts';
import type {ExitReason} from './state/exit-reason.ts';
import {type Flow, NOTHING_KNOWN, startFlow} from './state/state.ts';
import type {HostView} from './steps/step-props.ts';
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

/**
 * Runs the wizard on a screen that is already open.
 * @returns the exit code
 */
export async function openWizard(options: Options): Promise<number> {
	const {preset, existing, atApply, seconds, boot, rehearsal, banner, screen, facts} = options;
	/** The decision about the existing rules of other programs, for the summary at the end. */
	let decided = existing;
	/** What Review has said of other programs' rules, for each request: that is what the user accepts. */
	const found = new Map<string, Promise<Beside>>();
	const keyOf = (plan: ApplyPlan) => requestFlags(plan).join(' ');
	const constant = {
		families: facts.families,
		...(banner === undefined ? {} : {banner}),
		onApply: async (plan: ApplyPlan) => {
			decided = plan.existing;
			const result = await beginApplying(plan, seconds, await found.get(keyOf(plan)));
			if ('ok' in result && !result.ok) {
				found.clear();
				// Perhaps the rules of other programs have changed: the next plan must know of that.
				lookAround();
			}

			return result;
		},
		prover: makeProver(facts),
		checker: makeChecker(facts),
	};
	/** Makes a planner from the facts about existing rules. Each plan reads the connections again. */
	const plannerFor =
		(known: Partial<ApplyFacts>): HostView['planApply'] =>
		(policy, chosen) =>
			planApply({policy, existing: chosen, boot, rehearsal}, {...knownFacts(facts), ...known});
	/** The facts about the machine. They are replaced as more is known. */
	let machine: HostView = {
		findings: describeMachine(facts),
		looking: ['what listens, and which rules there are already'],
		known: NOTHING_KNOWN,
		nat: describeNat(facts),
		findExposure: async (plan) => findExposure(facts, plan),
		async findBeside(plan) {
			const finding = findBeside(plan);
			if (plan.obstacle === undefined) {
				found.set(keyOf(plan), finding);
			}

			return finding;
		},
		openPacketTrier: async (plan) =>
			openPacketTrier(facts, {...plan, backend: facts.iptables?.backend}),
		helpers: new Map(),
		addresses: addressesOf(facts),
		inInterface: facts.interfaces[0]?.name ?? 'eth0',
		interfaceNames: interfaceNames(),
		remoteClient: facts.session.kind === 'remote' ? facts.session : undefined,
		seconds,
		rehearsal: isRehearsal(),
		boot: findInitSystem(boot)?.name,
		elevation: facts.root ? undefined : findElevation(),
		planApply: plannerFor({}),
	};
	let draw = () => {};
	/** Adds facts, and draws the wizard with them. */
	const learn = (part: Partial<HostView>) => {
		machine = {...machine, ...part};
		draw();
	};
	void findHelpers().then((helpers) => learn({helpers}));
	const lookAround = () =>
		void discover(facts).then((found) =>
			learn({
				known: found,
				findings: describeMachine(facts, found),
				looking: [],
				planApply: plannerFor(planFactsOf(found)),
			}),
		);
	lookAround();
	/** Shows the wizard until the user leaves it. */
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
			onRepaintable(repaint: () => void) {
				keys.repaint = repaint;
			},
			onSuspendable(suspend: Suspend | undefined) {
				// A second Ctrl-Z, before the first has stopped the program, does nothing.
				keys.suspend = suspend && (() => void suspend(stopHere).catch(() => {}));
			},
		};
		const element = () =>
			createElement(
				PasteMode,
				null,
				createElement(App, {...constant, ...listeners, start, machine}),
			);
		// A signal that arrived while the modules were loading is delivered during these two turns, and
		// ends the program. Once Ink has the screen, the signal would be lost.
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
			// Drawing after the end would take over the terminal again.
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
				watchedEvery: isWatching() ? (readWatchChoice() ?? USUAL_WATCH).every : undefined,
				address: machine.addresses[0],
				rehearsal: machine.rehearsal,
			});
			process.stdout.write(text);
			return exitCode;
		}

		process.stdout.write(`${ELEVATION_ANNOUNCEMENTS[reason.elevation]}\n`);
		const elevated = await continueAsRoot(
			reason.elevation,
			{...reason.flow, boot, rehearsal},
			seconds,
		);
		if (elevated.started) {
			return elevated.exitCode;
		}

		const {message, hint} = elevated;
		flow = {...reason.flow, outcome: {ok: false, message, hint, rolledBack: false}};
		keys = new KeyStream(process.stdin);
	}
}

/** What a plan must know of the report; nothing of what is not known. */
function planFactsOf({
	existing: {value},
	protocols,
	saved,
}: Pick<WizardReport, 'existing' | 'protocols' | 'saved'>): Partial<ApplyFacts> {
	return {
		...(value === undefined ? {} : {owners: value.owners, snapshots: value.snapshots}),
		...(saved.value === undefined ? {} : {saved: saved.value}),
		...(protocols.value === undefined ? {} : {protocolUses: protocols.value}),
	};
}

/** Offers the server first in a remote session, since its role keeps SSH open. */
function recommendRoles({
	session,
}: Facts): readonly ['server', 'workstation'] | readonly ['workstation', 'server'] {
	return session.kind === 'remote' ? ['server', 'workstation'] : ['workstation', 'server'];
}

/**
 * Stops this program and the other processes of its job, as the terminal does for Ctrl-Z outside of
 * raw mode. Returns when the shell continues the job; at once where no shell controls jobs.
 */
async function stopHere(): Promise<void> {
	process.stdout.write(PASTE_OFF);
	process.kill(0, 'SIGTSTP');
	process.stdout.write(PASTE_ON);
}

/** The policy that was confirmed last. Undefined where its file is damaged. */
function readKept({services}: Facts): Policy | undefined {
	try {
		return readAppliedPolicy(services);
	} catch {
		return undefined;
	}
}
