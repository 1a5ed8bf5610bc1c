import type {KnownDeviation} from '../change/record.ts';
import {natOfIptables} from '../existing/nat/parse-iptables.ts';
import {describeBlockedRedirects, findRedirects} from '../existing/nat/redirects.ts';
import {compareRunning} from '../exposure/compare-running.ts';
import {describeBlocked, describeDeviation} from '../exposure/describe-deviation.ts';
import {remember} from '../exposure/known-deviations.ts';
import {nameInside} from '../host/machine/inner-networks.ts';
import {interfacesHere} from '../host/machine/interfaces.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError} from '../lib/errors.ts';
import {stripPrefixLength} from '../lib/network.ts';
import type {Policy} from '../policy/policy.ts';
import {describeLeft} from '../proof/left-published.ts';
import {hasOthers, type RulesUnderTest, runningSource} from '../testbed/load-rules.ts';
import {sourceAfter} from '../testbed/planned-change.ts';
import type {ApplyPlan} from './plan-apply.ts';

/** Further lines are counted. */
const MOST_LINES = 6;

/** What other programs' rules that stay open or block against a policy. */
export type Beside = {
	/** One line each, for the user. */
	readonly lines: readonly string[];
	/** The same for the record of the change. */
	readonly known: readonly KnownDeviation[];
};

export const NOTHING_BESIDE: Beside = {lines: [], known: []};

/**
 * Finds what stays open or blocked against a policy because of other programs' rules, before it is applied:
 * by packets to a copy of this machine with the rules that run after the change. Takes some 10 ms where
 * there are only our own rules, and about a second otherwise. Never throws.
 */
export async function findBeside(plan: ApplyPlan): Promise<Beside> {
	if (plan.obstacle !== undefined) {
		return NOTHING_BESIDE;
	}

	const {policy, ruleSet, existing, backend, session, networks} = plan;
	try {
		const families = ruleSet.families.map(({family}) => family);
		const running = await runningSource(families, {backend});
		const source = sourceAfter(running, {ruleSet, existing, backend});
		if (!hasOthers(source)) {
			return NOTHING_BESIDE;
		}

		const interfaces = nameInside(interfacesHere(), networks);
		const found = await compareRunning(source, {
			...{policy, ruleSet, interfaces},
			remoteClient: session.kind === 'remote' ? session : undefined,
		});
		const lines = [
			...found.deviations.filter(({rule}) => !rule?.own).map(describeDeviation),
			...found.blocked.map(describeBlocked),
			...describeLeft(found.views, policy, source),
			...describeRedirects(source, policy),
			...found.unroutable,
			...found.unloaded.map(
				(name) => `not tried with ${name}, which a copy of this machine cannot load`,
			),
		].map((line) => `Beside the policy: ${line}`);
		const more = lines.length - MOST_LINES;
		return {
			lines:
				more > 0
					? [
							...lines.slice(0, MOST_LINES),
							`Beside the policy: ${more} more; see: ${commandLine('prove')}`,
						]
					: lines,
			known: remember(found),
		};
	} catch (error) {
		const {message} = error as Error;
		return {
			...NOTHING_BESIDE,
			lines: [
				error instanceof HostError
					? `What other programs' rules open or close was not tried: ${message}`
					: `What other programs' rules open or close is not known: ${message}`,
			],
		};
	}
}

/** What rules of nat send to ports of this machine that a policy blocks: proxies, and what answers containers. */
function describeRedirects({rules}: RulesUnderTest, {openings}: Policy): readonly string[] {
	const own = interfacesHere().flatMap(({addresses}) => addresses.map(stripPrefixLength));
	const tables = rules.flatMap((one) => natOfIptables(one) ?? []);
	const redirects = tables.flatMap((table) => findRedirects(table, own));
	return [...new Set(describeBlockedRedirects(redirects, openings))];
}
