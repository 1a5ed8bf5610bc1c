import {existsSync, writeFileSync} from 'node:fs';
import {LAST_PROOF_FILE, makePrivate, POLICY_FILE, STATE_DIR} from '../change/paths.ts';
import {readJson, readText} from '../host/files/read-text.ts';
import type {Policy} from '../policy/policy.ts';
import {printPolicy} from '../policy/print-policy.ts';
import {isProven, type Proof} from '../proof/report.ts';

/** Which rules a proof is of: those of a policy, the loaded ones, or those of the next boot. */
export type ProvenRules = 'planned' | 'running' | 'boot';

/** A proof of the policy that was applied. */
export type LastProof = {
	/** UTC, ISO 8601. */
	readonly time: string;
	/** Which rules were proven. */
	readonly of: ProvenRules;
	readonly proven: boolean;
	readonly proof: Proof;
};

/** Remembers a proof of the policy that was applied. A disk that takes nothing must not stop it: then it is lost. */
export function recordProof(policy: Policy, of: ProvenRules, proof: Proof): void {
	const text = printPolicy(policy);
	if (!existsSync(STATE_DIR) || readText(POLICY_FILE) !== text) {
		return;
	}

	const time = new Date().toISOString();
	const last: LastProof = {time, of, proven: isProven(proof), proof};
	try {
		makePrivate(STATE_DIR);
		// As in last-check.ts: a damaged file is not read.
		writeFileSync(
			LAST_PROOF_FILE,
			JSON.stringify({...last, policy: text, version: FW_WIZARD_VERSION}),
			{mode: 0o600},
		);
	} catch {}
}

/** The last proof of a policy, where this version of fw-wizard has made it. */
export function readLastProof(policy: Policy): LastProof | undefined {
	const {version, policy: proven, ...last} = Object(readJson(LAST_PROOF_FILE));
	return version === FW_WIZARD_VERSION && proven === printPolicy(policy) ? last : undefined;
}
