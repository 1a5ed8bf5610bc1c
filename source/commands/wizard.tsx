import process from 'node:process';
import {readAppliedPolicy} from '../change/applied.ts';
import {type Elevation, findElevation} from '../host/elevation.ts';
import {HostError} from '../host/errors.ts';
import {type Facts, gatherFacts} from '../host/facts.ts';
import {type Availability, findHelpers} from '../host/modules.ts';
import {isRehearsal} from '../host/rehearsal.ts';
import {hasBooted} from '../persistence/checklist.ts';
import {findWay} from '../persistence/index.ts';
import type {HelperName} from '../policy/helpers.ts';
import type {Policy} from '../policy/policy.ts';
import type {Ending} from '../ui/ending.ts';
import type {Flow} from '../ui/flow-state.ts';
import {keepScrollback} from '../ui/keep-scrollback.ts';
import {findObstacle, parseSeconds} from './apply.ts';
import {makeChecker} from './check.ts';
import {addressesOf, describeMachine} from './describe-machine.ts';
import {handOver} from './hand-over.ts';
import {type PolicyFlags, readPolicyPart} from './policy-options.ts';
import {makeProver} from './prover.ts';
import {beginApplying, findEndangered} from './wizard-change.ts';

const BANNER = 'REHEARSAL: a private copy. The real machine stays as it is.';

export type WizardFlags = PolicyFlags & {
	readonly confirmWithin?: string;
	/** Open on Apply: root goes on where an ordinary user could not. */
	readonly atApply?: boolean;
};

/** `fw-wizard`: the wizard. @returns the exit code: 0 kept, 4 rolled back, 130 left before anything was loaded */
export async function startWizard(flags: WizardFlags): Promise<number> {
	const seconds = parseSeconds(flags.confirmWithin);
	if (!process.stdin.isTTY || !process.stdout.isTTY || process.env.TERM === 'dumb') {
		throw new HostError(
			'The wizard needs a terminal with a cursor, and this is none',
			'Without one: fw-wizard rules --role server, then fw-wizard apply --role server',
		);
	}

	const facts = await gatherFacts();
	const part = {
		// The answers of an ordinary user are whole: what was applied before must not add to them.
		...(flags.atApply ? {} : readAppliedPolicy(facts.services)),
		...readPolicyPart(flags, facts.services),
	};
	prepareEnvironment();
	const [{render}, {createElement}, {App}, {PasteMode}, {startFlow}, {KeyStream}] =
		await Promise.all([
			import('ink'),
			import('react'),
			import('../ui/app.tsx'),
			import('../ui/components/paste-mode.tsx'),
			import('../ui/flow-state.ts'),
			import('../ui/key-stream.ts'),
		]);
	const first = flags.atApply ? 'apply' : facts.root && hasBooted() ? 'result' : 'welcome';
	const constant = {
		families: facts.families,
		...(isRehearsal() ? {banner: BANNER} : {}),
		onApply: async (policy: Policy) => beginApplying(policy, facts, seconds),
		prover: makeProver(facts),
		checker: makeChecker(facts),
	};
	const machine = {
		findings: describeMachine(facts),
		addresses: addressesOf(facts),
		inInterface: facts.interfaces[0]?.name ?? 'eth0',
		visitor: facts.session.kind === 'remote' ? facts.session : undefined,
		rehearsal: isRehearsal(),
		boot: findWay()?.name,
		findObstacle(policy: Policy) {
			const obstacle = findObstacle(facts, policy);
			return (
				obstacle && {
					message: obstacle.message,
					hint: obstacle.hint,
					elevation: elevationFor(facts),
				}
			);
		},
		findEndangered,
	};
	/** Shows the wizard until it is left. */
	const show = async (start: Flow): Promise<Ending> => {
		const keys = new KeyStream(process.stdin);
		const onTyping = (typing: boolean) => {
			keys.typing = typing;
		};
		const element = (helpers: ReadonlyMap<HelperName, Availability>) =>
			createElement(
				PasteMode,
				null,
				createElement(App, {...constant, start, onTyping, machine: {...machine, helpers}}),
			);
		const app = render(element(new Map()), {
			stdin: keys as unknown as NodeJS.ReadStream,
			stdout: keepScrollback(process.stdout),
			exitOnCtrlC: false,
			interactive: true,
			alternateScreen: true,
			incrementalRendering: true,
			patchConsole: false,
		});
		let left = false;
		void helpers.then((found) => {
			// Once left, drawing again would take the terminal over again.
			if (!left) {
				app.rerender(element(found));
			}
		});
		try {
			return (await app.waitUntilExit()) as Ending;
		} finally {
			left = true;
			keys.stop();
		}
	};
	const helpers = findHelpers();
	let flow = startFlow(part, recommendRoles(facts), facts.services, first);
	for (;;) {
		const ending = await show(flow);
		if (typeof ending !== 'object' || !('elevation' in ending)) {
			return summarize(ending);
		}

		const elevated = await handOver(ending.elevation, ending.flow, seconds);
		if (elevated.started) {
			return elevated.exitCode;
		}

		const {message, hint} = elevated;
		flow = {...ending.flow, outcome: {ok: false, message, hint, rolledBack: false}};
	}
}

/** What would make root of this user, where that is all that is missing. */
function elevationFor({root, iptables}: Facts): Elevation | undefined {
	return root || iptables === undefined ? undefined : findElevation();
}

/** What the libraries read from the environment when they are loaded. */
function prepareEnvironment(): void {
	if (process.env.NO_COLOR !== undefined) {
		process.env.FORCE_COLOR = '0';
	}
}

/** Who came from outside wants to come again. */
function recommendRoles({
	session,
}: Facts): readonly ['server', 'workstation'] | readonly ['workstation', 'server'] {
	return session.kind === 'remote' ? ['server', 'workstation'] : ['workstation', 'server'];
}

function summarize(outcome: Exclude<Ending, {elevation: unknown}>): number {
	if (outcome === 'looked') {
		process.stdout.write('Nothing was changed. The checklist again: fw-wizard check\n');
		return 0;
	}

	if (outcome?.ok) {
		process.stdout.write(`${outcome.message}\nTo undo it: fw-wizard undo\n`);
		return 0;
	}

	process.stdout.write(
		outcome?.rolledBack ? `${outcome.message}. ${outcome.hint}.\n` : 'Nothing was changed.\n',
	);
	return outcome?.rolledBack ? 4 : 130;
}
