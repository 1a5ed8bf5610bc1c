import process from 'node:process';
import {type Subject as ProofSubject, planWhole, proveOn, runningSubject} from '../app/prove.ts';
import {planBoot} from '../app/prove-boot.ts';
import {KEEP_EXISTING} from '../existing/cleanup-plan.ts';
import {type Facts, gatherFacts} from '../host/machine/facts.ts';
import {InputError} from '../lib/errors.ts';
import {printJson} from '../lib/json.ts';
import {policyToJson} from '../policy/print-policy.ts';
import {
	describeChecks,
	describeFaults,
	describePublished,
	describeSampled,
	describeUntried,
	describeView,
} from '../proof/describe-proof.ts';
import {isExact, isProven, onlyLocksOut, type Proof} from '../proof/report.ts';
import {type CompiledPolicy, compilePolicy} from '../ruleset/build.ts';
import {choosePolicy, hasPolicyFlags, type PolicyFlags} from './options/policy.ts';
import {governHere} from './options/published.ts';
import type {Subject} from './options/words.ts';
import {proveWithNmap} from './prove-nmap.ts';
import {requireRoot} from './require-root.ts';
import type {Output} from './run-action.ts';

type ProveFlags = PolicyFlags & {
	readonly of?: Subject;
	readonly nmap?: string;
	readonly from?: string;
	readonly json?: boolean;
};

/**
 * The JSON fields that scripts know. The vantage point of a view has the key `vantage`, and its kind is a
 * part of its name: `in 10.0.0.0/8`, `beside 10.0.0.0/8`.
 */
export function proofToJson(subject: Subject, proof: Proof) {
	const {views, ...rest} = proof;
	const prefixes = {anywhere: '', network: 'in ', beside: 'beside ', client: '', inside: ''};
	return {
		...{subject, proven: isProven(proof)},
		views: views.map(({vantagePoint: {kind, ...vantage}, ...view}) => ({
			vantage: {...vantage, name: `${prefixes[kind]}${vantage.name}`},
			...view,
		})),
		...rest,
	};
}

/**
 * `fw-wizard prove`: sends a packet to every port of a copy of this machine, and says which pass.
 * @returns what to print, and 0 where all is as the policy says, otherwise 1
 * @throws {HostError} where nothing can be proven
 */
export async function proveCommand(flags: ProveFlags): Promise<Output> {
	const {of: subject = 'planned'} = flags;
	const facts = await gatherFacts();
	const chosen = choosePolicy(flags, facts.services);
	const policy = hasPolicyFlags(flags) ? await governHere(chosen, flags, facts) : chosen;
	const compiled = compilePolicy(policy, facts);
	if (flags.nmap !== undefined) {
		return proveWithNmap(flags.nmap, flags, compiled, facts);
	}

	if (flags.from !== undefined) {
		throw new InputError('--from says where a scan was made', 'Give the scan with --nmap FILE');
	}

	if (subject !== 'planned') {
		requireRoot(`prove --of ${subject}`);
	}

	const proof = await proveOn(
		...([facts, compiled, await subjectOf(subject, compiled, facts)] as const),
		showProgress(flags),
	);
	return {
		text: flags.json
			? printJson({policy: policyToJson(compiled.policy), ...proofToJson(subject, proof)})
			: printProof(proof),
		code: isProven(proof) ? 0 : 1,
	};
}

/** @throws {HostError} where there are no such rules, or they cannot be read */
async function subjectOf(
	subject: Subject,
	compiled: CompiledPolicy,
	facts: Facts,
): Promise<ProofSubject> {
	switch (subject) {
		case 'planned':
			return planWhole(facts, {...compiled, existing: KEEP_EXISTING});
		case 'running':
			return runningSubject(facts);
		case 'boot':
			return planBoot(facts, compiled.policy);
	}
}

/** The report as text: what passes from where, the dialogues, every difference. */
function printProof(proof: Proof): string {
	const sampled = describeSampled(proof);
	return [
		`${proof.probes} packets in ${proof.seconds.toFixed(1)} s. What passes:`,
		...proof.views.map((view) => `  ${describeView(view)}`),
		...describePublished(proof).map((text) => `  ${text}`),
		...(sampled === undefined ? [] : [`  ${sampled}`]),
		...describeFaults(proof),
		...describeUntried(proof),
		describeChecks(proof),
		...proof.leftOut.map((what) => `Left out: ${what}`),
		isExact(proof)
			? 'Proven: exactly what the policy says.'
			: isProven(proof)
				? 'Proven without what was left out: what the policy says.'
				: onlyLocksOut(proof)
					? 'What the policy says, and you could not log in again.'
					: 'Not what the policy says.',
		'',
	].join('\n');
}

function showProgress({json}: ProveFlags): (progress: {sent: number; total: number}) => void {
	if (json || !process.stderr.isTTY) {
		return () => {};
	}

	return ({sent, total}) => {
		process.stderr.write(sent < total ? `\r${Math.floor((100 * sent) / total)} %` : '\r      \r');
	};
}
