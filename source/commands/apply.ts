import process from 'node:process';
import {gatherApplyFacts} from '../app/apply-facts.ts';
import {findBeside} from '../app/beside-policy.ts';
import {describeConnections} from '../app/describe-connections.ts';
import {type ApplyPlan, planApply} from '../app/plan-apply.ts';
import {type StartedChange, startChange} from '../app/start-change.ts';
import {waitForDecision} from '../app/wait-for-decision.ts';
import {CONFIRM_SECONDS, NEW_CONNECTION} from '../change/confirm-time.ts';
import type {PendingChange} from '../change/transaction.ts';
import {decidingRule, describeDeciding} from '../existing/shadowed-jump.ts';
import {gatherFacts} from '../host/machine/facts.ts';
import {clientOf} from '../host/sockets/session.ts';
import {printable} from '../lib/printable.ts';
import {findInitSystem, readChoice} from '../persistence/plan.ts';
import {describeLasting} from '../persistence/volatile-root.ts';
import {describeLockout} from '../ruleset/describe-lockout.ts';
import {describeLoaded, printRuleSet, ruleSetToJson} from '../ruleset/print-rule-set.ts';
import {describeShutToGuests} from '../services/guest-service.ts';
import {describeUnopened} from '../services/protocol-use.ts';
import type {ConfirmationFlags} from './options/confirmation.ts';
import {type RequestFlags, readRequest} from './options/request.ts';

/** Milliseconds between two looks for news: a login, or a result. */
const NEWS_EVERY_MS = 500;

export type ApplyFlags = RequestFlags &
	ConfirmationFlags & {readonly json?: boolean; readonly yes?: boolean};

/**
 * `fw-wizard apply`: applies a policy without questions. Waits for `fw-wizard confirm` in another
 * session; with --yes it confirms at once.
 * @throws {HostError} with exit code 4 where the change was rolled back
 */
export async function apply(flags: ApplyFlags): Promise<string> {
	const {confirmWithin: seconds = CONFIRM_SECONDS.usual} = flags;
	const facts = await gatherFacts();
	const request = {...(await readRequest(flags, facts.services)), atOnce: flags.yes ?? false};
	const known = await gatherApplyFacts(facts, request.existing);
	const plan = planApply(request, known);
	const counts = describeLoaded(plan.ruleSet);
	if (plan.obstacle?.kind === 'no-right' || plan.obstacle?.kind === 'unsupported') {
		// Rules that cannot be loaded here may be of use elsewhere.
		process.stdout.write(printRuleSet(plan, flags.json ? 'json' : 'restore'));
	}

	const beside = await findBeside(plan);
	process.stderr.write(
		`${describeWarnings(plan)}${beside.lines.map((line) => `${line}\n`).join('')}`,
	);
	const change = await startChange(plan, seconds, beside);
	const loaded = `${counts}\n${describeChange(change)}`;
	if (!flags.yes) {
		await waitInTerminal(
			change,
			`${describeLockouts(plan)}${loaded}The old rules come back in ${seconds} s. To keep these, log in anew and run: fw-wizard confirm\nWhere ssh shares connections (ControlMaster), log in with: ${NEW_CONNECTION}\n`,
		);
	}

	return flags.json
		? `${JSON.stringify({applied: true, ...(beside.lines.length > 0 ? {beside: beside.lines} : {}), change: change.id, gone: change.removedRules, boot: findInitSystem()?.name ?? null, ...ruleSetToJson(plan)}, undefined, '\t')}\n`
		: `${loaded}Kept as change ${change.id}. To undo it: fw-wizard undo\n${describeBoot()}\n${flags.yes ? 'Not proven: that a new login gets in. Try one before you leave.\n' : ''}`;
}

/** The connections at blocked ports, what the rules block without ports, and what the openings need besides; a line each. */
function describeWarnings({obstacle, cutOff, unopened, shutToGuests, advice}: ApplyPlan): string {
	if (obstacle !== undefined) {
		return '';
	}

	return [
		...describeConnections({cutOff}).map((text) => `${text}.`),
		...[...describeUnopened(unopened), ...describeShutToGuests(shutToGuests)].map(
			(text) => `${text}.`,
		),
		...advice,
	]
		.map((line) => `${printable(line, 400)}\n`)
		.join('');
}

/** A line that warns of a lock-out; empty where the user could connect again. */
function describeLockouts({lockouts, session}: ApplyPlan): string {
	return lockouts.length === 0 ? '' : `${describeLockout(lockouts, clientOf(session))}.\n`;
}

/** The rules of other programs that bypass the loaded ones, and those that were removed, a line each. */
function describeChange({loaded, removedRules}: PendingChange): string {
	const lines = [
		...loaded
			.flatMap((rules) => decidingRule(rules) ?? [])
			.flatMap((rule) => [describeDeciding(rule), 'To remove such rules: --existing flush-input']),
		...removedRules.map((line) => `Gone, until undone: ${printable(line, 400)}`),
	];
	return lines.map((line) => `${line}\n`).join('');
}

/** What loads the rules at boot, in one line. */
function describeBoot(): string {
	const initSystem = findInitSystem();
	const who = readChoice() === undefined ? 'found out; to change it: --boot' : 'as you chose';
	if (initSystem === undefined) {
		return 'At boot: nothing loads them. How this machine boots is not known; say it with --boot';
	}

	const doubt = describeLasting();
	return initSystem.findFault() === undefined
		? `At boot: ${initSystem.name === 'none' ? 'you see to it' : initSystem.name} (${who})${doubt === undefined ? '' : `; but ${doubt}`}`
		: `At boot: NOTHING loads them: ${initSystem.name} did not take the service. To try again: fw-wizard check --fix`;
}

/**
 * Waits until the change is confirmed or rolled back in another session. Ctrl-C rolls it back.
 * @throws {HostError} where it is rolled back
 */
async function waitInTerminal(change: StartedChange, announcement: string): Promise<void> {
	const interruption = new AbortController();
	const interrupt = () => interruption.abort();
	process.on('SIGINT', interrupt);
	// Only now: whoever reads it may press Ctrl-C at once.
	process.stderr.write(announcement);
	const report = setInterval(reportNews(change), NEWS_EVERY_MS);
	try {
		await waitForDecision(change, {
			interrupted: interruption.signal,
			onRetry: () => process.stderr.write('Rolling back has failed; it is tried again\n'),
		});
	} finally {
		process.off('SIGINT', interrupt);
		clearInterval(report);
		await change.release();
	}
}

/** @returns a function that names each login once that was made since the rules were loaded */
function reportNews(change: StartedChange): () => void {
	const reported = new Set<string>();
	return () => {
		const {logins, doubt} = change.look();
		const lines = [
			...logins.map((address) => `New login from ${address} seen: you can log in again.`),
			...(doubt === undefined ? [] : [`A login was seen. ${doubt}.`]),
		];
		for (const line of lines.filter((candidate) => !reported.has(candidate))) {
			reported.add(line);
			process.stderr.write(`${line}\n`);
		}
	};
}
