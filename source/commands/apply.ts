import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {gatherApplyFacts} from '../app/apply-facts.ts';
import {type ApplyPlan, planApply} from '../app/plan-apply.ts';
import {applyAtOnce, startChange} from '../app/start-change.ts';
import {describeLoaded} from '../change/describe-loaded.ts';
import type {ChangeState} from '../change/record.ts';
import type {PendingChange} from '../change/transaction.ts';
import {decidingRule} from '../existing/shadowed-jump.ts';
import {gatherFacts} from '../host/machine/facts.ts';
import {clientOf} from '../host/sockets/session.ts';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {findInitSystem, readChoice} from '../persistence/plan.ts';
import {describeLockout} from '../ruleset/describe-lockout.ts';
import {printRule} from '../ruleset/format-iptables.ts';
import {printRuleSet, ruleSetToJson} from '../ruleset/print-rule-set.ts';
import {type ConfirmationFlags, parseSeconds} from './options/confirmation.ts';
import {type RequestFlags, readRequest} from './options/request.ts';

/** How often, ten times a second, the command looks whether a decision has been carried out. */
const DOING_TRIES = 100;

export type ApplyFlags = RequestFlags &
	ConfirmationFlags & {readonly json?: boolean; readonly yes?: boolean};

/**
 * `fw-wizard apply`: applies a policy without questions. Waits for `fw-wizard confirm` from
 * elsewhere, or with --yes keeps it at once.
 * @throws {HostError} with exit code 4 when it was rolled back
 */
export async function apply(flags: ApplyFlags): Promise<string> {
	const seconds = parseSeconds(flags.confirmWithin);
	const facts = await gatherFacts();
	const request = await readRequest(flags, facts.services);
	const known = await gatherApplyFacts(facts, request.existing);
	const plan = planApply(request, known);
	if (plan.obstacle?.kind === 'no-right' || plan.obstacle?.kind === 'unsupported') {
		// Rules that cannot be loaded here may be of use elsewhere.
		process.stdout.write(printRuleSet(plan, flags.json ? 'json' : 'restore'));
	}

	const change = await (flags.yes ? applyAtOnce(plan, seconds) : startChange(plan, seconds));
	const loaded = `${describeLoaded(plan.ruleSet)}\n${describeUnreached(change)}${describeGone(change)}`;
	if (!flags.yes) {
		const warning = describeLockouts(plan);
		process.stderr.write(
			`${warning}${loaded}The old rules come back in ${seconds} s. To keep these, log in anew and run: fw-wizard confirm\n`,
		);
		try {
			await waitForDecision(change);
		} finally {
			await change.release();
		}
	}

	return flags.json
		? `${JSON.stringify({applied: true, change: change.id, gone: change.removedRules, boot: findInitSystem()?.name ?? null, ...ruleSetToJson(plan)}, undefined, '\t')}\n`
		: `${loaded}Kept as change ${change.id}. To undo it: fw-wizard undo\n${describeBoot()}\n${flags.yes ? 'Not proven: that a new login gets in. Try one before you leave.\n' : ''}`;
}

/** That this user could not connect again, in a line of its own; empty where they could. */
function describeLockouts({lockouts, session}: ApplyPlan): string {
	return lockouts.length === 0 ? '' : `${describeLockout(lockouts, clientOf(session))}.\n`;
}

/** That rules of others decide before ours are reached, a line each. */
function describeUnreached({loaded}: PendingChange): string {
	return loaded
		.flatMap((rules) => decidingRule(rules) ?? [])
		.map(
			({family, index, rule}) =>
				`IPv${family}: ours is not reached: rule ${index} of INPUT decides before it: ${printable(printRule(rule, family), 200)}\nTo remove such rules: --existing flush-input\n`,
		)
		.join('');
}

/** What a change took away of others, a line each. */
function describeGone({removedRules}: PendingChange): string {
	return removedRules.map((line) => `Gone, until undone: ${printable(line, 400)}\n`).join('');
}

/** One line that says what loads the rules at boot. */
export function describeBoot(): string {
	const initSystem = findInitSystem();
	const who = readChoice() === undefined ? 'found out; to change it: --boot' : 'as you chose';
	if (initSystem === undefined) {
		return 'At boot: nothing loads them. How this machine boots is not known; say it with --boot';
	}

	return initSystem.isActivated()
		? `At boot: ${initSystem.name === 'none' ? 'you see to it' : initSystem.name} (${who})`
		: `At boot: NOTHING loads them: ${initSystem.name} did not take the service. To try again: fw-wizard check --fix`;
}

/** Whether another process is still carrying the decision out. */
function isBusy(state: ChangeState | undefined, tries: number): boolean {
	return state === 'rolling' || state === 'undoing' || (state === 'kept' && tries < DOING_TRIES);
}

async function waitForDecision(change: PendingChange): Promise<void> {
	let interrupted = false;
	const interrupt = () => {
		interrupted = true;
	};
	process.on('SIGINT', interrupt);
	try {
		while (change.state() === 'pending') {
			if (interrupted) {
				await change.rollBack();
				throw new HostError('Interrupted', 'Rolled back. The rules are as they were before', 4);
			}

			await delay(200);
		}
	} finally {
		process.off('SIGINT', interrupt);
	}

	// A confirmation writes its files now, unless its process was killed while it did. The watchdog
	// restores the old rules now, for as many tries as that takes.
	for (let tries = 0; isBusy(change.state(), tries); tries += 1) {
		if (tries === DOING_TRIES) {
			process.stderr.write('Rolling back has failed; it is tried again\n');
		}

		await delay(100);
	}

	if (change.state() === 'kept') {
		await change.keep();
	}

	if (change.state() !== 'done') {
		throw new HostError(
			`Change ${change.id} was not confirmed and is rolled back`,
			'The rules are as they were before',
			4,
		);
	}
}
