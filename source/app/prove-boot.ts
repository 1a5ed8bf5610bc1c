import {existsSync} from 'node:fs';
import {RESTORE_FILE} from '../change/paths.ts';
import {firstLine} from '../host/exec/run.ts';
import type {Facts} from '../host/machine/facts.ts';
import {requireIptables} from '../host/netfilter/backend.ts';
import type {Namespace} from '../host/netns.ts';
import {asHostError, HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {findBootLoaders} from '../persistence/boot-loaders/find.ts';
import {judgeLoaders} from '../persistence/boot-loaders/judge.ts';
import {runBoot} from '../persistence/boot-loaders/run-boot.ts';
import {findInitSystem} from '../persistence/plan.ts';
import {describeMeanwhile} from '../persistence/watch/choice.ts';
import type {Policy} from '../policy/policy.ts';
import {isIptables, loadAll, readLoaded, runningSource} from '../testbed/load-rules.ts';
import {withTestbed} from '../testbed/testbed.ts';
import type {Subject} from './prove.ts';

/**
 * The rules that the next boot loads: those of fw-wizard by its own command, and what else is loaded before and
 * behind it, as far as a copy of this machine can do that. Where the policy governs published ports, these are
 * published as they are now: whoever does it starts after the boot has loaded the rules.
 * @throws {HostError} where nothing is loaded at boot yet, or the restore script does not load the rules
 */
export async function planBoot(facts: Facts, {published}: Policy): Promise<Subject> {
	if (!existsSync(RESTORE_FILE)) {
		throw new HostError('Nothing is loaded at boot yet', 'Apply a policy and confirm it first', 1);
	}

	const {iptables, interfaces, families} = requireIptables(facts);
	const loaders = await findBootLoaders(findInitSystem()?.name ?? 'none', iptables.backend);
	return withTestbed(
		interfaces,
		[],
		async ({machine}) => {
			const failed = await runBoot(machine, loaders, async (step) => {
				if (step.kind === 'own' && step.result.status !== 0) {
					throw new HostError(
						`sh cannot load these rules in an isolated copy: ${printable(firstLine(step.result.stderr), 160)}`,
						'Nothing is proven, and nothing was changed',
						1,
					);
				}
			});
			// What was run is judged by packets.
			const {fatal, doubtful} = judgeLoaders(loaders, {takers: new Set(), failed});
			const missing = published === 'policy' ? await publish(machine, facts) : [];
			return {
				of: 'boot',
				source: await readLoaded(machine, families),
				leftOut: [...doubtful, ...missing],
				checks: fatal.map((detail) => ({
					...{name: 'nothing takes the rules away at boot', result: 'failed' as const},
					detail: `${detail}; ${describeMeanwhile()}`,
				})),
			};
		},
		{beyond: false},
	);
}

/**
 * Loads the rules of nat that run now.
 * @returns what could not be loaded, a phrase each
 */
async function publish(
	machine: Namespace,
	{families, iptables}: Pick<Facts, 'families' | 'iptables'>,
): Promise<readonly string[]> {
	const {loads} = await runningSource(families, iptables);
	const failed: string[] = [];
	for (const load of loads) {
		const text = isIptables(load)
			? (/^\*nat\n[\s\S]*?^COMMIT\n/m.exec(load.text)?.[0] ?? '')
			: load.program === 'ipset' || /\bdnat\b/.test(load.text)
				? load.text
				: '';
		if (text !== '') {
			try {
				await loadAll(machine, [{...load, text}]);
			} catch (error) {
				failed.push(`published ports: ${asHostError(error).message}`);
			}
		}
	}

	return failed;
}
