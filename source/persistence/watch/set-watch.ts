import {existsSync, rmSync} from 'node:fs';
import {readAppliedPolicy} from '../../change/applied.ts';
import {applyFilePlan} from '../../change/boot-files.ts';
import {lock} from '../../change/lock.ts';
import {RESTORE_FILE, WATCH_MOTD_FILE} from '../../change/paths.ts';
import {run} from '../../host/exec/run.ts';
import {hostFacts} from '../../host/machine/host-facts.ts';
import {detectIptables, requireIptables} from '../../host/netfilter/backend.ts';
import {programOfBackend} from '../../host/netfilter/iptables.ts';
import {isRehearsal} from '../../host/rehearsal/is-rehearsal.ts';
import {commandLine} from '../../lib/command-line.ts';
import {HostError} from '../../lib/errors.ts';
import {buildRuleSet} from '../../ruleset/build.ts';
import {findInitSystem} from '../plan.ts';
import {readWatchChoice, type WatchChoice} from './choice.ts';
import {endWatch, isWatching, planWatch, RECORD_WATCH} from './plan-watch.ts';

/**
 * Has the loaded rules watched as the user wants it, and remembers that for later changes. What is loaded now
 * counts as confirmed.
 * @throws {HostError} where no policy is applied, or the user sees to the boot
 */
export async function setWatch(choice: WatchChoice): Promise<void> {
	const before = readWatchChoice();
	const release = await lock();
	try {
		await applyChoice(choice);
		if (before?.textfile !== choice.textfile) {
			clearMetrics(before);
		}
	} finally {
		await release();
	}
}

/** After an undo: what it has restored is watched as the user wants it now, or not at all. @throws {HostError} */
export async function settleWatch(): Promise<void> {
	const choice = readWatchChoice();
	if (!existsSync(RESTORE_FILE)) {
		await (isWatching() && applyFilePlan(endWatch(findInitSystem()?.watch)));
		clearTold(choice);
	} else if (choice !== undefined && findInitSystem()?.watch !== undefined) {
		await setWatch(choice);
	} else if (isWatching()) {
		const [program, ...args] = RECORD_WATCH;
		await run(program, args, {timeout: 30_000});
	}
}

/** What a login is told, and the file of metrics, go with the rest. A rehearsal has no folders of its own for them. */
export function clearTold(choice: WatchChoice | undefined): void {
	if (!isRehearsal()) {
		rmSync(WATCH_MOTD_FILE, {force: true});
		clearMetrics(choice);
	}
}

function clearMetrics(choice: WatchChoice | undefined): void {
	if (choice?.textfile !== undefined && !isRehearsal()) {
		rmSync(choice.textfile, {force: true});
	}
}

async function applyChoice(choice: WatchChoice): Promise<void> {
	const initSystem = findInitSystem();
	const {families, services} = hostFacts();
	const policy = readAppliedPolicy(services);
	if (policy === undefined || !existsSync(RESTORE_FILE)) {
		throw new HostError(
			'No policy is applied: there are no rules to watch',
			`${commandLine()}, or ${commandLine('apply')}`,
			1,
		);
	}

	if (initSystem?.watch === undefined) {
		throw new HostError(
			'Nothing here would start the watch: you see to the boot yourself (--boot none)',
			'Apply the policy again with --boot auto',
		);
	}

	const {iptables} = requireIptables({iptables: await detectIptables()});
	const programOf = (family: 4 | 6) => programOfBackend(family, iptables.backend);
	await applyFilePlan(planWatch(initSystem, buildRuleSet(policy, {families}), programOf, choice));
	if (!choice.on) {
		clearTold(choice);
	}
}
