import {readAppliedPolicy} from '../change/applied.ts';
import {readBootId, stateOf} from '../change/change-state.ts';
import {TICKS_FILE} from '../change/paths.ts';
import {listChanges} from '../change/record.ts';
import {readJson, readText} from '../host/files/read-text.ts';
import type {Facts} from '../host/machine/facts.ts';
import {findHelpers} from '../host/machine/modules.ts';
import {requireIptables} from '../host/netfilter/backend.ts';
import type {Saved} from '../host/netfilter/iptables.ts';
import {findManagers} from '../host/netfilter/managers.ts';
import {saveOwn} from '../host/netfilter/own-rules.ts';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {MODULES_LOAD_FILE} from '../persistence/init/systemd.ts';
import {findInitSystem} from '../persistence/plan.ts';
import {describeLasting} from '../persistence/volatile-root.ts';
import {helperOf} from '../policy/helpers.ts';
import type {Policy} from '../policy/policy.ts';
import {nmapCommands} from '../proof/nmap/commands.ts';
import {compilePolicy} from '../ruleset/build.ts';
import {ownDifferences} from '../ruleset/diff.ts';
import type {RuleSet} from '../ruleset/model.ts';
import {checkBoot} from './check-boot.ts';
import {checkConflicts, describeCoexisting} from './check-conflicts.ts';
import {checkInner} from './check-inner.ts';
import {describeRunning, tryRunning} from './check-packets.ts';
import {checkSources} from './check-sources.ts';
import {checkWatch} from './check-watch.ts';
import {failed, type Item, ok, open, TICKS, type Tick, unless} from './checklist-item.ts';
import {asItIs, findFileFault} from './verify-files.ts';

/**
 * Checks whether the running rules match the policy and whether the next boot loads the same. Returns
 * all items, in the order in which a person would check them.
 * @param full send packets to every port, not only where the rules change
 * @throws {HostError} where iptables is not installed, or not even our own rules can be read
 */
export async function runChecklist(facts: Facts, full = false): Promise<readonly Item[]> {
	const title = 'the policy is stored and readable';
	let policy: Policy | undefined;
	try {
		policy = readAppliedPolicy(facts.services);
	} catch (error) {
		if (error instanceof InputError) {
			return [failed('policy', title, error.message, 'Apply the policy again')];
		}

		throw error;
	}

	if (policy === undefined) {
		return [
			failed(
				'policy',
				title,
				'none was applied and confirmed',
				`${commandLine()}, or ${commandLine('apply')}`,
			),
		];
	}

	const withIptables = requireIptables(facts);
	const compiled = compilePolicy(policy, facts);
	const {ruleSet} = compiled;
	const readRules = async () =>
		Promise.all(ruleSet.families.map(async ({family}) => saveOwn(family)));
	// All at once: most of the time is spent waiting for other programs.
	const [saves, compared, boot, watch, helpers, others] = await Promise.all([
		readRules(),
		tryRunning(compiled, withIptables, full),
		checkBoot(compiled, withIptables, full),
		checkWatch(),
		checkHelpers(policy),
		checkOthers(),
	]);
	const running = checkRunning(ruleSet, saves);
	const altered = ruleSet.families.filter((_, index) => running[index]?.state !== 'ok');
	return [
		ok('policy', title),
		...running,
		...describeRunning(saves, compared, new Set(altered.map(({family}) => family))),
		...boot,
		...watch,
		...checkInner(policy, facts.networks),
		...checkSources(policy),
		helpers,
		...others,
		...checkTicks(facts),
		checkSurvival(running.every(({state}) => state === 'ok')),
	];
}

/** The item of a change that waits: the running rules are then its rules, not the confirmed ones. */
export function itemOfPending(id: number): Item {
	const title = 'no change waits to be confirmed';
	return failed(
		'waiting',
		title,
		`change ${id} does`,
		`${commandLine('confirm')}, or ${commandLine('undo')}`,
	);
}

/** Other firewalls, and other services that load rules at boot. */
async function checkOthers(): Promise<readonly Item[]> {
	return [checkConflicts(await findManagers()), ...(await describeCoexisting())];
}

function checkRunning(ruleSet: RuleSet, saves: readonly Saved[]): readonly Item[] {
	return ruleSet.families.map((rules, index) => {
		const saved = saves[index];
		const [difference] = saved ? ownDifferences(rules, saved.rules) : [];
		return unless(
			`running-ipv${rules.family}`,
			`the running IPv${rules.family} rules match the policy`,
			difference,
		);
	});
}

async function checkHelpers(policy: Policy): Promise<Item> {
	const [id, title] = ['helpers', 'the helpers are usable, and loaded at boot'] as const;
	if (policy.helpers.length === 0) {
		return ok(id, title);
	}

	const available = await findHelpers();
	const missing = policy.helpers.filter((name) => available.get(name) === 'no');
	if (missing.length > 0) {
		return failed(
			...([id, title, `this kernel does not have ${missing.join(', ')}`] as const),
			'Install the kernel modules again, or apply a policy without them',
		);
	}

	if (findInitSystem()?.name !== 'systemd') {
		// The restore script loads them itself.
		return ok(id, title);
	}

	const listed = (readText(MODULES_LOAD_FILE) ?? '').split('\n');
	const unlisted = policy.helpers.filter((name) => !listed.includes(helperOf(name).module));
	return unless(
		id,
		title,
		unlisted.length > 0
			? `${MODULES_LOAD_FILE} does not list ${unlisted.join(', ')}`
			: findFileFault(asItIs(MODULES_LOAD_FILE, 0o644)),
	);
}

function checkTicks({interfaces}: Facts): readonly Item[] {
	const ticks = readTicks();
	const address = interfaces[0]?.addresses[0]?.split('/')[0] ?? 'HOST';
	const {fast, full} = nmapCommands(address);
	const texts: Readonly<Record<Tick, readonly [string, string, string]>> = {
		scanned: [
			'scanned from another machine',
			`${fast} (all TCP ports, about 2 minutes; with UDP it takes hours: ${full}); then ${commandLine('prove --nmap scan.xml')}`,
			'scanned',
		],
		'way-in': [
			'console access works: a rescue system, or the machine itself',
			'try it once',
			'way-in',
		],
	};
	return TICKS.map((tick) => {
		const [title, how, name] = texts[tick];
		return ticks.includes(tick)
			? ok(tick, title)
			: open(tick, title, how, `when it is done: ${commandLine(`check --tick ${name}`)}`);
	});
}

/** Whether the machine has booted since a policy was last kept. */
function hasBooted(): boolean {
	const kept = listChanges().findLast(({id}) => stateOf(id) === 'done');
	return kept !== undefined && kept.bootId !== readBootId();
}

/** The machine has booted since the policy was kept, and the rules are back. */
function checkSurvival(running: boolean): Item {
	const [id, title] = ['survived', 'the rules have survived a boot'] as const;
	return !hasBooted()
		? open(
				...([id, title] as const),
				['the machine has not booted since', describeLasting() ?? []].flat().join('; '),
				`reboot, then: ${commandLine('check')}`,
			)
		: running
			? ok(id, title)
			: failed(id, title, 'after the boot other rules are there', commandLine('check --fix'));
}

/** The items that the user has ticked off. */
export function readTicks(): readonly Tick[] {
	const ticks = readJson(TICKS_FILE);
	return TICKS.filter((tick) => Array.isArray(ticks) && ticks.includes(tick));
}
