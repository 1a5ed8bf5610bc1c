import process from 'node:process';
import {readAppliedStatus, undoShown} from '../app/applied-status.ts';
import {type ApplyFacts, knownFacts} from '../app/apply-facts.ts';
import {requestFlags} from '../app/apply-request.ts';
import {type Beside, findBeside} from '../app/beside-policy.ts';
import {makeChecker} from '../app/check.ts';
import {continueAsRoot} from '../app/continue-as-root.ts';
import {discover, type WizardReport} from '../app/discover.ts';
import {findKeeps, KEEPS_ALL, type Keeps, planFitted} from '../app/fit-policy.ts';
import {readBlocked} from '../app/inspect/log.ts';
import type {ApplyPlan} from '../app/plan-apply.ts';
import {makeProver} from '../app/prove.ts';
import {sshCommand} from '../app/ssh-command.ts';
import {openPacketTrier} from '../app/try-packet.ts';
import type {WizardRequest} from '../app/wizard-request.ts';
import {readAppliedPolicy} from '../change/applied.ts';
import {currentUser} from '../change/journal.ts';
import {findExposure} from '../exposure/find.ts';
import {findElevation} from '../host/exec/invocation.ts';
import type {Facts} from '../host/machine/facts.ts';
import {interfaceNames} from '../host/machine/interfaces.ts';
import {findHelpers} from '../host/machine/modules.ts';
import {isRehearsal} from '../host/rehearsal/is-rehearsal.ts';
import {findInitSystem} from '../persistence/plan.ts';
import {readWatchChoice, USUAL_WATCH} from '../persistence/watch/choice.ts';
import {isWatching} from '../persistence/watch/plan-watch.ts';
import type {Policy} from '../policy/policy.ts';
import type {AccessPort} from '../ruleset/lockout.ts';
import {suggestClients} from '../services/suggest-clients.ts';
import {beginApplying} from './begin-applying.ts';
import {KeyStream} from './keys/input-stream.ts';
import {showApp} from './show-app.ts';
import type {ExitReason} from './state/exit-reason.ts';
import {type Flow, NOTHING_KNOWN, startFlow} from './state/state.ts';
import type {HostView} from './steps/step-props.ts';
import type {Screen} from './terminal/alternate-screen.ts';
import {summarize} from './text/summary.ts';
import {ELEVATION_ANNOUNCEMENTS} from './text/texts.ts';
import {addressesOf, describeMachine, describeNat} from './text/welcome.ts';

/** For what time Home shows what was blocked. */
const DAY_MS = 86_400_000;

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
	const status = facts.root && !atApply ? await readAppliedStatus() : undefined;
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
		(known: Partial<ApplyFacts>, keeps: Keeps): HostView['planApply'] =>
		(policy, chosen) =>
			planFitted(
				{policy, existing: chosen, boot, rehearsal},
				{...knownFacts(facts), ...known},
				keeps,
			);
	const names = interfaceNames();
	/** The facts about the machine. They are replaced as more is known. */
	let machine: HostView = {
		...describeMachine(facts),
		looking: ['what listens, and which rules there are already'],
		known: NOTHING_KNOWN,
		status,
		undo: async () => undoShown(machine.status),
		readBlocked: async () => readBlocked(new Date(Date.now() - DAY_MS)).catch(() => undefined),
		readStatus: async () => learn({status: await readAppliedStatus().catch(() => undefined)}),
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
		interfaceNames: names,
		suggested: suggestClients(
			facts.interfaces,
			names?.keys(),
			facts.session.kind === 'remote' ? facts.session.client : undefined,
		),
		remoteClient: facts.session.kind === 'remote' ? facts.session : undefined,
		sshCommand: sshCommand(facts.session, currentUser()),
		seconds,
		rehearsal: isRehearsal(),
		boot: findInitSystem(boot)?.name,
		elevation: facts.root ? undefined : findElevation(),
		planApply: plannerFor({}, KEEPS_ALL),
	};
	let draw = () => {};
	/** Adds facts, and draws the wizard with them. */
	const learn = (part: Partial<HostView>) => {
		machine = {...machine, ...part};
		draw();
	};
	void findHelpers().then((helpers) => learn({helpers}));
	const keeping = facts.root && facts.iptables ? findKeeps().catch(() => KEEPS_ALL) : KEEPS_ALL;
	const lookAround = () =>
		void Promise.all([discover(facts), keeping]).then(([found, keeps]) =>
			learn({
				known: found,
				...describeMachine(facts, found),
				looking: [],
				planApply: plannerFor(planFactsOf(found), keeps),
			}),
		);
	lookAround();
	/** Shows the wizard until the user leaves it. */
	const show = async (start: Flow, keys: KeyStream): Promise<ExitReason> =>
		showApp({
			...{keys, screen},
			propsNow: () => ({...constant, start, machine}),
			onDrawable(drawNow) {
				draw = drawNow;
			},
		});
	const first = atApply ? 'apply' : status === undefined ? 'welcome' : 'home';
	const {services} = facts;
	let flow = startFlow(preset, recommendRoles(facts), services, first, accessOf(facts), existing);
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
	publishing,
	saved,
}: Pick<WizardReport, 'existing' | 'protocols' | 'publishing' | 'saved'>): Partial<ApplyFacts> {
	return {
		...(value === undefined ? {} : {owners: value.owners, snapshots: value.snapshots}),
		...(saved.value === undefined ? {} : {saved: saved.value}),
		...(publishing.value === undefined ? {} : {published: publishing.value}),
		...(protocols.value === undefined ? {} : {protocolUses: protocols.value}),
	};
}

/** The ports through which the user is connected. */
function accessOf({session}: Facts): readonly AccessPort[] {
	return session.kind === 'remote' ? session.accessPorts : [];
}

/** Offers the server first in a remote session, since its role keeps SSH open. */
function recommendRoles({
	session,
}: Facts): readonly ['server', 'workstation'] | readonly ['workstation', 'server'] {
	return session.kind === 'remote' ? ['server', 'workstation'] : ['workstation', 'server'];
}

/** The policy that was confirmed last. Undefined where its file is damaged. */
function readKept({services}: Facts): Policy | undefined {
	try {
		return readAppliedPolicy(services);
	} catch {
		return undefined;
	}
}
