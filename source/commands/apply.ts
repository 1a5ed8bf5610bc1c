import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {gatherApplyFacts} from '../app/apply-facts.ts';
import {type ApplyPlan, planApply} from '../app/plan-apply.ts';
import {startChange} from '../app/start-change.ts';
import {describeLoaded} from '../change/describe-loaded.ts';
import type {ChangeState} from '../change/record.ts';
import type {PendingChange} from '../change/transaction.ts';
import {decidingRule} from '../existing/shadowed-jump.ts';
import {gatherFacts} from '../host/machine/facts.ts';
import {HostError, InputError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import {findInitSystem, readChoice} from '../persistence/plan.ts';
import {type Opening, printOpening} from '../policy/opening.ts';
import {printRule} from '../ruleset/format-iptables.ts';
import {openingFor, printAccessPort} from '../ruleset/lockout.ts';
import {type ConfirmationFlags, parseSeconds} from './options/confirmation.ts';
import {type ExistingFlags, readExisting} from './options/existing.ts';
import {importOpenings} from './options/imported-openings.ts';
import {type PolicyFlags, readPolicy} from './options/policy.ts';
import {printRuleSet, ruleSetToJson} from './rules.ts';

/** How often, ten times a second, the command looks whether a decision has been carried out. */
const DOING_TRIES = 100;

export type ApplyFlags = PolicyFlags &
	ExistingFlags &
	ConfirmationFlags & {readonly json?: boolean; readonly yes?: boolean};

/**
 * `fw-wizard apply`: applies a policy without questions. Waits for `fw-wizard confirm` from
 * elsewhere, or with --yes keeps it at once.
 * @throws {HostError} with exit code 4 when it was rolled back
 */
export async function apply(flags: ApplyFlags): Promise<string> {
	const seconds = parseSeconds(flags.confirmWithin);
	const facts = await gatherFacts();
	const existing = readExisting(flags);
	const start = await importOpenings(flags, existing);
	const policy = readPolicy(flags, facts.services, start);
	const request = {policy, existing, boot: flags.boot};
	const plan = planApply(request, await gatherApplyFacts(facts, existing));
	const {obstacle} = plan;
	if (obstacle !== undefined) {
		if (obstacle.kind === 'no-right' || obstacle.kind === 'unsupported') {
			process.stdout.write(printRuleSet(plan, flags.json ? 'json' : 'restore'));
		}

		throw obstacle.error;
	}

	const warning = describeLockout(plan, start.openings);
	if (warning && flags.yes) {
		throw warning;
	}

	const change = await startChange(plan, seconds);
	const gone = describeGone(change);
	const before = describeUnreached(change);
	try {
		if (flags.yes) {
			await change.keepAtOnce();
		} else {
			process.stderr.write(
				`${warning ? `${warning.message}.\n` : ''}${describeLoaded(plan.ruleSet)}\n${before}${gone}The old rules come back in ${seconds} s. To keep these, log in anew and run: fw-wizard confirm\n`,
			);
			await waitForDecision(change);
		}
	} finally {
		await change.release();
	}

	return flags.json
		? `${JSON.stringify({applied: true, change: change.id, gone: change.removedRules, boot: findInitSystem()?.name ?? null, ...ruleSetToJson(plan)}, undefined, '\t')}\n`
		: `${describeLoaded(plan.ruleSet)}\n${before}${gone}Kept as change ${change.id}. To undo it: fw-wizard undo\n${describeBoot()}\n${flags.yes ? 'Not proven: that a new login gets in. Try one before you leave.\n' : ''}`;
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

/**
 * That the session in use could not come in again, with the openings that mend it.
 * @param start openings that no flag has said: from the first that does on, they are not there
 */
function describeLockout(
	{lockouts, session}: ApplyPlan,
	start: readonly Opening[] = [],
): InputError | undefined {
	const client =
		session.kind === 'remote' && session.client ? ` (${printable(session.client)})` : '';
	return lockouts.length === 0
		? undefined
		: new InputError(
				`These rules shut ${lockouts.map(printAccessPort).join(' and ')}, through which you${client} are connected`,
				`Add ${[...start, ...lockouts.map(openingFor)].map((opening) => `--open ${quoteIfNeeded(printOpening(opening))}`).join(' ')}, or try it with --confirm-within 60`,
			);
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
