import {programOf} from '../host/netfilter/iptables.ts';
import {NamespaceError, withNamespace} from '../host/netns.ts';
import {asHostError, HostError} from '../lib/errors.ts';
import {type Opening, printOpened} from '../policy/opening.ts';
import type {Policy} from '../policy/policy.ts';
import type {ApplyFacts} from './apply-facts.ts';
import type {ApplyRequest} from './apply-request.ts';
import {type ApplyPlan, planApply} from './plan-apply.ts';

/** A policy as this kernel can keep it, and what was left out, a sentence each. */
type FittedPolicy = {readonly policy: Policy; readonly notes: readonly string[]};

/** What this kernel can keep of an opening beside its ports and clients. */
export type Keeps = {
	/** It has xt_comment. */
	readonly comments: boolean;
	/** It has xt_time. */
	readonly ends: boolean;
};

/** What is taken for granted until the kernel was asked: the trial of the rules says where it is not so. */
export const KEEPS_ALL: Keeps = {comments: true, ends: true};

/** Asks the kernel for what some openings need; for all of it without them. Never throws a `NamespaceError`. */
export async function findKeeps(openings?: readonly Opening[]): Promise<Keeps> {
	const needs = (name: 'comment' | 'until') =>
		openings === undefined || openings.some((opening) => opening[name] !== undefined);
	const [comments, ends] = await Promise.all([
		!needs('comment') || takes('-m comment --comment fw-wizard'),
		!needs('until') || takes('-m time --datestop 2037-01-01T00:00:00'),
	]);
	return {comments, ends};
}

/**
 * Leaves the comments of openings out where this kernel cannot keep them: the openings are worth more than what is
 * said of them.
 * @throws {HostError} where an opening is to end, and this kernel cannot end it
 */
export function fitTo(policy: Policy, keeps: Keeps): FittedPolicy {
	const ending = policy.openings.find(({until}) => until !== undefined);
	if (ending !== undefined && !keeps.ends) {
		throw new HostError(
			`This kernel cannot end ${printOpened(ending)} by itself: xt_time is missing`,
			'Nothing was changed. Open it without an end, and close it yourself',
		);
	}

	if (keeps.comments || policy.openings.every(({comment}) => comment === undefined)) {
		return {policy, notes: []};
	}

	return {
		policy: {
			...policy,
			openings: policy.openings.map(({comment: _, ...opening}): Opening => opening),
		},
		notes: ['This kernel keeps no comments (xt_comment is missing): they are left out.'],
	};
}

/** The same, asking the kernel only where there is a comment or an end. @throws {HostError} */
export async function fitPolicy(policy: Policy): Promise<FittedPolicy> {
	return fitTo(policy, await findKeeps(policy.openings));
}

/** Plans a policy as this kernel can keep it. What is left out is among the advice. */
export function planFitted(request: ApplyRequest, facts: ApplyFacts, keeps: Keeps): ApplyPlan {
	let fitted: FittedPolicy;
	try {
		fitted = fitTo(request.policy, keeps);
	} catch (thrown) {
		const error = asHostError(thrown);
		const plan = planApply(request, facts);
		return {...plan, obstacle: plan.obstacle ?? {kind: 'unsupported', error}};
	}

	const plan = planApply({...request, policy: fitted.policy}, facts);
	return {...plan, advice: [...fitted.notes, ...plan.advice]};
}

/** Whether iptables and the kernel take a match. Where that cannot be tried, the trial of the rules says it. */
async function takes(match: string): Promise<boolean> {
	try {
		return await withNamespace(async (namespace) => {
			const input = `*filter\n-A INPUT ${match} -j ACCEPT\nCOMMIT\n`;
			const words = ['-w', '10', '--noflush'];
			return (await namespace.run(programOf(4, '-restore'), words, {input})).status === 0;
		});
	} catch (error) {
		if (error instanceof NamespaceError) {
			return true;
		}

		throw error;
	}
}
