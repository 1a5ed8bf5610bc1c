import os from 'node:os';
import {readAppliedPolicy} from '../../change/applied.ts';
import type {Item} from '../../checklist/checklist-item.ts';
import {KEEP_EXISTING} from '../../existing/cleanup-plan.ts';
import {findExposure} from '../../exposure/find.ts';
import type {Exposure} from '../../exposure/model.ts';
import {type Facts, gatherFacts} from '../../host/machine/facts.ts';
import {reportSystem, type SystemReport} from '../../host/machine/system-report.ts';
import {findListeners} from '../../host/sockets/listeners.ts';
import {commandLine} from '../../lib/command-line.ts';
import {HostError} from '../../lib/errors.ts';
import {type CompiledPolicy, compilePolicy} from '../../ruleset/build.ts';
import type {Listener} from '../../services/listener.ts';
import {makeChecker} from '../check.ts';
import {type LastProof, readLastProof} from '../last-proof.ts';
import {proveOn, runningSubject} from '../prove.ts';
import {readStatus, type Status} from './status.ts';

/** All that an audit of this firewall asks for. */
export type Report = {
	/** UTC, ISO 8601. */
	readonly time: string;
	readonly host: string;
	readonly facts: Facts;
	readonly system: SystemReport;
	readonly compiled: CompiledPolicy;
	readonly status: Status;
	/** `before` is what can be reached now, `after` what could be without the rules of fw-wizard. */
	readonly exposure: Exposure;
	readonly listeners: readonly Listener[];
	readonly items: readonly Item[];
	readonly proof: LastProof | undefined;
	/** Active as the policy says; no item of the checklist has failed, nor has the last proof. */
	readonly well: boolean;
};

/**
 * Gathers it for the policy that was applied: runs the checklist, and sends packets.
 * @param prove whether the running rules are proven now; otherwise the last proof is taken
 * @throws {HostError} where no policy is applied
 */
export async function gatherReport(prove: boolean): Promise<Report> {
	const facts = await gatherFacts();
	const policy = readAppliedPolicy(facts.services);
	if (policy === undefined) {
		throw new HostError(
			'No policy is applied: there is nothing to report',
			`${commandLine()}, or ${commandLine('apply')}`,
			1,
		);
	}

	const compiled = compilePolicy(policy, facts);
	if (prove) {
		await proveOn(facts, compiled, await runningSubject(facts), () => {});
	}

	const proof = readLastProof(policy);
	const items = await makeChecker(facts).check();
	const families = facts.families.map((family) => ({family, tables: []}));
	const without = {...compiled, ruleSet: {families}, existing: KEEP_EXISTING};
	const exposure = await findExposure(facts, without);
	const [status, system, listeners] = await Promise.all([
		readStatus(),
		reportSystem(),
		findListeners({brief: true}),
	]);
	return {
		...{time: new Date().toISOString(), host: os.hostname(), facts, system, compiled, status},
		...{exposure, listeners, items, proof},
		well:
			status.active === true &&
			status.matches === true &&
			items.every(({state}) => state !== 'failed') &&
			proof?.proven !== false,
	};
}
