import process from 'node:process';
import {gatherApplyFacts} from '../app/apply-facts.ts';
import {findBeside} from '../app/beside-policy.ts';
import {describeConnections} from '../app/describe-connections.ts';
import {fitPolicy} from '../app/fit-policy.ts';
import {describeBlockedPublished, governPublished} from '../app/govern-published.ts';
import {openRows} from '../app/inspect/open-ports.ts';
import {type ApplyPlan, planApply} from '../app/plan-apply.ts';
import {startChange} from '../app/start-change.ts';
import {CONFIRM_SECONDS} from '../change/confirm-time.ts';
import type {PendingChange} from '../change/transaction.ts';
import {decidingRule, describeDeciding} from '../existing/shadowed-jump.ts';
import {gatherFacts} from '../host/machine/facts.ts';
import {findListeners, type Listener} from '../host/sockets/listeners.ts';
import {clientOf} from '../host/sockets/session.ts';
import {commandLine} from '../lib/command-line.ts';
import {printJson} from '../lib/json.ts';
import {joinSome} from '../lib/list.ts';
import {printable} from '../lib/printable.ts';
import {findInitSystem, readChoice} from '../persistence/plan.ts';
import {describeLasting} from '../persistence/volatile-root.ts';
import {type Policy, unusedGroups} from '../policy/policy.ts';
import {printSource} from '../policy/sources.ts';
import {describeLockout} from '../ruleset/describe-lockout.ts';
import {describeLoaded, printRuleSet, ruleSetToJson} from '../ruleset/print-rule-set.ts';
import {describeShutToGuests, notForGuests} from '../services/guest-service.ts';
import {describeUnopened} from '../services/protocol-use.ts';
import type {ConfirmationFlags} from './options/confirmation.ts';
import {policyInForce, saidPublished} from './options/published.ts';
import {type RequestFlags, readRequest} from './options/request.ts';
import {waitInTerminal} from './wait-in-terminal.ts';

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
	const asked = {...(await readRequest(flags, facts.services)), atOnce: flags.yes ?? false};
	const known = await gatherApplyFacts(facts, asked.existing);
	const before = policyInForce(facts.services);
	const said = saidPublished(flags, asked.policy);
	const {policy, notes} = await fitPolicy(asked.policy);
	const request = {
		...asked,
		policy: governPublished(policy, known.published, said, before),
		saidPublished: said !== undefined || before !== undefined,
	};
	const plan = planApply(request, known);
	const counts = describeLoaded(plan.ruleSet);
	const isElsewhere = ['no-right', 'unsupported'].includes(plan.obstacle?.kind ?? '');
	if (isElsewhere && !flags.json) {
		// Rules that cannot be loaded here may be of use elsewhere. With --json the error alone is printed.
		process.stdout.write(printRuleSet(plan, 'restore'));
	}

	const [beside, listeners] = await Promise.all([findBeside(plan), findListeners({brief: true})]);
	process.stderr.write(
		`${[...notes, ...describeUnused(plan), ...describeClosed(plan, before, listeners), ''].join('\n')}${describeWarnings(plan)}${beside.lines.map((line) => `${line}\n`).join('')}`,
	);
	const change = await startChange(plan, seconds, beside);
	const loaded = `${counts}\n${describeChange(change)}`;
	if (!flags.yes) {
		await waitInTerminal(change, seconds, `${describeLockouts(plan)}${loaded}`);
	}

	return flags.json
		? printJson({
				applied: true,
				...(beside.lines.length > 0 ? {beside: beside.lines} : {}),
				change: change.id,
				gone: change.removedRules,
				boot: findInitSystem()?.name ?? null,
				...ruleSetToJson(plan),
			})
		: `${loaded}Confirmed as change ${change.id}. To undo it: ${commandLine('undo')}\n${describeBoot()}\n${flags.yes ? 'Not proven: that you can log in again. Try it before you close this session.\n' : ''}`;
}

/** The connections at blocked ports, what the rules block without ports, and what the openings need besides; a line each. */
function describeWarnings({
	obstacle,
	cutOff,
	unopened,
	shutToGuests,
	blockedPublished,
	advice,
}: ApplyPlan): string {
	if (obstacle !== undefined) {
		return '';
	}

	return [
		...[
			...describeBlockedPublished(blockedPublished),
			...describeConnections({cutOff}),
			...describeUnopened(unopened),
			...describeShutToGuests(shutToGuests),
		].map((text) => `${text}.`),
		...advice,
	]
		.map((line) => `${printable(line, 400)}\n`)
		.join('');
}

/**
 * The ports on which programs listen and that are not open then, less those that were not before either, in one line.
 * What serves guests alone is said with them.
 */
function describeClosed(
	{policy, obstacle, networks}: ApplyPlan,
	before: Policy | undefined,
	found: readonly Listener[],
): readonly string[] {
	const listeners = notForGuests(found, networks);
	const known = new Set(
		before === undefined
			? []
			: openRows(before, listeners).blocked.map((row) => JSON.stringify(row)),
	);
	const closed = openRows(policy, listeners).blocked.filter(
		(row) => !known.has(JSON.stringify(row)),
	);
	const names = closed.map(
		({protocol, port, program}) =>
			`${port}/${protocol}${program === undefined ? '' : ` (${program})`}`,
	);
	return obstacle !== undefined || closed.length === 0
		? []
		: [
				`Not opened by the policy, although a program listens: ${joinSome([...new Set(names)], MOST_NAMED)}.`,
			];
}

/** Of more ports, the others are counted. */
const MOST_NAMED = 12;

/** The groups of sources that no opening is for, a line each. */
function describeUnused({policy}: ApplyPlan): readonly string[] {
	return unusedGroups(policy).map((group) => `No opening is from ${printSource(group)}.`);
}

/** A line that warns of a lock-out; empty where the user could connect again. */
export function describeLockouts({lockouts, session}: ApplyPlan): string {
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
	const who = readChoice() === undefined ? 'detected; to change it: --boot' : 'as you chose';
	if (initSystem === undefined) {
		return 'At boot: nothing loads them. How this machine boots is not known; say it with --boot';
	}

	const doubt = describeLasting();
	return initSystem.findFault() === undefined
		? `At boot: ${initSystem.name === 'none' ? 'you see to it' : initSystem.name} (${who})${doubt === undefined ? '' : `; but ${doubt}`}`
		: `At boot: nothing loads them: ${initSystem.name} did not take the service. To try again: ${commandLine('check --fix')}`;
}
