import {planSnapshotCleanups, type SnapshotCleanup} from '../change/cleanup.ts';
import {keepsAll} from '../existing/cleanup-plan.ts';
import type {Published} from '../existing/nat/published-ports.ts';
import {planSavedEdits, type SavedEdit} from '../existing/saved-rules.ts';
import type {RulesSnapshot} from '../existing/snapshot.ts';
import {clientOf, type Session} from '../host/sockets/session.ts';
import {HostError} from '../lib/errors.ts';
import {type Persistence, planPersistence} from '../persistence/plan.ts';
import {adviseEnds, adviseOpenings} from '../policy/advise-openings.ts';
import {type CompiledPolicy, compilePolicy} from '../ruleset/build.ts';
import {lockoutError} from '../ruleset/describe-lockout.ts';
import {type AccessPort, findLockouts, isBlocked} from '../ruleset/lockout.ts';
import type {Backend} from '../ruleset/model.ts';
import {findShutToGuests, type GuestService, type InnerNetwork} from '../services/guest-service.ts';
import {findUnopened, type ProtocolUse} from '../services/protocol-use.ts';
import type {ApplyFacts, Connection} from './apply-facts.ts';
import type {ApplyRequest} from './apply-request.ts';
import {adviseDirect, findBlockedPublished, undecidedPublished} from './govern-published.ts';
import {type Obstacle, unacceptedLosses, undecidedSaved} from './obstacle.ts';

/**
 * What applying a policy would do on this machine. It is made before anything is touched, every view
 * is printed from it, and it is what `startChange` loads.
 */
export type ApplyPlan = CompiledPolicy &
	ApplyRequest & {
		/**
		 * What is removed of the rules of other programs, one part for each family and backend. Undefined
		 * where some are to be removed and it is not known which there are.
		 */
		readonly cleanups: readonly SnapshotCleanup[] | undefined;
		/** All rules that are loaded now. Undefined where they were not read. */
		readonly snapshots: readonly RulesSnapshot[] | undefined;
		/** What is taken out of the files that load rules at boot. */
		readonly savedEdits: readonly SavedEdit[];
		/** The ports of the session in use to which the user could not connect again. */
		readonly lockouts: readonly AccessPort[];
		/** What receives protocols without ports that the policy does not open. */
		readonly unopened: readonly ProtocolUse[];
		/** The published ports that are blocked then. */
		readonly blockedPublished: readonly Published[];
		/** What guests of this machine cannot reach then. */
		readonly shutToGuests: readonly GuestService[];
		/** What the user should know about the openings, one sentence each. */
		readonly advice: readonly string[];
		/** The connections of others at ports that the rules block for them. */
		readonly cutOff: readonly Connection[];
		readonly session: Session;
		/** The interfaces behind which hosts may be whose way out this machine is. */
		readonly networks: readonly InnerNetwork[];
	} & (
		| {readonly obstacle: Obstacle}
		| {
				/** Nothing prevents it. */
				readonly obstacle: undefined;
				readonly backend: Backend;
				readonly persistence: Persistence;
		  }
	);

/**
 * Plans a change without touching anything. Reads nothing that takes long: a wizard may plan again at
 * every answer.
 */
export function planApply(request: ApplyRequest, facts: ApplyFacts): ApplyPlan {
	const {iptables, session, snapshots, connections} = facts;
	const known = findObstacle(request, facts);
	const cleanups = keepsAll(request.existing)
		? []
		: snapshots && planSnapshotCleanups(snapshots, request.existing);
	const edits = keepsAll(request.existing) ? [] : planSavedEdits(facts.saved, request.existing);
	const compiled = compilePolicy(request.policy, facts);
	const plan = {
		...request,
		...compiled,
		cleanups: cleanups instanceof HostError ? undefined : cleanups,
		snapshots,
		savedEdits: request.existing.saved === 'edit' ? edits : [],
		lockouts: session.kind === 'remote' ? findLockouts(compiled.ruleSet, session) : [],
		unopened: findUnopened(facts.protocolUses, request.policy.openings),
		blockedPublished: findBlockedPublished(request.policy, facts.published.ports),
		shutToGuests: findShutToGuests(facts.guests, request.policy.openings),
		advice: [
			...adviseEnds(request.policy.openings, loginPorts(session)),
			...adviseOpenings(request.policy.openings, facts.interfaceNames),
			...adviseDirect(request.policy, facts.networks, facts.interfaceNames?.keys()),
		],
		cutOff: connections.filter(({remoteAddress, localPort}) =>
			isBlocked(compiled.ruleSet, remoteAddress, localPort),
		),
		session,
		networks: facts.networks,
	};
	if (known !== undefined) {
		return {...plan, obstacle: known};
	}

	if (cleanups instanceof HostError) {
		return {...plan, obstacle: {kind: 'not-removable', error: cleanups}};
	}

	if (request.existing.saved === undefined && edits.length > 0) {
		return {...plan, obstacle: undecidedSaved(edits)};
	}

	if (request.saidPublished === false && plan.blockedPublished.length > 0) {
		return {
			...plan,
			obstacle: {kind: 'published', error: undecidedPublished(plan.blockedPublished)},
		};
	}

	if (iptables === undefined) {
		return {...plan, obstacle: {kind: 'no-iptables'}};
	}

	if (request.atOnce && plan.lockouts.length > 0) {
		const error = lockoutError(plan.lockouts, clientOf(session), request.imported);
		return {...plan, obstacle: {kind: 'lock-out', error}};
	}

	const {backend} = iptables;
	const persistence = planPersistence(compiled, backend, request.boot);
	return {...plan, obstacle: undefined, backend, persistence};
}

/** The ports of TCP by which the user logs in; that of SSH where they are not known. */
function loginPorts(session: Session): readonly number[] {
	const ports =
		session.kind === 'remote'
			? session.accessPorts.flatMap(({protocol, first}) => (protocol === 'tcp' ? [first] : []))
			: [];
	return ports.length === 0 ? [SSH_PORT] : ports;
}

const SSH_PORT = 22;

/** The first thing that prevents a request from being applied, or undefined where nothing does. */
function findObstacle(
	{boot, existing, unaccepted = []}: ApplyRequest,
	{missingRight, unsupported, savedBoot, iptables, root, owners}: ApplyFacts,
): Obstacle | undefined {
	if (missingRight !== undefined) {
		return {kind: 'no-right', error: missingRight};
	}

	// A user who sees to the boot does not need a system that keeps the rules.
	if (unsupported !== undefined && (boot ?? savedBoot) !== 'none') {
		return {kind: 'unsupported', error: unsupported};
	}

	if (iptables === undefined || !root) {
		return {kind: iptables === undefined ? 'no-iptables' : 'not-root'};
	}

	if (unaccepted.length > 0) {
		return unacceptedLosses(existing.switchOff, unaccepted.length);
	}

	const owner = owners.find((name) => !existing.switchOff.includes(name));
	return owner === undefined ? undefined : {kind: 'other-owner', owner};
}
