import {compareRunning} from '../exposure/compare-running.ts';
import {describeBlocked, describeDeviation} from '../exposure/describe-deviation.ts';
import {interfacesHere} from '../host/machine/interfaces.ts';
import {HostError} from '../lib/errors.ts';
import {OWN_PREFIX} from '../ruleset/model.ts';
import {type RulesUnderTest, runningSource} from '../testbed/load-rules.ts';
import type {ApplyPlan} from './plan-apply.ts';

/** Further lines are counted. */
const MOST_LINES = 6;

/**
 * What stays open or closed beside an applied policy because of other programs' rules, one line each: by
 * packets to a copy of this machine with the rules that run now. Takes some 10 ms where there are only our
 * own rules, and about a second otherwise. Never throws.
 */
export async function describeBeside(
	plan: Extract<ApplyPlan, {readonly obstacle: undefined}>,
): Promise<readonly string[]> {
	const {policy, ruleSet, backend, session} = plan;
	try {
		const families = ruleSet.families.map(({family}) => family);
		const source = await runningSource(families, {backend});
		if (!hasOthers(source)) {
			return [];
		}

		const {deviations, blocked, unroutable, unloaded} = await compareRunning(source, {
			...{policy, ruleSet, interfaces: interfacesHere()},
			remoteClient: session.kind === 'remote' ? session : undefined,
		});
		const lines = [
			...deviations.filter(({rule}) => !rule?.own).map(describeDeviation),
			...blocked.map(describeBlocked),
			...unroutable,
			...unloaded.map((name) => `not tried with ${name}, which a copy of this machine cannot load`),
		].map((line) => `Beside the policy: ${line}`);
		const more = lines.length - MOST_LINES;
		return more > 0
			? [...lines.slice(0, MOST_LINES), `Beside the policy: ${more} more; see: fw-wizard check`]
			: lines;
	} catch (error) {
		const {message} = error as Error;
		return [
			error instanceof HostError
				? `What other programs' rules open or close was not tried: ${message}`
				: `What other programs' rules open or close is not known: ${message}`,
		];
	}
}

/** Whether there are rules beside our own: of another program, in the other backend or in nftables. */
function hasOthers({loads}: RulesUnderTest): boolean {
	return loads.some(
		({program, text}) =>
			program === 'nft' || /-(?:nft|legacy)-restore$/.test(program) || FOREIGN.test(text),
	);
}

/** A rule that is not in a chain of ours and does not only lead to one, or a policy that drops. */
const FOREIGN = new RegExp(`^-A (?!${OWN_PREFIX})(?!\\S+ -j ${OWN_PREFIX}\\S+$)|^:\\S+ DROP `, 'm');
