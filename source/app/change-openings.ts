import {readAppliedPolicy} from '../change/applied.ts';
import {readKnown} from '../change/change-state.ts';
import {POLICY_FILE} from '../change/paths.ts';
import {KEEP_EXISTING, type Manager} from '../existing/cleanup-plan.ts';
import {readText} from '../host/files/read-text.ts';
import type {Facts} from '../host/machine/facts.ts';
import {possibleSshPorts} from '../host/sockets/logins.ts';
import type {TcpSocket} from '../host/sockets/proc-net.ts';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {closeOpenings} from '../policy/close-openings.ts';
import {withoutEnded} from '../policy/ending.ts';
import {mergeOpenings} from '../policy/merge-openings.ts';
import {addOpenings} from '../policy/narrow-openings.ts';
import {isDiscovery, type Opening, printOpening, shortOpening} from '../policy/opening.ts';
import {completePolicy, type Policy} from '../policy/policy.ts';
import {covers} from '../policy/port-openings.ts';
import {networksOf, type SourceGroup} from '../policy/sources.ts';
import {compilePolicy} from '../ruleset/build.ts';
import {type MarkedRow, markRows, mergeFamilies} from '../ruleset/merge-families.ts';
import {knownFacts} from './apply-facts.ts';
import type {Beside} from './beside-policy.ts';
import {fitPolicy} from './fit-policy.ts';
import {type ApplyPlan, planApply} from './plan-apply.ts';

/** What is done to the openings of the policy that was applied. */
export type OpeningsEdit = {
	readonly kind: 'open' | 'close';
	readonly openings: readonly Opening[];
	/** Groups of sources that join those of the policy, or replace them. */
	readonly sources: readonly SourceGroup[];
};

/** A change of the openings of the policy that was applied; nothing else of it changes. */
export type OpeningsChange = {
	readonly plan: ApplyPlan;
	/** What is opened, as far as it was not before. */
	readonly opened: readonly Opening[];
	/** What is closed; for openings that narrow others, these, of which the rest closes. */
	readonly closed: readonly Opening[];
	/** What of the openings is left out, or there already, a sentence each. */
	readonly notes: readonly string[];
	/** The rules that are added and removed. */
	readonly rows: readonly MarkedRow[];
	/** What was known of other programs' rules before stays known, and no more becomes it. */
	readonly beside: Beside;
};

/**
 * Plans a change of some openings, on the policy that was applied last. What is narrower than what is open narrows
 * it, as in the wizard. The whole policy is loaded, so the whole plan says whether it is confirmed at once: where
 * it cannot cut off the session in use, nor another login.
 * @param insists whether it is to be confirmed at once in any case
 * @param owners the programs that own the firewall of this machine
 * @param sockets what was just read of them
 * @throws {InputError} where no policy was applied, or nothing is open that is to be closed
 */
export async function planOpenings(
	facts: Facts,
	edit: OpeningsEdit,
	insists: boolean,
	owners: readonly Manager[],
	sockets: readonly TcpSocket[],
): Promise<OpeningsChange> {
	// Before it is read: a change in between makes the two differ.
	const basedOn = readText(POLICY_FILE);
	const policy = readAppliedPolicy(facts.services);
	if (policy === undefined) {
		throw new InputError(
			'No policy was applied yet: there is nothing to change',
			`Make one in the wizard: ${commandLine()}; or: ${commandLine('apply --role server')}`,
		);
	}

	const before = withoutEnded(policy.openings);
	const {after, opened, closed, idle} = editOpenings(before, edit);
	const then = completePolicy({openings: after, sources: edit.sources}, policy);
	const regrouped = then.openings.filter((one) => hasOtherNetworks(one, before));
	const names = new Set(regrouped.map(printOpening));
	const unchanged = idle.filter((one) => !names.has(printOpening(one)));
	const known = {...knownFacts(facts, sockets), owners};
	const fitted = await fitPolicy(then);
	const plan = planApply(
		{policy: fitted.policy, basedOn, existing: KEEP_EXISTING, atOnce: insists},
		known,
	);
	return {
		plan: mayCutOff(plan, [...closed, ...regrouped], possibleSshPorts)
			? plan
			: {...plan, atOnce: true},
		...{opened: mergeOpenings([...opened, ...regrouped]), closed},
		notes: [...unchanged.map((one) => `${shortOpening(one)} is open already.`), ...fitted.notes],
		rows: changedRows(policy, plan, facts),
		beside: {lines: [], known: facts.root ? readKnown() : []},
	};
}

type Edited = Pick<OpeningsChange, 'opened' | 'closed'> & {
	readonly after: readonly Opening[];
	readonly idle: readonly Opening[];
};

function editOpenings(before: readonly Opening[], {kind, openings}: OpeningsEdit): Edited {
	if (kind === 'close') {
		const {openings: after, closed} = closeOpenings(before, openings);
		return {after, opened: [], closed, idle: []};
	}

	const {openings: after, fresh, narrower, narrowed, idle} = addOpenings(before, openings);
	return {after, opened: [...fresh, ...narrower], closed: narrowed, idle};
}

/** Whether an opening is among these, with other networks in its groups. */
function hasOtherNetworks(opening: Opening, before: readonly Opening[]): boolean {
	const old = before.find((one) => printOpening(one) === printOpening(opening));
	return old !== undefined && printNetworks(old) !== printNetworks(opening);
}

function printNetworks(opening: Opening): string {
	return isDiscovery(opening)
		? ''
		: networksOf(opening.from ?? [])
				.map(({cidr}) => cidr)
				.join();
}

/**
 * Whether a change may cut off the user, or somebody else who is logged in over SSH. Where it is not known how the
 * user is connected, it may where it closes a port of an SSH server, or blocks any connection.
 * @param ssh finds the ports of SSH servers, as far as they are known: that takes a look at all processes
 */
export function mayCutOff(
	{session, lockouts, cutOff}: Pick<ApplyPlan, 'session' | 'lockouts' | 'cutOff'>,
	closed: readonly Opening[],
	ssh: () => readonly number[],
): boolean {
	const isUnknown =
		session.kind === 'unknown' || (session.kind === 'remote' && session.accessPorts.length === 0);
	if (lockouts.length > 0 || (isUnknown && cutOff.length > 0)) {
		return true;
	}

	const ports = cutOff.length > 0 || (isUnknown && closed.length > 0) ? ssh() : [];
	return (
		cutOff.some(({localPort}) => ports.includes(localPort)) ||
		(isUnknown &&
			ports.some((port) => closed.some((opening) => covers(opening, {protocol: 'tcp', port}))))
	);
}

function changedRows(
	before: Policy,
	{ruleSet}: Pick<ApplyPlan, 'ruleSet'>,
	facts: Pick<Facts, 'families'>,
): readonly MarkedRow[] {
	const old = compilePolicy(before, facts).ruleSet;
	return markRows(mergeFamilies(old), mergeFamilies(ruleSet)).filter(({mark}) => mark !== 'same');
}
